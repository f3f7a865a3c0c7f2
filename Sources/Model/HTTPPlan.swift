/// What the L7 nodes listen on and where requests go.
package struct HTTPPlan: Sendable, Hashable {
    package let listeners: [HTTPListener]
    package let routes: [HTTPRoute]

    package init(listeners: [HTTPListener], routes: [HTTPRoute]) {
        self.listeners = listeners
        self.routes = routes
    }
}

package struct HTTPListener: Sendable, Hashable {
    package let name: String
    /// On the address of every L7 node.
    package let port: UInt16
    package let limits: HTTPLimits
    package let timeouts: HTTPListenerTimeouts
    /// How clients are watched while nothing moves on their connection.
    package let keepalive: Keepalive
    /// Peers that are believed about who the client is, and how and for which host it asked.
    package let trustedProxies: [IPPrefix]
    /// What becomes of octets in a target that clients should have percent-encoded.
    package let rawTargets: RawTargets

    package enum RawTargets: String, Sendable, Hashable, CaseIterable {
        /// UTF-8 beyond ASCII goes on percent-encoded.
        case encode
        /// 400.
        case refuse
    }

    package init(
        name: String, port: UInt16, limits: HTTPLimits, timeouts: HTTPListenerTimeouts,
        keepalive: Keepalive = .standard, trustedProxies: [IPPrefix] = [], rawTargets: RawTargets = .encode
    ) {
        self.trustedProxies = trustedProxies
        self.rawTargets = rawTargets
        self.name = name
        self.port = port
        self.limits = limits
        self.timeouts = timeouts
        self.keepalive = keepalive
    }
}

package struct HTTPLimits: Sendable, Hashable {
    /// Octets of request line and header fields together; more is 431 (or 414 when the target alone is too long).
    package let headSize: Int
    /// Header fields; more is 431.
    package let headerCount: Int
    /// Octets of a request body; more is 413. Nil is unlimited (bodies are streamed).
    package let bodySize: Int?
    /// Client connections per worker; more are closed at once. 20,000 where nothing else is asked for.
    package var connections: Int { askedConnections ?? 20_000 }
    /// What the topology asks for; nil for as many as there are descriptors for.
    package let askedConnections: Int?

    package init(headSize: Int, headerCount: Int, bodySize: Int?, connections: Int?) {
        self.headSize = headSize
        self.headerCount = headerCount
        self.bodySize = bodySize
        askedConnections = connections
    }
}

package struct HTTPListenerTimeouts: Sendable, Hashable {
    /// From the first octet of a request to the end of its head; longer is 408.
    package let head: Duration
    /// Without progress of a body in either direction.
    package let body: Duration
    /// Between requests.
    package let keepalive: Duration

    package init(head: Duration, body: Duration, keepalive: Duration) {
        self.head = head
        self.body = body
        self.keepalive = keepalive
    }
}

/// A route: the most specific one that matches wins. An exact host beats a `*.suffix` (longest first) beats any host;
/// within a host an exact path beats a prefix, and longer prefixes beat shorter ones.
package struct HTTPRoute: Sendable, Hashable {
    package enum Host: Sendable, Hashable {
        case any
        /// Lower case, without a port.
        case exact(String)
        /// `.example.test`: any name below it.
        case suffix(String)
    }

    package enum Path: Sendable, Hashable {
        case exact(String)
        /// Whole segments: `/api` matches `/api` and `/api/x`, not `/apix`. `/` matches all.
        case prefix(String)
    }

    package let name: String
    package let host: Host
    package let path: Path
    package let pool: PoolID
    /// Protocols that a client may change its connection to (RFC 9110 section 7.8). Never h2c: its requests would pass
    /// unseen.
    package let upgrades: [String]

    package init(name: String, host: Host, path: Path, pool: PoolID, upgrades: [String] = ["websocket"]) {
        self.upgrades = upgrades
        self.name = name
        self.host = host
        self.path = path
        self.pool = pool
    }
}
