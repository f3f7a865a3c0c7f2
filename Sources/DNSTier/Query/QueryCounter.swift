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
    /// Queries with a cookie option, and those whose server part was good.
    case cookies
    case goodCookies
    case badCookie
    /// Replies over the rate limit: not sent, or sent as a truncated one.
    case rateDropped
    case rateSlipped
    /// Datagrams and connections without the PROXY header that their listener asks for, or from a stranger.
    case proxyRefused
    /// Answers that steering chose.
    case dynamic
    /// Of those, the ones that said that the health behind them is stale.
    case stale
    case connections
    case connectionsRefused
    /// TCP connections over the limit for one source.
    case sourceRefused
    case connectionsTimedOut
    /// Connections with answers that the client has not taken: a gauge.
    case busyConnections
}
