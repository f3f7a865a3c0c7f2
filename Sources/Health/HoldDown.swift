package import Model

/// Keeps what fails again and again down for longer than its evidence asks: once `failures` failures fell within `window`,
/// it stays down for `base`, after the next for twice that, and so on up to `maximum`. Time in which it is held down does
/// not count towards the window, or a long hold would forget what it is for.
package struct HoldDown: Sendable, Hashable {
    /// More failures than any policy counts, and few enough to keep for every candidate.
    private static let kept = 64

    /// When it failed, oldest first.
    private var failures: [Timestamp] = []
    private var heldFrom: Timestamp?
    /// Nil unless it is held down.
    package private(set) var until: Timestamp?

    package init() {}

    /// As it was before a restart: what was held down stays so until `until`.
    package init(until: Timestamp?) { self.until = until }

    /// - Returns: whether a return is to be put off at `now`.
    package func holds(at now: Timestamp) -> Bool { until.map { now < $0 } ?? false }

    /// A healthy candidate failed.
    package mutating func failed(_ policy: HoldDownPolicy, now: Timestamp) {
        guard policy.failures > 0 else {
            self = HoldDown()
            return
        }
        failures.removeAll { now - $0 > policy.window }
        failures.append(now)
        if failures.count > Self.kept { failures.removeFirst() }
        guard failures.count >= policy.failures else { return }
        // 2^30 × 1 ms is twelve days: more doublings than that only overflow.
        let length = min(policy.maximum, policy.base * (1 << min(failures.count - policy.failures, 30)))
        heldFrom = now
        until = now + length
    }

    /// It is healthy again.
    package mutating func returned(now: Timestamp) {
        if let heldFrom, now > heldFrom {
            let held = now - heldFrom
            failures = failures.map { $0 + held }
        }
        heldFrom = nil
        until = nil
    }

    /// Failures that count now.
    package var count: Int { failures.count }
}
