package import Model

/// Passive health of one endpoint: it leaves the pool after consecutive failures of real traffic, for `base`, then twice
/// that, and so on up to `maximum`. Each whole `base` spent in the pool without an ejection forgives one of the earlier
/// ones.
///
/// A check that connects anew ends the ejection of an endpoint that failed connects and nothing else. No other check does:
/// a server that hangs, breaks off or answers with errors may well pass its check all the time.
package struct Ejection: Sendable, Hashable {
    package enum Action: Sendable, Hashable {
        case eject(until: Timestamp)
        case readmit
    }

    /// Where the endpoint's pool stands, for `maximumShare`.
    package struct PoolSize: Sendable, Hashable {
        package let endpoints: Int
        package let ejected: Int

        package init(endpoints: Int, ejected: Int) {
            self.endpoints = endpoints
            self.ejected = ejected
        }
    }

    package let policy: EjectionPolicy
    /// Nil while the endpoint is in the pool.
    package private(set) var ejectedUntil: Timestamp?
    /// What it failed, while it is out.
    package private(set) var causes: TrafficFailures = []
    /// Ejections that are not forgiven yet: the exponent of the next one.
    private var previous = 0
    private var readmittedAt: Timestamp?

    package init(_ policy: EjectionPolicy) { self.policy = policy }

    /// Looks at the endpoint's current run of failures. Call it when a failure was counted.
    ///
    /// - Returns: `.eject` when the run is long enough and the pool can spare the endpoint.
    package mutating func failed(
        consecutive: Int, causes: TrafficFailures, in pool: PoolSize, now: Timestamp
    ) -> Action? {
        guard ejectedUntil == nil, consecutive >= policy.failures,
            (pool.ejected + 1) * 100 <= policy.maximumShare * pool.endpoints
        else { return nil }
        forgive(now)
        let until = now + length
        previous += 1
        ejectedUntil = until
        self.causes = causes
        return .eject(until: until)
    }

    /// - Returns: `.readmit` when the time is over.
    package mutating func tick(now: Timestamp) -> Action? {
        guard let ejectedUntil, now >= ejectedUntil else { return nil }
        return readmit(now)
    }

    /// A check that began after the ejection has connected anew and passed.
    ///
    /// - Returns: `.readmit` when the endpoint was out for want of connections.
    package mutating func checkConnected(now: Timestamp) -> Action? {
        ejectedUntil == nil || causes != .connect ? nil : readmit(now)
    }

    private mutating func readmit(_ now: Timestamp) -> Action {
        ejectedUntil = nil
        readmittedAt = now
        return .readmit
    }

    private mutating func forgive(_ now: Timestamp) {
        guard let readmittedAt, policy.base > .zero else { return }
        let periods = (now - readmittedAt).nanoseconds / policy.base.nanoseconds
        previous = max(0, previous - Int(clamping: max(0, periods)))
    }

    private var length: Duration {
        // 2^30 × 1 ms is twelve days: more doublings than that only overflow.
        min(policy.maximum, policy.base * (1 << min(previous, 30)))
    }
}
