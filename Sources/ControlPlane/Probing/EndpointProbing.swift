package import Engine
package import Model
import Synchronization

/// Keeps the endpoint table true for the endpoints that a node uses: those of its region in the pools of its tier.
package final class EndpointProbing: Sendable {
    /// An endpoint went up or down or changed its role.
    package struct Change: Sendable, Hashable {
        package let pool: String
        package let address: SocketAddress
        package let slot: Int
        package let report: ProbeReport
    }

    /// How the checks of an endpoint went since it is checked.
    package struct Checks: Sendable, Hashable {
        package var latest: ProbeOutcome
        package var passed: UInt64 = 0
        package var failed: UInt64 = 0
    }

    private let ledger: Ledger
    private let service: ProbeService<Int>

    /// `secret` gives the value of a password, or nil when it cannot be had. `changed` is called after the table was
    /// written, from any thread; for one endpoint in order.
    package init(
        table: EndpointTable, client: HTTPClient, waiter: SocketWaiter,
        secret: @escaping @Sendable (Secret) -> String?, changed: @escaping @Sendable (Change) -> Void
    ) {
        let ledger = Ledger(table: table, changed: changed)
        self.ledger = ledger
        service = ProbeService(client: client, waiter: waiter, secret: secret) { slot, report in
            ledger.accept(report, at: slot)
        }
    }

    /// Probes what `node` uses according to `snapshot`. Endpoints that stay keep their state.
    ///
    /// `slots` is what the table says for `snapshot`, by `EndpointID.index`.
    package func update(_ snapshot: Snapshot, node: NodeID, slots: [Int]) {
        var targets: [ProbeTarget<Int>] = []
        var places: [Int: Ledger.Place] = [:]
        for endpoint in Self.scope(snapshot, node: node) {
            let pool = snapshot[snapshot[endpoint].pool]
            let (slot, address) = (slots[endpoint.index], snapshot[endpoint].address)
            places[slot] = Ledger.Place(pool: pool.name, address: address)
            if let check = pool.check { targets.append(ProbeTarget(id: slot, address: address, check: check)) }
        }
        ledger.replace(places, checked: Set(targets.map(\.id)))
        service.update(targets)
    }

    /// The last report on an endpoint; nil before the first.
    package func report(_ slot: Int) -> ProbeReport? { ledger.report(slot) }

    /// Nil before the first check.
    package func checks(_ slot: Int) -> Checks? { ledger.checks(slot) }

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

/// The last report on each endpoint, and the only writer of health into the table.
private final class Ledger: Sendable {
    struct Place: Sendable {
        let pool: String
        let address: SocketAddress
    }

    private struct State {
        var places: [Int: Place] = [:]
        var reports: [Int: ProbeReport] = [:]
        var checks: [Int: EndpointProbing.Checks] = [:]

        mutating func note(_ outcome: ProbeOutcome, at slot: Int) {
            var known = checks[slot] ?? EndpointProbing.Checks(latest: outcome)
            known.latest = outcome
            if outcome.up { known.passed += 1 } else { known.failed += 1 }
            checks[slot] = known
        }
    }

    private let table: EndpointTable
    private let changed: @Sendable (EndpointProbing.Change) -> Void
    private let state = Mutex(State())

    init(table: EndpointTable, changed: @escaping @Sendable (EndpointProbing.Change) -> Void) {
        self.table = table
        self.changed = changed
    }

    func replace(_ places: [Int: Place], checked: Set<Int>) {
        state.withLock { state in
            state.places = places
            state.reports = state.reports.filter { checked.contains($0.key) }
            state.checks = state.checks.filter { checked.contains($0.key) }
        }
        // Without a check an endpoint counts as up and has no role.
        for slot in places.keys where !checked.contains(slot) {
            table.insert(.up, at: slot)
            table.remove([.primary, .replica], at: slot)
        }
    }

    func report(_ slot: Int) -> ProbeReport? { state.withLock { $0.reports[slot] } }

    func checks(_ slot: Int) -> EndpointProbing.Checks? { state.withLock { $0.checks[slot] } }

    func accept(_ report: ProbeReport, at slot: Int) {
        let place = state.withLock { state in
            guard let place = state.places[slot] else { return Place?.none }
            state.reports[slot] = report
            state.note(report.outcome, at: slot)
            return place
        }
        // A report that was under way when its endpoint left the topology.
        guard let place else { return }
        write(report, at: slot)
        guard report.changed else { return }
        changed(EndpointProbing.Change(pool: place.pool, address: place.address, slot: slot, report: report))
    }

    private func write(_ report: ProbeReport, at slot: Int) {
        let role: EndpointState =
            switch report.role {
            case .primary: .primary
            case .replica: .replica
            case .any, nil: []
            }
        let all: EndpointState = [.up, .primary, .replica]
        let wanted = report.up ? role.union(.up) : []
        // First what it no longer is, so that nobody sees two roles at once.
        table.remove(all.subtracting(wanted), at: slot)
        table.insert(wanted.union(.checked), at: slot)
        // An active check that passes ends an ejection.
        if report.outcome.up { table.remove(.ejected, at: slot) }
    }
}
