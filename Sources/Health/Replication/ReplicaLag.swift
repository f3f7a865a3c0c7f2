package import Model

/// How far a replica's data is behind.
package struct Lag: Sendable, Hashable {
    package var time: Duration
    /// Of the write-ahead log; nil when the end of the primary's log is not known.
    package var octets: UInt64?

    package init(time: Duration, octets: UInt64?) {
        self.time = time
        self.octets = octets
    }
}

/// Follows one replica and works out its lag: since when what it has not replayed has existed, as far as the checks saw.
///
/// An idle primary makes no lag, however old its last transaction; a replica that nobody sends a log any more falls behind
/// from the moment at which it was last seen level.
package struct ReplicaLag: Sendable, Hashable {
    /// The end of the log by the replica's own word.
    private var heard = PositionHistory()
    /// When it was last seen connected, with all replayed that it knew of.
    private var levelAt: Timestamp?

    package init() {}

    /// - Parameters:
    ///   - facts: what the replica says at `now`.
    ///   - primary: the log of the primary that the same checks see up; nil when they see none.
    ///   - now: on a clock that never goes back.
    /// - Returns: nil when there is no telling.
    package mutating func record(_ facts: ReplicationFacts, primary: PositionHistory?, now: Timestamp) -> Lag? {
        guard let replayed = facts.replayed else { return nil }
        var isConnected = false
        var end = facts.received ?? replayed
        if case .connected(let sent) = facts.receiver {
            isConnected = true
            end = max(end, sent ?? 0)
        }
        heard.record(max(end, replayed), at: now)
        let own = heard.sinceBeyond(replayed, now: now)
        if let primary, let written = primary.end {
            let time = max(own, primary.sinceBeyond(replayed, now: now))
            return Lag(time: time, octets: max(written, end) - min(replayed, max(written, end)))
        }
        if isConnected {
            if own == .zero { levelAt = now }
            return Lag(time: own, octets: end - min(replayed, end))
        }
        if facts.receiver == .unknown, facts.received != nil {
            // The server hides whether it is connected: only its own word is left.
            return Lag(time: own, octets: end - min(replayed, end))
        }
        // Both are at most too long.
        let bounds = [levelAt.map { max(.zero, now - $0) }, facts.sinceReplay].compactMap { $0 }
        return bounds.min().map { Lag(time: max(own, $0), octets: nil) }
    }
}
