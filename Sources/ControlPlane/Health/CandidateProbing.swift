import Engine
import Federation
package import Health
package import Model
import Synchronization

/// How a node itself sees the addresses that dynamic names answer with: one vantage point's votes. DNS nodes look at all that
/// they answer with. Others look at what services answer with in other regions than their own, so that a few regions have a
/// majority with a single DNS node.
package final class CandidateProbing: Sendable {
    package struct Candidate: Sendable, Hashable {
        package let name: String
        /// Nil for a name that belongs to no service: then this node's own checks decide about it.
        package let service: String?
        package let region: String
        package let address: SocketAddress
    }

    private struct State {
        var candidates: [Candidate] = []
        /// The same.
        var known: Set<Candidate> = []
        var reports: [Candidate: ProbeReport] = [:]
        /// Whether this node has a vote. One of another tier has one once it reached somebody: until then it is not known
        /// whether the network leads from here to the addresses that users use.
        var isVoter = false
        /// What follows from them; nil when they have changed since it was drawn. It is asked for ten times a second.
        var picture: Picture?
    }

    private struct Picture {
        let observations: [Observation]
        let sights: [Sight]
    }

    /// Shared with the probes' sink, which outlives no probe.
    private final class Ledger: Sendable {
        let state = Mutex(State())
    }

    private let ledger = Ledger()
    private let service: ProbeService<Candidate>

    /// `mark` marks HTTP checks for L7 nodes that they reach. `changed` is called, on any thread, when a candidate went up or down.
    package init(
        client: HTTPClient, waiter: SocketWaiter, secret: @escaping @Sendable (Secret) -> String?,
        mark: CheckMark? = nil, standstills: Standstills? = nil,
        changed: @escaping @Sendable (Candidate, ProbeReport) -> Void
    ) {
        let ledger = ledger
        service = ProbeService(
            client: client, waiter: waiter, secret: secret, lagIsDeath: true, manner: .far, mark: mark,
            standstills: standstills
        ) {
            candidate, report in
            ledger.state.withLock { state in
                guard state.known.contains(candidate) else { return }
                let old = state.reports.updateValue(report, forKey: candidate)
                if report.up, !state.isVoter {
                    state.isVoter = true
                    state.picture = nil
                }
                if old?.up != report.up || old?.outcome.reason != report.outcome.reason { state.picture = nil }
            }
            if report.changed { changed(candidate, report) }
        }
    }

    /// Probes what `node` looks at: see `isVantage`.
    package func update(_ snapshot: Snapshot, node: NodeID) {
        let targets = Self.targets(snapshot, node)
        let candidates = targets.map(\.id)
        ledger.state.withLock { state in
            state.candidates = candidates
            state.known = Set(candidates)
            state.isVoter = state.isVoter || snapshot[node].tier == .dns
            state.picture = nil
            state.reports = state.reports.filter { state.known.contains($0.key) }
        }
        service.update(targets)
    }

    /// After a standstill: this node has no vote until it has looked again, which it does at once.
    package func lookAgain() {
        ledger.state.withLock { state in
            state.reports = [:]
            state.picture = nil
        }
        service.lookAgain()
    }

    package func stop() async { await service.stop() }

    package var candidates: [(candidate: Candidate, report: ProbeReport?)] {
        ledger.state.withLock { state in state.candidates.map { ($0, state.reports[$0]) } }
    }

    /// Whether every candidate was looked at.
    package var isSettled: Bool { candidates.allSatisfy { $0.report != nil } }

    /// Addresses that a report names at most as down; what is beyond is told by its region's vote alone.
    private static let named = ReportLimits().addresses

    /// One vote for each service and region that was looked at: up when each name that answers with the service has an
    /// address there that is up. With it the addresses that are not.
    package var observations: [Observation] { picture.observations }

    /// How each address that was looked at looks from here.
    package var sights: [Sight] { picture.sights }

    private var picture: Picture {
        ledger.state.withLock { state in
            if let known = state.picture { return known }
            let looks = state.candidates.map { (candidate: $0, report: state.reports[$0]) }
            let picture = Picture(
                observations: state.isVoter ? Self.observations(looks) : [], sights: Self.sights(looks))
            state.picture = picture
            return picture
        }
    }

    private static func observations(_ candidates: [(candidate: Candidate, report: ProbeReport?)]) -> [Observation] {
        struct Site: Hashable {
            let service: String
            let region: String
        }
        var names: [Site: [String: [(Candidate, ProbeReport)]]] = [:]
        var order: [Site] = []
        var awaited: Set<Site> = []
        for (candidate, report) in candidates {
            guard let service = candidate.service else { continue }
            let site = Site(service: service, region: candidate.region)
            guard let report else {
                awaited.insert(site)
                continue
            }
            if names[site] == nil { order.append(site) }
            names[site, default: [:]][candidate.name, default: []].append((candidate, report))
        }
        var room = named
        return order.map { site in
            let looks = names[site] ?? [:]
            let failing = looks.values.filter { looks in !looks.contains { $0.1.up } }.flatMap { $0 }
            let reasons = failing.map { Self.reason($0.0, $0.1) }
            let reason = Set(reasons).sorted().prefix(4).joined(separator: "; ").clipped(to: 400)
            let troubles = Self.troubles(looks.values.flatMap { $0 })
            let told = troubles.prefix(room)
            room -= told.count
            return Observation(
                service: site.service, region: site.region, up: failing.isEmpty, reason: reason, down: Array(told),
                tellsAddresses: told.count == troubles.count && !awaited.contains(site))
        }
    }

    /// The addresses that are down, each once: for a service it is down when it fails the check of one of its names.
    private static func troubles(_ looks: [(Candidate, ProbeReport)]) -> [AddressTrouble] {
        var troubles: [SocketAddress: String] = [:]
        for (candidate, report) in looks where !report.up {
            let reason = Self.reason(candidate, report).clipped(to: 100)
            troubles[candidate.address] = min(troubles[candidate.address] ?? reason, reason)
        }
        return troubles.map { AddressTrouble(address: $0.key, reason: $0.value) }
            .sorted { ($0.address.address, $0.address.port) < ($1.address.address, $1.address.port) }
    }

    private static func reason(_ candidate: Candidate, _ report: ProbeReport) -> String {
        "\(candidate.address): \(report.outcome.reason)"
    }

    private static func sights(_ candidates: [(candidate: Candidate, report: ProbeReport?)]) -> [Sight] {
        var looks: [VerdictSite: (sight: Sight, position: Int)] = [:]
        for case (let candidate, let report?) in candidates {
            let sight = Sight(
                candidate.service.map(VerdictSite.Owner.service) ?? .name(candidate.name), region: candidate.region,
                address: candidate.address, up: report.up,
                reason: report.up ? "" : reason(candidate, report).clipped(to: 400))
            if let known = looks[sight.site] {
                // Names of one service share an address: it is up when it answers all of them.
                if known.sight.up, !sight.up { looks[sight.site] = (sight, known.position) }
            } else {
                looks[sight.site] = (sight, looks.count)
            }
        }
        return looks.values.sorted { $0.position < $1.position }.map(\.sight)
    }

    /// How many addresses a node of `snapshot` looks at.
    static func count(_ snapshot: Snapshot, _ node: NodeID) -> Int { targets(snapshot, node).count }

    /// L7 or L4 nodes of one region that look at others. A region has one vote, and two of them outlive one.
    private static let lookouts = 2

    /// Whether `node` looks at addresses: DNS nodes do, and so do the first two L7 nodes of each region; where a region has
    /// neither, its first two L4 nodes. Who takes no part in federation has nobody to tell.
    static func isVantage(_ snapshot: Snapshot, _ node: NodeID) -> Bool {
        let me = snapshot[node]
        if me.tier == .dns { return true }
        guard me.federation != nil else { return false }
        let near = snapshot.nodes.filter { $0.region == me.region && $0.federation != nil }
        if me.tier == .l4, near.contains(where: { $0.tier != .l4 }) { return false }
        return near.filter { $0.tier == me.tier }.prefix(lookouts).contains { $0.name == me.name }
    }

    /// Names whose checks `node` makes.
    static func names(_ snapshot: Snapshot, _ node: NodeID) -> [DynamicName] {
        isVantage(snapshot, node)
            ? snapshot.dns.zones.flatMap(\.names).filter { !looks($0, snapshot, node).isEmpty } : []
    }

    private static func looks(_ name: DynamicName, _ snapshot: Snapshot, _ node: NodeID) -> [DynamicName.LookedAt] {
        let me = snapshot[node]
        // A name without a service is judged by each DNS node for itself.
        return name.lookedAt.filter { me.tier == .dns || ($0.service != nil && $0.region != me.region) }
    }

    private static func targets(_ snapshot: Snapshot, _ node: NodeID) -> [ProbeTarget<Candidate>] {
        names(snapshot, node).flatMap { name in
            looks(name, snapshot, node).compactMap { looked in
                name.check.map { check in
                    let id = Candidate(
                        name: name.name, service: looked.service.map { snapshot[$0].name },
                        region: snapshot[looked.region].name, address: looked.address)
                    return ProbeTarget(id: id, address: looked.address, check: check)
                }
            }
        }
    }
}
