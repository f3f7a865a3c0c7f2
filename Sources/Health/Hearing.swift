import Model

/// Whom this node hears at one moment, and whose silence counts. A node that hears no more than half of all regions may itself
/// be what is cut off: it decides nobody's silence, and verdicts stand (fail-static).
///
/// Silence is decided for all peers together. Those that one cut takes away fall silent one after another, as their reports
/// happened to be young or old: within an interval, and what reports wait at relays. So the first one waits an interval longer
/// than `staleAfter`, and counts then only if more than half of the regions spoke well after it did.
package struct Hearing: Sendable, Hashable {
    /// Their silence is decided: they leave every count.
    package private(set) var silent: Set<String> = []
    /// Not heard for longer than `staleAfter`, and not decided: they may serve where we do not hear them.
    package private(set) var lost: Set<String> = []
    /// Whether somebody has been lost for long enough to be decided, and could not be: what is not heard stands as it was.
    package private(set) var isCutOff = false
    /// Regions with nodes that did not say goodbye, heard or not.
    private var regions: Set<RegionID> = []
    /// The latest word of each of them that is heard, our own being now.
    private var latest: [RegionID: Timestamp] = [:]
    /// The same without our own.
    private var peersLatest: [RegionID: Timestamp] = [:]
    /// Regions that have peers.
    private var peersRegions: Set<RegionID> = []

    /// Intervals between the last words of two peers that one cut took away, at most: one between their reports, and half of
    /// one at each relay.
    private static let spread = 3

    /// What is known of one peer.
    private struct Peer {
        let name: String
        /// Of a node that was never heard: when this one began to listen.
        let heardAt: Timestamp
        let isUnheard: Bool
    }

    /// - Parameters:
    ///   - reports: the latest of each node.
    ///   - own: this node's name.
    ///   - map: of the topology in force.
    ///   - plan: of the same.
    ///   - inTouchFrom: since when it has heard enough of the others without a break; nil when it does not. What was silent
    ///     before is silent from then on: after a heal they come back one by one.
    ///   - now: the steady clock.
    init(
        _ reports: [String: HeardReport], own: String, map: ServiceMap, plan: FederationPlan,
        inTouchFrom: inout Timestamp?, now: Timestamp
    ) {
        // Who has no address for federation hears nobody, and nobody hears it.
        let listens = map.audible.contains(own)
        var peers: [Peer] = []
        for (name, region) in map.nodeRegions {
            if name == own {
                regions.insert(region)
                latest[region] = now
                continue
            }
            guard let heard = reports[name] else {
                guard listens, map.audible.contains(name) else { continue }
                // A region that was never heard counts as well, or a start in a partition would find the world small.
                regions.insert(region)
                peers.append(Peer(name: name, heardAt: inTouchFrom ?? now, isUnheard: true))
                continue
            }
            // Who said goodbye is no loss.
            if heard.report.state == .leaving { continue }
            regions.insert(region)
            peers.append(Peer(name: name, heardAt: heard.heardAt, isUnheard: false))
            guard !heard.isRestored, now - heard.heardAt <= plan.staleAfter else { continue }
            latest[region] = max(latest[region] ?? heard.heardAt, heard.heardAt)
            peersLatest[region] = max(peersLatest[region] ?? heard.heardAt, heard.heardAt)
        }
        peersRegions = Set(peers.compactMap { map.nodeRegions[$0.name] })
        // A break that is too short to be noticed makes nobody silent: what is lost in it is younger than silence.
        let pause = max(
            plan.interval * 3 / 2, min(max(plan.interval * 3, plan.staleAfter / 2), plan.staleAfter - plan.interval))
        let isInTouch =
            hearsMajority(since: now - pause)
            && (!isSmall || peers.isEmpty || peersLatest.values.contains { $0 >= now - pause })
        inTouchFrom = isInTouch ? inTouchFrom ?? now : nil
        decide(peers, plan, from: inTouchFrom, now)
    }

    private mutating func decide(_ peers: [Peer], _ plan: FederationPlan, from: Timestamp?, _ now: Timestamp) {
        for peer in peers where now - peer.heardAt > plan.staleAfter {
            let limit = plan.staleAfter + plan.interval
            let after = peer.heardAt + plan.interval * Self.spread
            let isDue = from.map { now - max(peer.heardAt, $0) >= limit } ?? false
            let isTogether = isOneOfMany(peer, peers, after: after, plan)
            if isDue, hearsMajority(since: after), !isTogether {
                silent.insert(peer.name)
            } else if !peer.isUnheard {
                lost.insert(peer.name)
                if now - peer.heardAt >= limit, from == nil || isTogether { isCutOff = true }
            }
        }
    }

    /// Half of two regions is one: no majority tells the death of a region from our own isolation.
    private var isSmall: Bool { regions.count < 3 }

    /// Where the world is too small for a majority: whether `failStaticShare` of the peers fell silent with `peer`, so that it
    /// is rather this node that broke.
    private func isOneOfMany(_ peer: Peer, _ peers: [Peer], after: Timestamp, _ plan: FederationPlan) -> Bool {
        guard isSmall else { return false }
        let then = peers.filter { $0.heardAt >= peer.heardAt - plan.staleAfter }
        let gone = then.count { $0.heardAt <= after }
        return gone * 100 >= plan.failStaticShare * then.count
    }

    /// Whether more than half of all regions, our own included, spoke at `since` or later. Always where a majority means
    /// nothing.
    func hearsMajority(since: Timestamp) -> Bool {
        isSmall || latest.values.count { $0 >= since } * 2 > regions.count
    }

    /// Whether this node was in touch, at `since` or later, with enough others to say that it is `region` that broke: with more
    /// than half of all regions; in a small world with some peer that stands elsewhere, if there is one.
    func isInTouch(since: Timestamp, against region: RegionID) -> Bool {
        if !isSmall { return hearsMajority(since: since) }
        return !peersRegions.contains { $0 != region }
            || peersLatest.contains { $0.key != region && $0.value >= since }
    }

    /// How many regions are heard now, without `region`.
    func regionsHeard(except region: RegionID) -> Int { latest.keys.count { $0 != region } }

    /// Whether `region` has nodes that did not say goodbye, heard or not.
    func counts(_ region: RegionID) -> Bool { regions.contains(region) }

    /// Why verdicts stand.
    var words: String {
        isSmall
            ? "\(lost.count) peers fell silent at once" : "hears \(latest.count) of \(regions.count) regions"
    }
}
