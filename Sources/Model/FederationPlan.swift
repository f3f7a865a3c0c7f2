/// How nodes tell each other what they know.
package struct FederationPlan: Sendable, Hashable {
    /// The first key signs; all of them verify, so that keys can be rotated.
    package let keys: [FederationKey]
    /// A report is sent at least this often, and at once when something changes.
    package let interval: Duration
    /// A report older than this no longer counts.
    package let staleAfter: Duration
    /// Reports whose issue time is further from ours are refused.
    package let clockSkew: Duration
    /// Where fewer than three regions have nodes: when at least this share of peers (percent) fell silent at once, verdicts
    /// are frozen (fail-static).
    package let failStaticShare: Int
    /// Consecutive evaluations or check results to change a verdict, and the least time between two changes.
    package let damping: Damping

    package init(
        keys: [FederationKey], interval: Duration, staleAfter: Duration, clockSkew: Duration, failStaticShare: Int,
        damping: Damping
    ) {
        self.keys = keys
        self.interval = interval
        self.staleAfter = staleAfter
        self.clockSkew = clockSkew
        self.failStaticShare = failStaticShare
        self.damping = damping
    }
}

package struct FederationKey: Sendable, Hashable {
    package let id: String
    package let secret: Secret

    package init(id: String, secret: Secret) {
        self.id = id
        self.secret = secret
    }
}

package struct Damping: Sendable, Hashable {
    /// How long evidence of health must last before a down service is called healthy.
    package let rise: Duration
    /// How long evidence of failure must last before a healthy service is called down.
    package let fall: Duration
    package let holdDown: HoldDownPolicy

    package init(rise: Duration, fall: Duration, holdDown: HoldDownPolicy = .off) {
        self.rise = rise
        self.fall = fall
        self.holdDown = holdDown
    }
}

/// What keeps a place that fails again and again out for longer each time.
package struct HoldDownPolicy: Sendable, Hashable {
    /// So many failures within `window` hold it down; 0 turns it off.
    package let failures: Int
    package let window: Duration
    /// How long the first time; each further failure doubles it, up to `maximum`.
    package let base: Duration
    package let maximum: Duration

    package init(failures: Int, window: Duration, base: Duration, maximum: Duration) {
        self.failures = failures
        self.window = window
        self.base = base
        self.maximum = maximum
    }

    package static let off = HoldDownPolicy(failures: 0, window: .zero, base: .zero, maximum: .zero)
}
