package import Model

/// The highest timelines that servers ever told, whatever became of the servers: they may be down, gone from the topology or
/// not looked at yet since a restart. Merging is idempotent, commutative and associative, so that nodes can exchange it.
package struct TimelineMemory: Sendable, Hashable {
    /// Of so many at most. Those whose servers told theirs last stay.
    package static let capacity = 256
    /// Of one pool in one region. A server that tells another cluster each time pushes out its own pool's alone.
    package static let poolCapacity = 16

    /// Those that servers of this node told last come first.
    private(set) package var entries: [ClusterTimeline] = []

    package init() {}

    /// Takes what was saved, as far as there is room.
    package init(_ entries: some Sequence<ClusterTimeline>) { merge(entries) }

    /// Sorted, so that equal knowledge looks equal.
    package var sorted: [ClusterTimeline] { entries.sorted { $0.key < $1.key } }

    package subscript(_ key: ClusterTimeline.Key) -> ClusterTimeline? { entries.first { $0.key == key } }

    /// What counts for `key`: what is known of it or, for a pool that is new, of the cluster in pools that the topology no
    /// longer has, since a pool that was given another name has the databases that it had. `pools` are those that it has.
    package func inForce(for key: ClusterTimeline.Key, pools: Set<String>) -> ClusterTimeline? {
        if let own = self[key] { return own }
        if key.system == 0 { return nil }
        var best: ClusterTimeline?
        for entry in entries where entry.key.system == key.system && entry.key.region == key.region {
            if pools.contains(entry.key.pool) { continue }
            if best.map({ entry.outdoes($0) }) ?? true { best = entry }
        }
        return best.map { ClusterTimeline(key, timeline: $0.timeline, accepted: $0.accepted) }
    }

    /// Takes what a server told.
    ///
    /// - Returns: whether more is known than before.
    @discardableResult
    package mutating func learn(_ timeline: UInt32, of key: ClusterTimeline.Key, pools: Set<String>) -> Bool {
        guard timeline > 0 else { return false }
        let known = inForce(for: key, pools: pools)
        let old = self[key]
        let new = ClusterTimeline(
            key, timeline: max(timeline, known?.timeline ?? 0), accepted: known?.accepted ?? 0)
        put(new)
        return new != old
    }

    /// What counts for the servers of `pool` in `region`, by system identifier.
    package func known(in pool: String, _ region: String, pools: Set<String>) -> [UInt64: UInt32] {
        var known: [UInt64: UInt32] = [:]
        for system in Set(entries.lazy.filter { $0.key.region == region }.map(\.key.system)) {
            let key = ClusterTimeline.Key(pool: pool, region: region, system: system)
            known[system] = inForce(for: key, pools: pools)?.timeline
        }
        return known
    }

    /// Takes an operator's word that `timeline` is the one to go by, though a higher one was told.
    ///
    /// - Returns: what stands from now on.
    package mutating func accept(
        _ timeline: UInt32, of key: ClusterTimeline.Key, pools: Set<String>, now: Timestamp
    ) -> ClusterTimeline {
        let before = inForce(for: key, pools: pools)?.accepted ?? 0
        let entry = ClusterTimeline(key, timeline: timeline, accepted: max(now.milliseconds, before + 1))
        put(entry)
        return entry
    }

    /// Puts `entry` first and the least lately told out where there are too many.
    private mutating func put(_ entry: ClusterTimeline) {
        let key = entry.key
        entries.removeAll { $0.key == key }
        entries.insert(entry, at: 0)
        let isOfPool = { (each: ClusterTimeline) in each.key.pool == key.pool && each.key.region == key.region }
        if entries.count(where: isOfPool) > Self.poolCapacity, let last = entries.lastIndex(where: isOfPool) {
            entries.remove(at: last)
        }
        if entries.count > Self.capacity { entries.removeLast() }
    }

    /// Takes what others know, or what was saved. Never makes room: what servers of this node told stays.
    ///
    /// - Returns: what was news.
    @discardableResult
    package mutating func merge(_ others: some Sequence<ClusterTimeline>) -> [ClusterTimeline] {
        var news: [ClusterTimeline] = []
        for other in others where other.timeline > 0 {
            if let index = entries.firstIndex(where: { $0.key == other.key }) {
                guard other.outdoes(entries[index]) else { continue }
                entries[index] = other
            } else if entries.count < Self.capacity {
                entries.append(other)
            } else {
                continue
            }
            news.append(other)
        }
        return news
    }
}
