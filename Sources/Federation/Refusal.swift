/// Why a report was not taken.
package enum Refusal: String, Sendable, Hashable, CaseIterable, Error {
    /// Longer than `ReportLimits` allows.
    case tooLarge
    /// No key of ours made this signature.
    case signature
    /// Not a report, or one that says something impossible.
    case malformed
    /// The topology has no such node.
    case unknownNode
    /// The node is of another tier than the topology says.
    case wrongTier
    /// Issued further from now than the clock skew allows: a replay, or a wrong clock.
    case outOfTime
    /// It came in our own name from somewhere else.
    case impostor
}

/// Bounds on what a report may hold, so that one bad peer cannot fill our memory.
package struct ReportLimits: Sendable, Hashable {
    /// Octets of one report.
    package var size = 256 << 10
    package var pools = 1024
    package var observations = 4096
    /// Addresses that are down, of all observations.
    package var addresses = 512
    package var overrides = 128
    package var timelines = 256
    package var troubles = 8
    /// Octets of one text within.
    package var text = 512

    package init() {}
}
