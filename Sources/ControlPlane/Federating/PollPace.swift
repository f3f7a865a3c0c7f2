/// How soon a peer is asked again. News is never waited for; answers without news are, as anybody can give them at once and
/// without end.
struct PollPace {
    /// Known reports come early now and then: our own news comes back from every peer, and others' by two ways. So many
    /// answers, and one for each node, are followed by the next poll at once; half an interval brings one back.
    private static let allowance = 16

    /// Between two polls even so.
    private static let leastGap = Duration.milliseconds(10)

    /// When the peer last said something of itself; at first, when we began to ask.
    private var heard: ContinuousClock.Instant
    /// Early answers without news that were given and not made up for yet.
    private var spent = 0
    private var countedFrom: ContinuousClock.Instant

    init(now: ContinuousClock.Instant) {
        heard = now
        countedFrom = now
    }

    /// Counts an answer.
    ///
    /// - Parameters:
    ///   - hearing: what the answer was worth.
    ///   - asked: when the poll that was answered began.
    ///   - now: when it was answered.
    ///   - interval: between two reports of a node.
    ///   - peers: nodes of the topology.
    /// - Returns: how long to wait before the next poll; not at all when it is zero or less.
    mutating func rest(
        after hearing: FederationHub.Hearing, asked: ContinuousClock.Instant, now: ContinuousClock.Instant,
        interval: Duration, peers: Int
    ) -> Duration {
        if hearing.isOfPeer { heard = now }
        let took = asked.duration(to: now)
        let floor = interval / 2
        if hearing.accepted > 0 { return Self.leastGap - took }
        guard took < floor else { return .zero }
        if floor > .zero {
            let regained = min(spent, Int(countedFrom.duration(to: now) / floor))
            spent -= regained
            countedFrom = spent == 0 ? now : countedFrom + floor * regained
        }
        let most = Self.allowance + peers
        let isAllowed = hearing.known > 0 && spent < most
        // Half an interval that was waited out pays for the answer after it, and for no more.
        spent = min(spent + 1, most + 1)
        return (isAllowed ? Self.leastGap : floor) - took
    }

    /// Whether the peer has said nothing of itself for so long that it must have had something to say.
    func isSilent(now: ContinuousClock.Instant, interval: Duration) -> Bool {
        heard.duration(to: now) > max(interval * FederationHub.silentIntervals, .seconds(2))
    }
}
