package import Engine
package import Health
package import Model

/// What is probed: an address and how to look at it. `id` is the caller's name for it; it stays the same over a reload
/// as long as the target is meant to keep its history.
package struct ProbeTarget<ID: Hashable & Sendable>: Sendable, Hashable {
    package let id: ID
    package let address: SocketAddress
    package let check: HealthCheck

    package init(id: ID, address: SocketAddress, check: HealthCheck) {
        self.id = id
        self.address = address
        self.check = check
    }
}

/// What one look at a target came to.
package struct ProbeOutcome: Sendable, Hashable {
    package var up: Bool
    /// `primary` or `replica`; nil when the probe does not learn roles or failed.
    package var role: Role?
    /// How far a replica's replayed state is behind; nil for everything else, and when nobody knows.
    package var lag: Duration?
    /// Why it is down, or what it is: `connection refused`, `HTTP 503`, `primary`. Never contains a secret.
    package var reason: String
    /// From the start of the probe to its result.
    package var latency: Duration
    /// What we ourselves lacked for the look; then it tells nothing about the target.
    package var shortage: Shortage?

    /// What a database said of its place in replication.
    package var replication: ReplicationFacts?
    /// The target lives and could not tell its role: the last one is believed on.
    package var keepsRole: Bool
    /// A new connection was made for the look.
    package var connects = true

    /// A look that did not take place, for a reason of our own.
    package static func missed(_ shortage: Shortage, reason: String, latency: Duration) -> ProbeOutcome {
        var outcome = ProbeOutcome(up: false, reason: reason, latency: latency)
        outcome.shortage = shortage
        return outcome
    }

    package init(
        up: Bool, role: Role? = nil, lag: Duration? = nil, reason: String, latency: Duration,
        replication: ReplicationFacts? = nil, keepsRole: Bool = false
    ) {
        self.up = up
        self.role = role
        self.lag = lag
        // Servers write what they like into their answers.
        self.reason = reason.printable
        self.latency = latency
        self.replication = replication
        self.keepsRole = keepsRole
    }
}

/// A target's standing after an outcome.
package struct ProbeReport: Sendable, Hashable {
    package var outcome: ProbeOutcome
    /// Up by the check's rise and fall, which one bad outcome does not change.
    package let up: Bool
    /// The role it is believed to hold; nil when it is down or has none.
    package let role: Role?
    /// Whether this outcome changed `up` or the role, or is the first one.
    package let changed: Bool
}
