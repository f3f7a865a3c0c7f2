package import Model

/// The databases of one pool that one node checks: which of them is written to, and how far the replicas are behind.
///
/// Never two servers are written to at once. Of several that call themselves primary, the one with the highest timeline
/// has the latest promotion behind it and is taken; with equal timelines the one that was known first stays, and where
/// none was, the first of the topology. A primary whose timeline is lower than one that any server of the pool ever told,
/// be it down, gone from the topology or from before a restart, is a leftover from before a failover, even when it is alone.
package struct ReplicationGroup: Sendable {
    /// What one server may be used for.
    package enum Standing: Sendable, Hashable {
        /// Down, or a server whose check learns no role.
        case none
        /// The primary to write to.
        case writer
        /// Calls itself primary and must not be written to.
        case fenced(Reason)
        /// `isLate` when it is further behind than allowed, or nobody knows how far.
        case replica(Lag?, isLate: Bool)
    }

    package enum Reason: Sendable, Hashable, CustomStringConvertible {
        case olderTimeline(UInt32?, than: UInt32)
        /// No server that is up has the later one.
        case pastTimeline(UInt32?, than: UInt32)
        case second(timeline: UInt32?)

        package var description: String {
            switch self {
            case .olderTimeline(let own?, let highest): "a primary of timeline \(own), while \(highest) is known"
            case .olderTimeline(nil, let highest): "a primary of no known timeline, while \(highest) is known"
            case .pastTimeline(let own, let highest):
                "a primary of \(own.map { "timeline \($0)" } ?? "no known timeline"), while \(highest) was known, of a server"
                    + " that is down or gone"
            case .second(let own?): "a second primary of timeline \(own)"
            case .second(nil): "a second primary of no known timeline"
            }
        }
    }

    private struct Member {
        var isUp = false
        var role: Role?
        var timeline: UInt32?
        var system: UInt64?
        var lag = ReplicaLag()
        var written = PositionHistory()
        var standing = Standing.none
        var lastLag: Lag?
    }

    /// The members' names in the order of the topology.
    private var order: [Int] = []
    private var members: [Int: Member] = [:]
    private var maximumLag: Duration?
    /// The highest timelines that servers of this pool ever told, by system identifier; 0 stands for those that tell none.
    package var remembered: [UInt64: UInt32] = [:]
    private(set) package var writer: Int?

    package init() {}

    /// Exactly `order` are members from now on; those that stay keep their history.
    package mutating func keep(_ order: [Int], maximumLag: Duration?) {
        self.order = order
        self.maximumLag = maximumLag
        members = members.filter { order.contains($0.key) }
        for id in order where members[id] == nil { members[id] = Member() }
        if let writer, members[writer] == nil { self.writer = nil }
    }

    package func standing(_ id: Int) -> Standing { members[id]?.standing ?? .none }
    package func timeline(_ id: Int) -> UInt32? { members[id]?.timeline }
    /// Nil when it never told.
    package func system(_ id: Int) -> UInt64? { members[id]?.system }
    package func isUp(_ id: Int) -> Bool { members[id]?.isUp ?? false }
    /// Servers that are up and call themselves primary, those included that are not written to.
    package var primaries: Int { members.values.count { $0.isUp && $0.role == .primary } }

    /// Takes what a look at `id` came to.
    ///
    /// - Parameters:
    ///   - id: whom it was about.
    ///   - isUp: by the check's rise and fall.
    ///   - role: what it is believed to be; nil when it is down or says nothing.
    ///   - facts: what it said in this look; nil when it failed.
    ///   - now: on a clock that never goes back.
    /// - Returns: the members whose standing changed, `id` among them if its did.
    package mutating func record(
        _ id: Int, isUp: Bool, role: Role?, facts: ReplicationFacts?, now: Timestamp
    ) -> [Int] {
        guard var member = members[id] else { return [] }
        (member.isUp, member.role) = (isUp, role)
        if let facts {
            // What a server cannot tell this time it was told before.
            member.timeline = facts.timeline ?? member.timeline
            member.system = facts.system ?? member.system
            if !facts.isReplica, let written = facts.written { member.written.record(written, at: now) }
        }
        members[id] = member
        let before = members.mapValues(\.standing)
        elect()
        if let facts, facts.isReplica, isUp {
            let primary = writer.flatMap { members[$0]?.written }
            let lag = members[id]?.lag.record(facts, primary: primary, now: now)
            members[id]?.lastLag = lag
        }
        judge()
        return order.filter { members[$0]?.standing != before[$0] }
    }

    /// Decides anew after `remembered` was changed.
    ///
    /// - Returns: the members whose standing changed.
    package mutating func decideAnew() -> [Int] {
        let before = members.mapValues(\.standing)
        elect()
        judge()
        return order.filter { members[$0]?.standing != before[$0] }
    }

    /// Has what members that are down told of their timelines forgotten, where it is more than `timeline`: those of the cluster
    /// `system`, and those that do not tell theirs.
    package mutating func forget(above timeline: UInt32, of system: UInt64) {
        for (id, member) in members where !member.isUp {
            guard system == 0 || member.system == nil || member.system == system else { continue }
            if let own = member.timeline, own > timeline { members[id]?.timeline = nil }
        }
    }

    // MARK: - Deciding

    private mutating func elect() {
        let candidates = order.filter { isPrimary($0) && later(than: $0) == nil }
        let highest = candidates.map { members[$0]?.timeline ?? 0 }.max()
        let best = candidates.filter { (members[$0]?.timeline ?? 0) == highest }
        if let writer, best.contains(writer) { return }
        writer = best.first
    }

    private func isPrimary(_ id: Int) -> Bool {
        guard let member = members[id] else { return false }
        return member.isUp && member.role == .primary
    }

    private mutating func judge() {
        for each in order {
            let standing = judged(each)
            members[each]?.standing = standing
        }
    }

    /// The highest timeline that other servers of the same database told; of those only that are up, if `isUp`.
    private func highestTimeline(besides id: Int, isUp: Bool = false) -> UInt32? {
        let own = members[id]?.system
        return members.compactMap { other, member in
            let related = own == nil || member.system == nil || member.system == own
            return other != id && related && (member.isUp || !isUp) ? member.timeline : nil
        }.max()
    }

    /// The highest timeline that was ever told of the database of `id`.
    private func highestRemembered(_ id: Int) -> UInt32? {
        if let own = members[id]?.system { return remembered[own] }
        return members.values.compactMap { remembered[$0.system ?? 0] }.max()
    }

    /// The timeline that makes `id` a leftover; nil when it is none.
    private func later(than id: Int) -> UInt32? {
        let highest = max(highestTimeline(besides: id) ?? 0, highestRemembered(id) ?? 0)
        return (members[id]?.timeline ?? 0) < highest ? highest : nil
    }

    private func judged(_ id: Int) -> Standing {
        guard let member = members[id], member.isUp, let role = member.role else { return .none }
        switch role {
        case .any: return .none
        case .primary:
            if id == writer { return .writer }
            if let later = later(than: id) {
                let isThere = highestTimeline(besides: id, isUp: true).map { $0 >= later } ?? false
                return .fenced(
                    isThere
                        ? .olderTimeline(member.timeline, than: later) : .pastTimeline(member.timeline, than: later))
            }
            return .fenced(.second(timeline: member.timeline))
        case .replica:
            guard let maximumLag else { return .replica(member.lastLag, isLate: false) }
            return .replica(member.lastLag, isLate: member.lastLag.map { $0.time > maximumLag } ?? true)
        }
    }
}
