package import Engine
package import Health
package import Model

/// Keeps the endpoint table true for the endpoints that a node uses: those of its region in the pools of its tier.
package final class EndpointProbing: Sendable {
    /// An endpoint went up or down or changed its role, or what it may be used for in its role.
    package struct Change: Sendable, Hashable {
        package let pool: String
        package let address: SocketAddress
        package let slot: Int
        package let report: ProbeReport
        /// Why it is not used as its role would have it; nil when nothing is wrong with it.
        package let trouble: String?
        /// A primary that is not written to, because another one is or was: somebody has to take it away.
        package let isFenced: Bool
    }

    /// How the checks of an endpoint went since it is checked.
    package struct Checks: Sendable, Hashable {
        package var latest: ProbeOutcome
        package var passed: UInt64 = 0
        package var failed: UInt64 = 0
    }

    private let table: EndpointTable
    private let ledger: EndpointLedger
    private let service: ProbeService<Int>

    /// `secret` gives the value of a password, or nil when it cannot be had. `changed` is called after the table was
    /// written, from any thread; for one endpoint in order.
    package init(
        table: EndpointTable, client: HTTPClient, waiter: SocketWaiter,
        secret: @escaping @Sendable (Secret) -> String?, standstills: Standstills? = nil,
        changed: @escaping @Sendable (Change) -> Void
    ) {
        self.table = table
        let ledger = EndpointLedger(table: table, changed: changed)
        self.ledger = ledger
        service = ProbeService(client: client, waiter: waiter, secret: secret, standstills: standstills) {
            slot, report in
            ledger.accept(report, at: slot)
        }
    }

    /// Probes what `node` uses according to `snapshot`. Endpoints that stay keep their state.
    ///
    /// `slots` is what the table says for `snapshot`, by `EndpointID.index`.
    package func update(_ snapshot: Snapshot, node: NodeID, slots: [Int]) {
        var targets: [ProbeTarget<Int>] = []
        var places: [EndpointLedger.Place] = []
        for endpoint in Self.scope(snapshot, node: node) {
            let pool = snapshot[snapshot[endpoint].pool]
            let (slot, address) = (slots[endpoint.index], snapshot[endpoint].address)
            places.append(EndpointLedger.Place(slot: slot, pool: pool.name, address: address, check: pool.check))
            if let check = pool.check { targets.append(ProbeTarget(id: slot, address: address, check: check)) }
        }
        ledger.replace(
            places, region: snapshot[snapshot[node].region].name, pools: Set(snapshot.pools.map(\.name)))
        service.update(targets)
    }

    /// The last report on an endpoint; nil before the first.
    package func report(_ slot: Int) -> ProbeReport? { ledger.report(slot) }

    /// Nil before the first check.
    package func checks(_ slot: Int) -> Checks? { ledger.checks(slot) }

    /// What replication says of the databases that are checked, for metrics and `/status`.
    package var databases: [DatabaseStanding] { ledger.databases }

    /// One of them; nil when no database is checked at `slot`.
    package func database(_ slot: Int) -> DatabaseStanding? { ledger.database(slot) }

    /// The highest timelines that databases of this node and of its peers ever told.
    package var timelines: TimelineMemory { ledger.timelines }

    /// Takes what an earlier process or a peer knew of timelines. Servers that are leftovers by it are fenced off at once.
    ///
    /// - Returns: what was news.
    @discardableResult
    package func merge(_ timelines: [ClusterTimeline]) -> [ClusterTimeline] { ledger.merge(timelines) }

    /// Takes an operator's word that the primary of `pool` at `timeline` is to be written to, though a later one was told.
    package func acceptTimeline(_ timeline: UInt32, pool: String, now: Timestamp) -> TimelineAcceptance {
        ledger.acceptTimeline(timeline, pool: pool, now: now)
    }

    /// After a standstill: endpoints stay in or out as they were, count as not checked yet, and are looked at at once.
    package func lookAgain() {
        service.lookAgain { table.remove(.checked, at: $0) }
    }

    package func stop() async { await service.stop() }

    /// The endpoints of the node's region in pools of the kind that its tier serves; none for DNS nodes.
    package static func scope(_ snapshot: Snapshot, node: NodeID) -> [EndpointID] {
        let kind: Pool.Kind
        switch snapshot[node].tier {
        case .dns: return []
        case .l7: kind = .http
        case .l4: kind = .tcp
        }
        return snapshot.pools.indices.map(PoolID.init).filter { snapshot[$0].kind == kind }
            .flatMap { snapshot.endpoints(of: $0, in: snapshot[node].region) }
    }
}
