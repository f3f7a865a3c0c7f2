import Model

/// How the nodes that serve one site divide.
struct SiteReports {
    var serving: [HeardReport] = []
    var starting: [HeardReport] = []
    var draining: [HeardReport] = []
    var left: [HeardReport] = []
    /// Their silence is decided.
    var silent: [HeardReport] = []
    /// Not heard lately, and nobody knows why.
    var lost: [HeardReport] = []
    /// Known from before a restart, and given the time to speak again.
    var awaited: [HeardReport] = []
    /// Never heard, while more than half of the regions are, and have been for long enough.
    var absent: [String] = []

    init(
        _ site: ServiceMap.Site, _ reports: [String: HeardReport], _ hearing: Hearing, staleAfter: Duration,
        now: Timestamp
    ) {
        for name in site.servers {
            guard let heard = reports[name] else {
                if hearing.silent.contains(name) { absent.append(name) }
                continue
            }
            let state = heard.report.state
            if state == .leaving {
                // It stays gone until it speaks again, or is found to answer.
                left.append(heard)
            } else if heard.forced != nil {
                // An operator's word does not grow old.
                if state == .draining { draining.append(heard) } else { serving.append(heard) }
            } else if hearing.silent.contains(name) {
                silent.append(heard)
            } else if now - heard.heardAt > staleAfter {
                lost.append(heard)
            } else if heard.isRestored {
                awaited.append(heard)
            } else {
                switch state {
                case .draining: draining.append(heard)
                case .starting: starting.append(heard)
                case .serving, .leaving: serving.append(heard)
                }
            }
        }
    }
}
