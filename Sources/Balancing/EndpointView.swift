/// The endpoints of one pool as a balancing algorithm sees them: positions `0 ..< count` in the order in which the
/// policy was built. A view is made for one pick and is read in place; all its answers must be cheap.
package protocol EndpointView {
    var count: Int { get }

    /// The endpoint's share of traffic, 0 ... 65535; 0 takes none.
    func weight(_ position: Int) -> Int

    /// Whether it may be chosen now: up, in the wanted role, not draining, not already tried for this connection.
    func usable(_ position: Int) -> Bool

    /// Requests or connections that it is serving for this node.
    func inFlight(_ position: Int) -> Int
}

/// Where the next pick of a rotating algorithm begins. Every worker keeps one per pool; starting them at different
/// places keeps the workers of a node from sending their first connections to the same endpoint.
package struct PickCursor: Sendable, Hashable {
    package var position: Int

    /// - Parameter start: any number; it is taken modulo the length of the policy's rotation.
    package init(startingAt start: UInt64 = 0) { position = Int(truncatingIfNeeded: start >> 1) }
}
