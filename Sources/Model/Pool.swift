/// A set of interchangeable endpoints in each region, with one way to choose and one way to check.
package struct Pool: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        case http
        case tcp
    }

    package let name: String
    package let kind: Kind
    package let service: ServiceID?
    package let balance: BalanceAlgorithm
    package let check: HealthCheck?
    package let ejection: EjectionPolicy?
    /// HTTP pools.
    package let retry: RetryPolicy
    package let timeouts: PoolTimeouts
    /// Idle upstream connections kept per worker (HTTP pools).
    package let keepalive: Int
    /// How connections to endpoints are watched while nothing moves on them.
    package let watch: Keepalive
    /// Endpoints of every region; `endpoints(in:)` narrows them.
    package let endpoints: [EndpointID]
    /// What happens to established connections when their endpoint goes down or loses its role (TCP pools).
    package let closeOnDown: Bool

    package init(
        name: String, kind: Kind, service: ServiceID?, balance: BalanceAlgorithm, check: HealthCheck?,
        ejection: EjectionPolicy?, timeouts: PoolTimeouts, keepalive: Int, watch: Keepalive = .standard,
        endpoints: [EndpointID],
        closeOnDown: Bool, retry: RetryPolicy = .standard
    ) {
        self.name = name
        self.kind = kind
        self.service = service
        self.balance = balance
        self.check = check
        self.ejection = ejection
        self.retry = retry
        self.timeouts = timeouts
        self.keepalive = keepalive
        self.watch = watch
        self.endpoints = endpoints
        self.closeOnDown = closeOnDown
    }
}

/// One server of a pool.
package struct Endpoint: Sendable, Hashable {
    package let pool: PoolID
    package let region: RegionID
    package let address: SocketAddress
    /// Relative share of traffic, 0 ... 65535; 0 takes none.
    package let weight: Int

    package init(pool: PoolID, region: RegionID, address: SocketAddress, weight: Int) {
        self.pool = pool
        self.region = region
        self.address = address
        self.weight = weight
    }
}

/// How an endpoint is chosen. Weights are honoured by every algorithm.
package enum BalanceAlgorithm: String, Sendable, Hashable, CaseIterable {
    case roundRobin
    case leastConnections
    case sourceHash
    case random
}

package struct PoolTimeouts: Sendable, Hashable {
    /// From connect() to an established connection.
    package let connect: Duration
    /// HTTP: from the last byte of the request to the first of the response; then between bytes.
    package let response: Duration
    /// Without a byte in either direction.
    package let idle: Duration

    package init(connect: Duration, response: Duration, idle: Duration) {
        self.connect = connect
        self.response = response
        self.idle = idle
    }
}

/// Passive health: an endpoint that fails real traffic leaves the pool for a while.
package struct EjectionPolicy: Sendable, Hashable {
    /// Consecutive failures that eject.
    package let failures: Int
    /// What counts as one.
    package let on: TrafficFailures
    /// First ejection; it doubles with each further one up to `maximum`.
    package let base: Duration
    package let maximum: Duration
    /// Never more than this share of the pool, in percent (0 ... 100).
    package let maximumShare: Int

    package init(
        failures: Int, base: Duration, maximum: Duration, maximumShare: Int, on: TrafficFailures = .noAnswer
    ) {
        self.failures = failures
        self.on = on
        self.base = base
        self.maximum = maximum
        self.maximumShare = maximumShare
    }
}
