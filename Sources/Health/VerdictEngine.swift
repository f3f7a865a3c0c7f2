package import Model

/// A verdict that moved.
package struct Transition: Sendable, Hashable {
    package let service: String
    package let region: String
    package let healthy: Bool
    package let at: Timestamp
    package let reasons: [Verdict.Reason]
}

/// What one evaluation found.
package struct Evaluation: Sendable, Hashable {
    /// One for each service in each region that offers it; dependencies first.
    package let verdicts: [Verdict]
    package let transitions: [Transition]
    /// Services that DNS names answer with and that are down in every region: answers hold all regions.
    package let failOpen: Set<String>
    package let frozen: Bool
}

/// Verdicts over time: the rule's evidence, damped, frozen and ramped. A value: it reads no clock, and its state goes by
/// names, so that it outlives a reload.
package struct VerdictEngine: Sendable {
    private struct Key: Hashable {
        let service: String
        let region: String
    }

    private var standings: [Key: Standing] = [:]
    private var failStatic = FailStatic()

    package init() {}

    /// Judges every site by the latest report of each node, this node's own included, which is named `own` and no peer of
    /// itself.
    ///
    /// `trustStatements` says whether a region's own word on its dependencies counts. For DNS nodes it does; L7 and L4
    /// nodes, whose word that is, go by facts, or a failure would confirm itself for ever.
    package mutating func evaluate(
        _ reports: [String: HeardReport], own: String, snapshot: Snapshot, map: ServiceMap, trustStatements: Bool,
        now: Timestamp
    ) -> Evaluation {
        let plan = snapshot.federation
        let peers = reports.values.filter { $0.report.node != own && map.nodeTiers[$0.report.node] != nil }
            .map { FailStatic.Peer(name: $0.report.node, heardAt: $0.heardAt, left: $0.report.state == .leaving) }
        failStatic.update(peers, staleAfter: plan.staleAfter, share: plan.failStaticShare, now: now)

        let rule = VerdictRule(
            snapshot: snapshot, map: map, reports: reports, frozen: failStatic.frozen,
            trustStatements: trustStatements, now: now)
        var verdicts: [Verdict] = []
        var found: [Site: Verdict] = [:]
        var transitions: [Transition] = []
        var kept: [Key: Standing] = [:]
        for site in map.sites {
            let service = snapshot[site.service]
            let key = Key(service: service.name, region: snapshot[site.region].name)
            let dependencies = service.dependsOn.compactMap { found[Site(service: $0, region: site.region)] }
            let evidence = rule.evidence(site, dependencies: dependencies)
            var standing = standings[key] ?? Standing(since: now)
            if standing.weigh(evidence.finding, plan.damping, now) {
                transitions.append(
                    Transition(
                        service: key.service, region: key.region, healthy: standing.healthy, at: now,
                        reasons: evidence.reasons))
            }
            let verdict = Verdict(
                service: site.service, region: site.region, healthy: standing.healthy,
                share: standing.share(ramp: map.ramps[site.service.index], now), since: standing.since,
                frozen: evidence.finding == .frozen,
                reasons: standing.notes(evidence.finding, plan.damping, own: own, lost: failStatic.lostPeers, now)
                    + evidence.reasons)
            kept[key] = standing
            found[Site(service: site.service, region: site.region)] = verdict
            verdicts.append(verdict)
        }
        standings = kept
        return Evaluation(
            verdicts: verdicts, transitions: transitions, failOpen: Self.failOpen(verdicts, snapshot, map),
            frozen: failStatic.frozen)
    }

    private struct Site: Hashable {
        let service: ServiceID
        let region: RegionID
    }

    private static func failOpen(_ verdicts: [Verdict], _ snapshot: Snapshot, _ map: ServiceMap) -> Set<String> {
        let alive = Set(verdicts.filter(\.healthy).map(\.service))
        let judged = Set(verdicts.map(\.service))
        return Set(map.named.intersection(judged).subtracting(alive).map { snapshot[$0].name })
    }
}
