package import Model

/// Turns single check results into up and down: `rise` consecutive passes bring up, `fall` consecutive failures take down.
/// The first result decides for something that was never seen before, so that a start needs one check, not `rise`.
package struct Threshold: Sendable, Hashable {
    package enum Change: Sendable, Hashable {
        case rose
        case fell
    }

    package let rise: Int
    package let fall: Int
    /// Nil until the first result.
    package private(set) var up: Bool?
    /// Consecutive results that speak against `up`.
    private var contrary = 0
    /// `up` is from before a standstill, and no result has confirmed or refuted it yet.
    package private(set) var isDoubtful = false

    package init(rise: Int, fall: Int) {
        self.rise = max(1, rise)
        self.fall = max(1, fall)
    }

    package init(_ check: HealthCheck) { self.init(rise: check.rise, fall: check.fall) }

    /// Nobody looked for a while: what is known waits for a result that agrees with it, or for as many that do not as it
    /// always takes. One failure is not enough even then, since the way there may be what has not woken up yet.
    package mutating func doubt() {
        contrary = 0
        isDoubtful = up != nil
    }

    /// - Returns: the change that this result brought about, if any.
    package mutating func record(passed: Bool) -> Change? {
        guard let up else {
            self.up = passed
            return passed ? .rose : .fell
        }
        guard passed != up else {
            contrary = 0
            isDoubtful = false
            return nil
        }
        contrary += 1
        guard contrary >= (up ? fall : rise) else { return nil }
        contrary = 0
        isDoubtful = false
        self.up = passed
        return passed ? .rose : .fell
    }
}
