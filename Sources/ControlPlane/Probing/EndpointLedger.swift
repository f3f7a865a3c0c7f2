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
        /// Stays when servers and pools go.
        var timelines = TimelineMemory()
        var region = ""
        /// All pools of the topology, other tiers' included.
        var pools: Set<String> = []

        func database(_ slot: Int) -> DatabaseStanding? {
            guard let place = places[slot], place.database != nil, let group = groups[place.pool] else { return nil }
            return DatabaseStanding(
                pool: place.pool, address: place.address, slot: slot, standing: group.standing(slot),
                timeline: group.timeline(slot))
        }

        /// Remembers what the server at `slot` told, before anything is decided by it.
        mutating func learn(
            _ facts: ReplicationFacts?, at slot: Int, _ pool: String, _ group: inout ReplicationGroup
        ) {
            guard let facts, let timeline = facts.timeline ?? group.timeline(slot) else { return }
            let system = facts.system ?? group.system(slot) ?? 0
            let key = ClusterTimeline.Key(pool: pool, region: region, system: system)
            guard timelines.learn(timeline, of: key, pools: pools) else { return }
            group.remembered = timelines.known(in: pool, region, pools: pools)
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

    /// `places` are in `region`; `pools` are all that the topology has.
    func replace(_ places: [Place], region: String, pools: Set<String>) {
        state.withLock { state in
            (state.region, state.pools) = (region, pools)
            state.places = Dictionary(places.map { ($0.slot, $0) }) { first, _ in first }
            state.order = places.map(\.slot)
            state.reports = state.reports.filter { state.places[$0.key]?.check != nil }
            state.checks = state.checks.filter { state.places[$0.key]?.check != nil }
            var groups: [String: ReplicationGroup] = [:]
            for (pool, members) in Dictionary(grouping: places.filter { $0.database != nil }, by: \.pool) {
                var group = state.groups[pool] ?? ReplicationGroup()
                group.keep(members.map(\.slot), maximumLag: members.first?.database?.maximumLag)
                group.remembered = state.timelines.known(in: pool, region, pools: pools)
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
            state.learn(report.outcome.replication, at: slot, place.pool, &group)
            let moved = group.record(
                slot, isUp: report.up, role: report.role, facts: report.outcome.replication, now: .monotonic)
            state.groups[place.pool] = group
            if case .replica(let lag, _) = group.standing(slot) { report.outcome.lag = lag?.time }
            state.reports[slot] = report
            return show(moved, of: group, since: old, reported: slot, &state)
        }
        for change in changes { changed(change) }
    }

    /// Writes into the table what the members of `group` that `moved` may be used for, and says what is to be told. `old` are
    /// the standings before; `reported` is whose report it was that came, if one did.
    private func show(
        _ moved: [Int], of group: ReplicationGroup, since old: [Int: ReplicationGroup.Standing], reported: Int?,
        _ state: inout State
    ) -> [EndpointProbing.Change] {
        // Those that may be used for less come first, so that nobody sees two primaries at once.
        let touched = Set(moved).union(reported.map { [$0] } ?? []).sorted { first, _ in
            group.standing(first) != .writer
        }
        for each in touched {
            guard let report = state.reports[each] else { continue }
            write(report, group.standing(each), at: each)
            guard report.outcome.up, let role = report.role, let place = state.places[each] else { continue }
            let trouble = ReplicationWords.trouble(group.standing(each), place.database?.maximumLag, pool: place.pool)
            if trouble != nil || !report.outcome.keepsRole {
                state.reports[each]?.outcome.reason = trouble ?? role.rawValue
            }
        }
        return touched.compactMap { each in
            guard let place = state.places[each], let last = state.reports[each] else { return nil }
            let (before, after) = (old[each] ?? .none, group.standing(each))
            guard (each == reported && last.changed) || !before.isLike(after) else { return nil }
            return Self.change(place, last, after)
        }
    }

    private static func change(
        _ place: Place, _ report: ProbeReport, _ standing: ReplicationGroup.Standing
    ) -> EndpointProbing.Change {
        var isFenced = false
        if case .fenced = standing { isFenced = true }
        return EndpointProbing.Change(
            pool: place.pool, address: place.address, slot: place.slot, report: report,
            trouble: ReplicationWords.trouble(standing, place.database?.maximumLag, pool: place.pool),
            isFenced: isFenced)
    }

    // MARK: - Timelines

    var timelines: TimelineMemory { state.withLock { $0.timelines } }

    /// - Returns: what was news.
    func merge(_ others: [ClusterTimeline]) -> [ClusterTimeline] {
        if others.isEmpty { return [] }
        let (news, changes) = state.withLock { state in
            let news = state.timelines.merge(others)
            return (news, news.isEmpty ? [] : decideAnew(&state, news))
        }
        for change in changes { changed(change) }
        return news
    }

    /// Takes an operator's word that the servers of `pool` at `timeline` are to be written to, though a later one was told.
    func acceptTimeline(_ timeline: UInt32, pool: String, now: Timestamp) -> TimelineAcceptance {
        let (answer, changes) = state.withLock { state -> (TimelineAcceptance, [EndpointProbing.Change]) in
            guard let group = state.groups[pool] else {
                return (.noDatabases(pools: state.groups.keys.sorted()), [])
            }
            let members = state.order.filter { state.places[$0]?.pool == pool && state.places[$0]?.database != nil }
            let fenced = members.filter { group.isFencedByTimeline($0) }
            let meant = fenced.filter { group.timeline($0) == timeline }
            if meant.isEmpty {
                return (.noSuchPrimary(fenced: Set(fenced.compactMap { group.timeline($0) }).sorted()), [])
            }
            var systems = Set(meant.map { group.system($0) ?? 0 })
            // A server that does not tell its cluster may be of any.
            if systems.contains(0) { systems.formUnion(members.compactMap { group.system($0) }) }
            let rival = members.first { member in
                let isRelated = group.system(member).map(systems.contains) ?? true
                return isRelated && group.isUp(member) && (group.timeline(member) ?? 0) > timeline
            }
            if let rival, let place = state.places[rival] {
                return (.isThere(place.address, timeline: group.timeline(rival) ?? 0), [])
            }
            let accepted = systems.sorted().map { system in
                let key = ClusterTimeline.Key(pool: pool, region: state.region, system: system)
                return state.timelines.accept(timeline, of: key, pools: state.pools, now: now)
            }
            return (.accepted(accepted), decideAnew(&state, accepted))
        }
        for change in changes { changed(change) }
        return answer
    }

    /// Has the groups go by `state.timelines`, of which `news` are new.
    private func decideAnew(_ state: inout State, _ news: [ClusterTimeline]) -> [EndpointProbing.Change] {
        var changes: [EndpointProbing.Change] = []
        for (pool, group) in state.groups {
            var group = group
            group.remembered = state.timelines.known(in: pool, state.region, pools: state.pools)
            for entry in news where entry.key.pool == pool && entry.key.region == state.region {
                group.forget(above: entry.timeline, of: entry.key.system)
            }
            let old = state.order.reduce(into: [:]) { $0[$1] = group.standing($1) }
            let moved = group.decideAnew()
            state.groups[pool] = group
            changes += show(moved, of: group, since: old, reported: nil, &state)
        }
        return changes
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

extension ReplicationGroup {
    /// Whether it calls itself primary and a later timeline is known.
    fileprivate func isFencedByTimeline(_ id: Int) -> Bool {
        switch standing(id) {
        case .fenced(.olderTimeline), .fenced(.pastTimeline): true
        default: false
        }
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
