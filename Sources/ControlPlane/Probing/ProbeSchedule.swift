/// When probes happen. Pure: the moment and the randomness are parameters.
enum ProbeSchedule {
    /// How long a new target waits for its first probe: up to a fifth of its interval, 200 ms at most, so that a node with
    /// many targets does not begin with a burst and still knows its world soon.
    static func delay(interval: Duration, using generator: inout some RandomNumberGenerator) -> Duration {
        let widest = min(interval / 5, .milliseconds(200))
        return widest * Double.random(in: 0...1, using: &generator)
    }

    /// When the probe after the one that was due at `previous` is due: an interval later, give or take 5%, so that the
    /// probes of many nodes do not fall into step. Never before `now`.
    static func next<Instant: InstantProtocol>(
        after previous: Instant, interval: Duration, now: Instant, using generator: inout some RandomNumberGenerator
    ) -> Instant where Instant.Duration == Duration {
        let next = previous.advanced(by: interval * Double.random(in: 0.95...1.05, using: &generator))
        return max(next, now)
    }
}
