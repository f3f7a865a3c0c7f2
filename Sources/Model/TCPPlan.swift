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
    /// Client connections per worker; more are closed at once.
    package let connections: Int

    package init(name: String, port: UInt16, pool: PoolID, role: Role, connections: Int) {
        self.name = name
        self.port = port
        self.pool = pool
        self.role = role
        self.connections = connections
    }
}
