/// A point in time as nanoseconds since the Unix epoch. Pure functions take it as a parameter and never read a clock.
package struct Timestamp: Hashable, Sendable, Comparable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package init(milliseconds: Int64) { self.nanoseconds = milliseconds * 1_000_000 }

    /// Whole milliseconds since the Unix epoch, rounded down.
    package var milliseconds: Int64 { nanoseconds / 1_000_000 }

    package static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

    package static func + (left: Self, right: Duration) -> Self {
        Self(nanoseconds: left.nanoseconds &+ right.nanoseconds)
    }

    package static func - (left: Self, right: Duration) -> Self {
        Self(nanoseconds: left.nanoseconds &- right.nanoseconds)
    }

    package static func - (left: Self, right: Self) -> Duration {
        .nanoseconds(left.nanoseconds &- right.nanoseconds)
    }
}

extension Duration {
    /// The whole duration in nanoseconds; ±292 years at most.
    package var nanoseconds: Int64 {
        let parts = components
        return parts.seconds &* 1_000_000_000 &+ parts.attoseconds / 1_000_000_000
    }

    /// The whole duration in milliseconds, rounded towards zero.
    package var milliseconds: Int64 { nanoseconds / 1_000_000 }
}
