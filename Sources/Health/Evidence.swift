package import Model

/// A peer's latest report and when it was current. A node's own report is heard now.
package struct HeardReport: Sendable, Hashable {
    package var report: Report
    package var heardAt: Timestamp
    /// From before a restart, and not heard since: it says nothing until it falls silent.
    package var isRestored: Bool
    /// What an operator says of the node. Up: he vouches for it, and its complaints do not count.
    var forced: Override.Action?
    var isForcedUp: Bool { forced == .up }

    package init(report: Report, heardAt: Timestamp, isRestored: Bool = false) {
        self.report = report
        self.heardAt = heardAt
        self.isRestored = isRestored
    }
}

/// What speaks for or against a service in a region, before damping.
package struct Evidence: Sendable, Hashable {
    package enum Finding: Sendable, Hashable {
        case healthy
        case down
        /// Down, and said so by those who serve: no damping.
        case downAtOnce
        /// Healthy but for something that it depends on, which is about to return: both are damped at once.
        case waiting
        /// Nothing to go by: healthy until something is known.
        case nothing
        /// What is to be seen cannot be trusted: the last verdict stands.
        case hold
        /// The same, because this node lost too many peers.
        case frozen
    }

    package let finding: Finding
    package let reasons: [Verdict.Reason]
    /// Said by nodes of the region that are heard, of themselves, and not concluded from silence or seen from outside.
    package let isFact: Bool
    /// Concluded from nothing but that nobody there is heard.
    package let isSilence: Bool

    init(finding: Finding, reasons: [Verdict.Reason], isFact: Bool = false, isSilence: Bool = false) {
        self.isSilence = isSilence
        self.finding = finding
        self.reasons = reasons
        self.isFact = isFact
    }
}
