import Engine
package import Health
package import Model
import Synchronization

/// A database as its pool sees it.
package struct DatabaseStanding: Sendable, Hashable {
    package let pool: String
    package let address: SocketAddress
    package let slot: Int
    package let standing: ReplicationGroup.Standing
    package let timeline: UInt32?
}

/// The last report on each endpoint, and the only writer of health into the table.
final class EndpointLedger: Sendable {
    struct Place: Sendable {
        let slot: Int
        let pool: String
        let address: SocketAddress
        let check: HealthCheck?

        /// Nil when the check learns no roles.
        var database: PostgreSQLProbe? {
            guard case .postgresql(let probe) = check?.probe else { return nil }
            return probe
        }
    }

    private struct State {
        var places: [Int: Place] = [:]
        var order: [Int] = []
        var reports: [Int: ProbeReport] = [:]
        var checks: [Int: EndpointProbing.Checks] = [:]
        /// By pool.
        var groups: [String: ReplicationGroup] = [:]

        func database(_ slot: Int) -> DatabaseStanding? {
            guard let place = places[slot], place.database != nil, let group = groups[place.pool] else { return nil }
            return DatabaseStanding(
                pool: place.pool, address: place.address, slot: slot, standing: group.standing(slot),
                timeline: group.timeline(slot))
        }

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

    func replace(_ places: [Place]) {
        state.withLock { state in
            state.places = Dictionary(places.map { ($0.slot, $0) }) { first, _ in first }
            state.order = places.map(\.slot)
            state.reports = state.reports.filter { state.places[$0.key]?.check != nil }
            state.checks = state.checks.filter { state.places[$0.key]?.check != nil }
            var groups: [String: ReplicationGroup] = [:]
            for (pool, members) in Dictionary(grouping: places.filter { $0.database != nil }, by: \.pool) {
                var group = state.groups[pool] ?? ReplicationGroup()
                group.keep(members.map(\.slot), maximumLag: members.first?.database?.maximumLag)
                groups[pool] = group
            }
            state.groups = groups
            // Without a check an endpoint counts as up and has no role.
            for place in places where place.check == nil {
                table.insert(.up, at: place.slot)
                table.remove([.primary, .replica, .late, .fenced], at: place.slot)
                table.setLag(0, at: place.slot)
            }
        }
    }

    func report(_ slot: Int) -> ProbeReport? { state.withLock { $0.reports[slot] } }

    func checks(_ slot: Int) -> EndpointProbing.Checks? { state.withLock { $0.checks[slot] } }

    var databases: [DatabaseStanding] {
        state.withLock { state in state.order.compactMap { state.database($0) } }
    }

    func database(_ slot: Int) -> DatabaseStanding? { state.withLock { $0.database(slot) } }

    func accept(_ report: ProbeReport, at slot: Int) {
        let changes = state.withLock { state -> [EndpointProbing.Change] in
            // A report that was under way when its endpoint left the topology.
            guard let place = state.places[slot] else { return [] }
            state.note(report.outcome, at: slot)
            if report.outcome.up, report.outcome.connects, place.check?.isOf(port: place.address.port) == true {
                table.countPassedConnect(at: slot)
            }
            var report = report
            guard place.database != nil, var group = state.groups[place.pool] else {
                state.reports[slot] = report
                write(report, .none, at: slot)
                return report.changed ? [Self.change(place, report, .none)] : []
            }
            let old = state.order.reduce(into: [:]) { $0[$1] = group.standing($1) }
            let moved = group.record(
                slot, isUp: report.up, role: report.role, facts: report.outcome.replication, now: .monotonic)
            state.groups[place.pool] = group
            if case .replica(let lag, _) = group.standing(slot) { report.outcome.lag = lag?.time }
            state.reports[slot] = report
            // Those that may be used for less come first, so that nobody sees two primaries at once.
            let touched = Set(moved).union([slot]).sorted { first, _ in group.standing(first) != .writer }
            for each in touched {
                guard let report = state.reports[each] else { continue }
                write(report, group.standing(each), at: each)
                guard report.outcome.up, let role = report.role, let place = state.places[each] else { continue }
                let trouble = ReplicationWords.trouble(group.standing(each), place.database?.maximumLag)
                if trouble != nil || !report.outcome.keepsRole {
                    state.reports[each]?.outcome.reason = trouble ?? role.rawValue
                }
            }
            return touched.compactMap { each in
                guard let place = state.places[each], let last = state.reports[each] else { return nil }
                let (before, after) = (old[each] ?? .none, group.standing(each))
                guard (each == slot && report.changed) || !before.isLike(after) else { return nil }
                return Self.change(place, last, after)
            }
        }
        for change in changes { changed(change) }
    }

    private static func change(
        _ place: Place, _ report: ProbeReport, _ standing: ReplicationGroup.Standing
    ) -> EndpointProbing.Change {
        var isFenced = false
        if case .fenced = standing { isFenced = true }
        return EndpointProbing.Change(
            pool: place.pool, address: place.address, slot: place.slot, report: report,
            trouble: ReplicationWords.trouble(standing, place.database?.maximumLag), isFenced: isFenced)
    }

    private func write(_ report: ProbeReport, _ standing: ReplicationGroup.Standing, at slot: Int) {
        var wanted: EndpointState = report.up ? .up : []
        var lag: UInt64 = 0
        switch standing {
        case .none: break
        case .writer: wanted.insert(.primary)
        case .fenced: wanted.insert(.fenced)
        case .replica(let seen, let isLate):
            wanted.formUnion(isLate ? [.replica, .late] : .replica)
            lag = seen.map { UInt64(clamping: $0.time.milliseconds) } ?? .max
        }
        table.setLag(lag, at: slot)
        let all: EndpointState = [.up, .primary, .replica, .late, .fenced]
        // First what it no longer is, so that nobody sees two roles at once.
        table.remove(all.subtracting(wanted), at: slot)
        table.insert(wanted.union(.checked), at: slot)
    }
}

extension ReplicationGroup.Standing {
    /// Whether both mean the same use, whatever the lag.
    fileprivate func isLike(_ other: Self) -> Bool {
        switch (self, other) {
        case (.none, .none), (.writer, .writer), (.fenced, .fenced): true
        case (.replica(_, let first), .replica(_, let second)): first == second
        default: false
        }
    }
}
