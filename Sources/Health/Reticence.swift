package import Model

/// Whether a node may tell others that it cannot reach their regions. Whoever was cut off saw everybody fail, and goes on saying
/// so for as many checks as a return takes: after a partition of all, stale votes would make a majority. So a node that cannot
/// reach, or does not hear, more than half of the regions says nothing against others, nor goes by it, until it has heard them
/// for as long as its checks need to see them again. That a check passes is no mistake of a node that is cut off.
package struct Reticence: Sendable, Hashable {
    /// Since when it may be cut off; nil when it may speak.
    private var since: Timestamp?
    /// Since when it has heard more than half of the regions again.
    private var heardFrom: Timestamp?
    /// It waited, was heard, and sees what it saw: so it is.
    private var isSure = false

    package init() {}

    package var isReticent: Bool { since != nil }

    /// Takes what there is to go by at one moment.
    ///
    /// - Parameters:
    ///   - looks: what this node's own checks say.
    ///   - hearing: of the latest evaluation.
    ///   - own: this node's name.
    ///   - snapshot: the topology in force.
    ///   - map: of the same.
    ///   - now: the steady clock.
    package mutating func pass(
        _ looks: [Observation], _ hearing: Hearing, own: String, snapshot: Snapshot, map: ServiceMap, now: Timestamp
    ) {
        let isBlind = Self.isBlind(looks, hearing, own, snapshot, map)
        if !isBlind { isSure = false }
        if hearing.isCutOff || (isBlind && !isSure), since == nil {
            since = now
            heardFrom = nil
        }
        guard let since else { return }
        // Heard after that, and all the time since.
        let lately = max(since + .milliseconds(1), now - snapshot.federation.interval * 3)
        guard !hearing.isCutOff, hearing.hearsMajority(since: lately) else {
            heardFrom = nil
            return
        }
        let from = heardFrom ?? now
        heardFrom = from
        let returning = map.paces.values.map(\.returning).max() ?? .zero
        guard now - from >= returning + snapshot.federation.interval else { return }
        self.since = nil
        heardFrom = nil
        isSure = isBlind
    }

    /// Whether its checks reach no more than half of the regions, its own included.
    private static func isBlind(
        _ looks: [Observation], _ hearing: Hearing, _ own: String, _ snapshot: Snapshot, _ map: ServiceMap
    ) -> Bool {
        guard let home = map.nodeRegions[own] else { return false }
        var reached: [String: Bool] = [:]
        for look in looks { reached[look.region] = reached[look.region] == true || look.up }
        let others = reached.filter { name, _ in
            snapshot.region(named: name).map { $0 != home && hearing.counts($0) } ?? false
        }
        // Of one other region it cannot be told who broke.
        guard others.count >= 2 else { return false }
        return (1 + others.values.count { $0 }) * 2 <= 1 + others.count
    }

    /// What it may say: all of it, or nothing against other regions.
    ///
    /// - Parameters:
    ///   - looks: what its checks say.
    ///   - home: the node's region.
    /// - Returns: those that may be told.
    package func told(_ looks: [Observation], home: String) -> [Observation] {
        isReticent ? looks.filter { $0.region == home || $0.up } : looks
    }

    /// The same of addresses. Names without a service are no other node's business.
    ///
    /// - Parameters:
    ///   - sights: what its checks say.
    ///   - home: the node's region.
    /// - Returns: those that it may go by.
    package func told(_ sights: [Sight], home: String) -> [Sight] {
        guard isReticent else { return sights }
        return sights.filter { sight in
            if case .name = sight.owner { return true }
            return sight.region == home || sight.up
        }
    }
}
