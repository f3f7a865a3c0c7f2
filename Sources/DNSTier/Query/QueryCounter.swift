/// What a worker counts. Raw values are positions in its counter block.
package enum QueryCounter: Int, CaseIterable {
    case udp
    case tcp
    /// Not answered: no header, or a reply.
    case dropped
    case noError
    case formatError
    case nameError
    case notImplemented
    case refused
    case badVersion
    case otherCode
    case truncated
    case edns
    /// Queries with a client subnet.
    case subnet
    /// Answers that steering chose.
    case dynamic
    case connections
    case connectionsRefused
    case connectionsTimedOut
    /// Connections with answers that the client has not taken: a gauge.
    case busyConnections
}
