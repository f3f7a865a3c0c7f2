package import Model

/// What came of an operator's wish to have a lower timeline accepted.
package enum TimelineAcceptance: Sendable, Hashable {
    case accepted([ClusterTimeline])
    /// This node checks no databases of such a pool, but of these.
    case noDatabases(pools: [String])
    /// No primary is fenced off for that timeline, but for these.
    case noSuchPrimary(fenced: [UInt32])
    /// A server that is up has a later one: the word would not count for a second.
    case isThere(SocketAddress, timeline: UInt32)
}
