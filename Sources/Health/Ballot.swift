import Model

/// The votes of vantage points on one service, or one address, in one region. Each region has one vote, so that three nodes in
/// one place, which share their way out, do not outvote two others.
struct Ballot {
    private struct Vote {
        let node: String
        let region: RegionID
        let isHeard: Bool
        let up: Bool
        let reason: String
        /// When it was first heard to be against.
        let since: Timestamp
        /// When it was last heard to be so.
        let heardAt: Timestamp
    }

    /// What is voted on.
    let region: RegionID
    /// How long a check fails, at least, before it is called failed.
    let noticing: Duration
    private var votes: [Vote] = []

    init(region: RegionID, noticing: Duration) {
        self.region = region
        self.noticing = noticing
    }

    mutating func add(_ point: VantagePoints.Point, up: Bool, reason: String, since: Timestamp?) {
        votes.append(
            Vote(
                node: point.name, region: point.region, isHeard: point.isHeard, up: up, reason: reason,
                since: since ?? point.heard.heardAt, heardAt: point.heard.heardAt))
    }

    /// How it ended.
    struct Outcome {
        /// Regions that reach it.
        var up = 0
        /// Regions that do not.
        var down = 0
        /// Regions that look, those whose votes we do not hear included.
        var known = 0
        /// Votes that are heard, of single nodes.
        var heard = 0
        /// Enough regions cannot reach it, at one time, and are no minority that is cut off with us.
        var isAgainst = false
        /// Who cannot reach it, sorted; else how many do.
        var reasons: [Verdict.Reason] = []

        /// Most regions that look reach it.
        var isFor: Bool { up > down && up * 2 > known }
        /// Somebody is against, and there are not enough votes to say who is right: what was said last stands.
        var isOpen: Bool { down > 0 && !isAgainst && !(up >= down && (up + down) * 2 > known) }
    }

    func outcome(_ hearing: Hearing) -> Outcome {
        let against = votes.filter { $0.isHeard && !$0.up }
        // Votes against count together only if all were so at one moment: a node that is cut off has the last words of others
        // in its ear, who may have had troubles of their own, long over. A check that fails has failed for `noticing` already.
        let moment = against.map(\.since).max().map { $0 - noticing }
        var regions: [RegionID: (up: Int, down: Int, known: Int)] = [:]
        for vote in votes {
            var count = regions[vote.region] ?? (0, 0, 0)
            count.known += 1
            if vote.isHeard {
                if vote.up {
                    count.up += 1
                } else if let moment, vote.heardAt >= moment {
                    count.down += 1
                }
            }
            regions[vote.region] = count
        }
        var outcome = Outcome()
        outcome.heard = votes.count { $0.isHeard }
        for count in regions.values {
            outcome.known += 1
            // A region is against when most of its nodes that look are. One of two is as good as cut off itself.
            if count.down * 2 > count.known { outcome.down += 1 } else if count.up > count.down { outcome.up += 1 }
        }
        if let moment, outcome.down > outcome.up, outcome.down * 2 > outcome.known {
            // One region's word alone fails nobody while a third one, which could look, is heard.
            let needed = min(2, hearing.regionsHeard(except: region))
            // And we must have been in touch with more than half of the regions since, or we are on the side that broke.
            outcome.isAgainst = outcome.down >= needed && hearing.isInTouch(since: moment, against: region)
        }
        if against.isEmpty {
            if outcome.heard > 0 {
                outcome.reasons = [
                    Verdict.Reason(
                        source: "checks", text: "\(outcome.heard) of \(outcome.heard) vantage points reach it")
                ]
            }
        } else {
            outcome.reasons = against.map { Verdict.Reason(source: $0.node, text: $0.reason) }
                .sorted { $0.source < $1.source }
        }
        return outcome
    }
}
