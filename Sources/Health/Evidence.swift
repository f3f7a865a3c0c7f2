package import Model

/// A peer's latest report and when it was current. A node's own report is heard now.
package struct HeardReport: Sendable, Hashable {
    package var report: Report
    package var heardAt: Timestamp
    /// From before a restart, and not heard since: it says nothing until it falls silent.
    package var isRestored: Bool
    /// An operator vouches for the node: its complaints do not count.
    var isForcedUp = false

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
        /// Nothing to go by: healthy until something is known.
        case nothing
        /// What is to be seen cannot be trusted: the last verdict stands.
        case hold
        /// The same, because this node lost too many peers.
        case frozen
    }

    package let finding: Finding
    package let reasons: [Verdict.Reason]
}

/// How the reports that matter for one site divide.
struct SiteReports {
    var serving: [HeardReport] = []
    var starting: [HeardReport] = []
    var draining: [HeardReport] = []
    var left: [HeardReport] = []
    var silent: [HeardReport] = []
    /// Known from before a restart, and given the time to speak again.
    var awaited: [HeardReport] = []

    init(_ site: ServiceMap.Site, _ reports: [String: HeardReport], staleAfter: Duration, now: Timestamp) {
        for name in site.servers {
            guard let heard = reports[name] else { continue }
            switch heard.report.state {
            // A goodbye does not grow old: the node stays gone until it speaks again.
            case .leaving: left.append(heard)
            case _ where now - heard.heardAt > staleAfter: silent.append(heard)
            case _ where heard.isRestored && !heard.isForcedUp: awaited.append(heard)
            case .draining: draining.append(heard)
            case .starting: starting.append(heard)
            case .serving: serving.append(heard)
            }
        }
    }
}
