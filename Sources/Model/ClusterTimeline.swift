/// The highest timeline that a pool's servers in one region told of a PostgreSQL cluster: what makes a primary of a lower
/// one a leftover from before a failover.
///
/// It belongs to the pool and its region, not to the cluster alone: a copy that was promoted to be a database of its own has
/// the same system identifier, and says nothing about the original.
package struct ClusterTimeline: Sendable, Hashable {
    /// What it is about.
    package struct Key: Sendable, Hashable, Comparable {
        package var pool: String
        package var region: String
        /// The same in all servers that descend from one initdb; 0 for servers that do not tell theirs.
        package var system: UInt64

        package init(pool: String, region: String, system: UInt64) {
            self.pool = pool
            self.region = region
            self.system = system
        }

        package static func < (first: Self, second: Self) -> Bool {
            (first.pool, first.region, first.system) < (second.pool, second.region, second.system)
        }
    }

    package var key: Key
    /// From 1.
    package var timeline: UInt32
    /// When an operator last accepted a lower timeline, in milliseconds since the Unix epoch; 0 when none did. What was told
    /// before that counts no more.
    package var accepted: Int64

    package init(_ key: Key, timeline: UInt32, accepted: Int64 = 0) {
        self.key = key
        self.timeline = timeline
        self.accepted = accepted
    }

    /// Whether it is later knowledge than `other`, which is about the same: by the operator's word, then by the timeline.
    package func outdoes(_ other: Self) -> Bool {
        (accepted, timeline) > (other.accepted, other.timeline)
    }
}
