/// What the L4 nodes listen on.
package struct TCPPlan: Sendable, Hashable {
    package let listeners: [TCPListener]

    package init(listeners: [TCPListener]) { self.listeners = listeners }
}

package struct TCPListener: Sendable, Hashable {
    package let name: String
    /// On the address of every L4 node.
    package let port: UInt16
    package let pool: PoolID
    /// Only endpoints in this role are used.
    package let role: Role
    /// Client connections per worker; more are closed at once. 10,000 where nothing else is asked for.
    package var connections: Int { askedConnections ?? 10_000 }
    /// What the topology asks for; nil for as many as there are descriptors for.
    package let askedConnections: Int?
    /// How clients are watched while nothing moves on their connection.
    package let keepalive: Keepalive
    /// Where new sessions go when every replica is down or further behind than its check allows: to the primary, or, when
    /// this is false, to the replica that is least behind.
    package let fallsBackToPrimary: Bool

    package init(
        name: String, port: UInt16, pool: PoolID, role: Role, connections: Int?, keepalive: Keepalive = .standard,
        fallsBackToPrimary: Bool = false
    ) {
        self.fallsBackToPrimary = fallsBackToPrimary
        self.name = name
        self.port = port
        self.pool = pool
        self.role = role
        askedConnections = connections
        self.keepalive = keepalive
    }
}
