import Health
import Model

/// A cluster's timeline as reports and the state file hold it.
struct WireTimeline: Codable {
    let pool: String
    let region: String
    /// Decimal: JSON numbers of other readers end at 2^53.
    let system: String
    let timeline: UInt32
    /// Milliseconds since the Unix epoch; absent when no operator accepted a lower one.
    let accepted: Int64?

    init(_ known: ClusterTimeline) {
        pool = known.key.pool
        region = known.key.region
        system = String(known.key.system)
        timeline = known.timeline
        accepted = known.accepted == 0 ? nil : known.accepted
    }

    /// Octets of a name of a pool or a region.
    private static let longestName = 255

    /// Nil when it says something impossible.
    private var known: ClusterTimeline? {
        guard let system = UInt64(system), String(system) == self.system, timeline > 0,
            WireOverride.times.contains(accepted ?? 0)
        else { return nil }
        for name in [pool, region] where name.utf8.count > Self.longestName || name != name.printable { return nil }
        return ClusterTimeline(
            ClusterTimeline.Key(pool: pool, region: region, system: system), timeline: timeline,
            accepted: accepted ?? 0)
    }

    /// Nil when one says something impossible, or there are too many, or two about the same.
    static func timelines(_ words: [WireTimeline]) -> [ClusterTimeline]? {
        let known = words.compactMap(\.known)
        guard known.count == words.count, known.count <= TimelineMemory.capacity,
            Set(known.map(\.key)).count == known.count
        else { return nil }
        return known
    }
}
