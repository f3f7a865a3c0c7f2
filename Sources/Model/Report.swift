/// What one node knows, as it tells its peers. Names instead of ids: a report crosses topologies.
package struct Report: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        case starting
        case serving
        /// Takes no new traffic, by an operator's wish.
        case draining
        /// Said goodbye: it is stopping.
        case leaving
    }

    package var node: String
    package var tier: Tier
    package var region: String
    /// Milliseconds since the Unix epoch at the node's start: a restarted node wins over its past.
    package var incarnation: UInt64
    /// Grows by one with each report of an incarnation.
    package var sequence: UInt64
    package var issuedAt: Timestamp
    package var state: State
    /// `Snapshot.fingerprint` of the configuration in force.
    package var configuration: UInt64
    package var pools: [PoolFact]
    package var observations: [Observation]
    /// Operations per second over the last few seconds.
    package var rate: Double
    /// Every override that the node knows of, its own and others', so that all of them travel as long as anybody lives.
    package var overrides: [Override]
    /// The round trips of clients that the node measured lately; nil when there are none.
    package var roundTrips: RoundTripWindow?
    /// The highest timelines of databases that the node knows of, its own and others': so a promotion is not forgotten
    /// while anybody lives who heard of it.
    package var timelines: [ClusterTimeline]

    package init(
        node: String, tier: Tier, region: String, incarnation: UInt64, sequence: UInt64, issuedAt: Timestamp,
        state: State, configuration: UInt64, pools: [PoolFact], observations: [Observation], rate: Double,
        overrides: [Override] = [], roundTrips: RoundTripWindow? = nil, timelines: [ClusterTimeline] = []
    ) {
        self.node = node
        self.tier = tier
        self.region = region
        self.incarnation = incarnation
        self.sequence = sequence
        self.issuedAt = issuedAt
        self.state = state
        self.configuration = configuration
        self.pools = pools
        self.observations = observations
        self.rate = rate
        self.overrides = overrides
        self.roundTrips = roundTrips
        self.timelines = timelines
    }
}

/// What a node knows of one pool in its own region.
package struct PoolFact: Sendable, Hashable {
    package var pool: String
    package var service: String?
    package var up: Int
    package var total: Int
    /// Endpoints that are up, by role; both zero for pools without roles.
    package var primaries: Int
    package var replicas: Int
    package var inFlight: Int
    package var ratePerSecond: Double
    /// Failures among the operations of the last few seconds, 0 ... 1.
    package var errorRate: Double
    package var p50Milliseconds: Double
    package var p99Milliseconds: Double
    /// The endpoints that are not up: `127.0.1.1:5433: connection refused`. At most 8.
    package var troubles: [String]

    package init(
        pool: String, service: String?, up: Int, total: Int, primaries: Int = 0, replicas: Int = 0, inFlight: Int = 0,
        ratePerSecond: Double = 0, errorRate: Double = 0, p50Milliseconds: Double = 0, p99Milliseconds: Double = 0,
        troubles: [String] = []
    ) {
        self.pool = pool
        self.service = service
        self.up = up
        self.total = total
        self.primaries = primaries
        self.replicas = replicas
        self.inFlight = inFlight
        self.ratePerSecond = ratePerSecond
        self.errorRate = errorRate
        self.p50Milliseconds = p50Milliseconds
        self.p99Milliseconds = p99Milliseconds
        self.troubles = troubles
    }
}

/// What a node saw when it looked at a region's service from outside: one vote of a vantage point.
package struct Observation: Sendable, Hashable {
    package var service: String
    package var region: String
    package var up: Bool
    /// Why it is down; empty when it is up.
    package var reason: String
    /// The addresses there that did not answer, though the region may be up.
    package var down: [AddressTrouble]
    /// Whether every address that is not in `down` answered. False where who looks does not tell addresses apart, or
    /// has more to tell than a report holds: of those that are not named it says nothing.
    package var tellsAddresses: Bool

    package init(
        service: String, region: String, up: Bool, reason: String = "", down: [AddressTrouble] = [],
        tellsAddresses: Bool = false
    ) {
        self.service = service
        self.region = region
        self.up = up
        self.reason = reason
        self.down = down
        self.tellsAddresses = tellsAddresses
    }
}

/// An address that a node looked at and that did not answer as it should.
package struct AddressTrouble: Sendable, Hashable {
    package var address: SocketAddress
    package var reason: String

    package init(address: SocketAddress, reason: String) {
        self.address = address
        self.reason = reason
    }
}

/// Whether a service can be used in a region, and the facts that decided it.
package struct Verdict: Sendable, Hashable {
    package var service: ServiceID
    package var region: RegionID
    package var healthy: Bool
    /// 0 ... 1 of its fair share, below 1 while it returns after a failure.
    package var share: Double
    package var since: Timestamp
    /// True when it stands only because too many peers fell silent (fail-static).
    package var frozen: Bool
    /// True when it comes from before a restart and nothing has confirmed it yet.
    package var stale: Bool
    /// The operator's word that it follows, if any.
    package var forced: Override.Action?
    /// Until when flapping keeps it down, while it does.
    package var heldUntil: Timestamp?
    package var reasons: [Reason]

    package init(
        service: ServiceID, region: RegionID, healthy: Bool, share: Double = 1, since: Timestamp, frozen: Bool = false,
        stale: Bool = false, forced: Override.Action? = nil, heldUntil: Timestamp? = nil, reasons: [Reason]
    ) {
        self.service = service
        self.region = region
        self.healthy = healthy
        self.share = share
        self.since = since
        self.frozen = frozen
        self.stale = stale
        self.forced = forced
        self.heldUntil = heldUntil
        self.reasons = reasons
    }

    /// One fact of the chain. `depth` grows along `dependsOn`.
    package struct Reason: Sendable, Hashable {
        /// Who says so: a node's name.
        package var source: String
        package var text: String
        package var depth: Int

        package init(source: String, text: String, depth: Int = 0) {
            self.source = source
            self.text = text
            self.depth = depth
        }
    }
}
