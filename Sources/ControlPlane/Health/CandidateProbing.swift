import Engine
package import Health
package import Model
import Synchronization

/// How a DNS node itself sees the addresses that its dynamic names answer with: one vantage point's votes.
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
        var reports: [Candidate: ProbeReport] = [:]
    }

    /// Shared with the probes' sink, which outlives no probe.
    private final class Ledger: Sendable {
        let state = Mutex(State())
    }

    private let ledger = Ledger()
    private let service: ProbeService<Candidate>

    /// `changed` is called, on any thread, when a candidate went up or down.
    package init(
        client: HTTPClient, waiter: SocketWaiter, secret: @escaping @Sendable (Secret) -> String?,
        changed: @escaping @Sendable (Candidate, ProbeReport) -> Void
    ) {
        let ledger = ledger
        service = ProbeService(client: client, waiter: waiter, secret: secret) { candidate, report in
            ledger.state.withLock { state in
                if state.candidates.contains(candidate) { state.reports[candidate] = report }
            }
            if report.changed { changed(candidate, report) }
        }
    }

    /// Probes what a DNS node of `snapshot` answers with; a node of another tier answers with nothing.
    package func update(_ snapshot: Snapshot, node: NodeID) {
        var targets: [ProbeTarget<Candidate>] = []
        if snapshot[node].tier == .dns {
            for name in snapshot.dns.zones.flatMap(\.names) { targets += Self.targets(name, snapshot) }
        }
        let candidates = targets.map(\.id)
        ledger.state.withLock { state in
            state.candidates = candidates
            state.reports = state.reports.filter { candidates.contains($0.key) }
        }
        service.update(targets)
    }

    package func stop() async { await service.stop() }

    package var candidates: [(candidate: Candidate, report: ProbeReport?)] {
        ledger.state.withLock { state in state.candidates.map { ($0, state.reports[$0]) } }
    }

    /// Whether every candidate was looked at.
    package var isSettled: Bool { candidates.allSatisfy { $0.report != nil } }

    /// One vote for each service and region that was looked at: up when each name that answers with the service has an
    /// address there that is up.
    package var observations: [Observation] {
        struct Site: Hashable {
            let service: String
            let region: String
        }
        var names: [Site: [String: [(Candidate, ProbeReport)]]] = [:]
        var order: [Site] = []
        for case (let candidate, let report?) in candidates {
            guard let service = candidate.service else { continue }
            let site = Site(service: service, region: candidate.region)
            if names[site] == nil { order.append(site) }
            names[site, default: [:]][candidate.name, default: []].append((candidate, report))
        }
        return order.map { site in
            let failing = (names[site] ?? [:]).values.filter { looks in !looks.contains { $0.1.up } }.flatMap { $0 }
            let reasons = failing.map { "\($0.0.address): \($0.1.outcome.reason)" }
            let reason = Set(reasons).sorted().prefix(4).joined(separator: "; ").clipped(to: 400)
            return Observation(service: site.service, region: site.region, up: failing.isEmpty, reason: reason)
        }
    }

    /// How names without a service look from here, by region: up when an address there is up.
    package var sights: [Sight] {
        struct Place: Hashable {
            let name: String
            let region: String
        }
        var looks: [Place: [(Candidate, ProbeReport)]] = [:]
        for case (let candidate, let report?) in candidates where candidate.service == nil {
            looks[Place(name: candidate.name, region: candidate.region), default: []].append((candidate, report))
        }
        return looks.map { place, looks in
            let isUp = looks.contains { $0.1.up }
            let reasons = isUp ? [] : Set(looks.map { "\($0.0.address): \($0.1.outcome.reason)" }).sorted()
            return Sight(
                name: place.name, region: place.region, up: isUp,
                reason: reasons.prefix(4).joined(separator: "; ").clipped(to: 400))
        }
    }

    /// How many addresses a node of `snapshot` looks at.
    static func count(_ snapshot: Snapshot, _ node: NodeID) -> Int {
        guard snapshot[node].tier == .dns else { return 0 }
        return snapshot.dns.zones.flatMap(\.names).reduce(0) { $0 + targets($1, snapshot).count }
    }

    private static func targets(_ name: DynamicName, _ snapshot: Snapshot) -> [ProbeTarget<Candidate>] {
        guard let check = name.check else { return [] }
        var targets: [ProbeTarget<Candidate>] = []
        for candidate in name.leaves {
            guard let region = candidate.region else { continue }
            for record in candidate.records where record.type == "A" || record.type == "AAAA" {
                guard let address = IPAddress(record.data) else { continue }
                let socket = SocketAddress(address, port: name.checkPort)
                let id = Candidate(
                    name: name.name, service: candidate.service.map { snapshot[$0].name },
                    region: snapshot[region].name, address: socket)
                targets.append(ProbeTarget(id: id, address: socket, check: check))
            }
        }
        return targets
    }
}
