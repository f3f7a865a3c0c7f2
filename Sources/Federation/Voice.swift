package import Model

/// How lately a peer was heard.
package enum Voice: String, Sendable, Hashable {
    case fresh
    /// Nothing new for longer than `staleAfter`.
    case silent
    /// It said goodbye.
    case left
    case unheard

    package init(_ entry: ReportStore.Entry?, staleAfter: Duration, now: Timestamp) {
        guard let entry else {
            self = .unheard
            return
        }
        if entry.isRestored, now - entry.heardAt <= staleAfter {
            self = .unheard
        } else if entry.report.state == .leaving {
            self = .left
        } else {
            self = now - entry.heardAt <= staleAfter ? .fresh : .silent
        }
    }
}
