package import Model

/// A verdict that moved.
package struct Transition: Sendable, Hashable {
    package let service: String
    package let region: String
    package let healthy: Bool
    package let at: Timestamp
    package let reasons: [Verdict.Reason]
}

/// What there is to judge by at one moment.
package struct Known: Sendable {
    /// The latest report of each node, this node's own included.
    package var reports: [String: HeardReport]
    /// What this node's own checks saw, address by address.
    package var sights: [Sight]
    package var overrides: OverrideRules

    package init(reports: [String: HeardReport], sights: [Sight] = [], overrides: OverrideRules = OverrideRules()) {
        self.reports = reports
        self.sights = sights
        self.overrides = overrides
    }
}

/// What one evaluation found.
package struct Evaluation: Sendable, Hashable {
    /// One for each service in each region that offers it; dependencies first.
    package let verdicts: [Verdict]
    /// Of addresses: those of names without a service that were looked at, and those of services that failed a check.
    package let addresses: [AddressVerdict]
    package let transitions: [Transition]
    /// Services that DNS names answer with and that are down in every region: answers hold all regions.
    package let failOpen: Set<String>
    package let frozen: Bool
    /// Whom the node hears.
    package let hearing: Hearing?
    /// Services of which nodes that serve them there, and are heard, say themselves that they do not work, and why: facts of
    /// the moment, without damping and without what is concluded from silence or seen from outside.
    package let complaints: [VerdictSite: [Verdict.Reason]]

    package init(
        verdicts: [Verdict], addresses: [AddressVerdict] = [], transitions: [Transition] = [], failOpen: Set<String>,
        frozen: Bool = false, hearing: Hearing? = nil, complaints: [VerdictSite: [Verdict.Reason]] = [:]
    ) {
        self.hearing = hearing
        self.complaints = complaints
        self.verdicts = verdicts
        self.addresses = addresses
        self.transitions = transitions
        self.failOpen = failOpen
        self.frozen = frozen
    }
}

/// Verdicts over time: the rule's evidence, damped, frozen and ramped, under what operators say. A value: it reads no clock,
/// and its state goes by names, so that it outlives a reload.
package struct VerdictEngine: Sendable {
    private var standings: [VerdictSite: Standing] = [:]
    private var memory = VantageMemory()
    /// Since when it has heard enough of the others without a break.
    private var inTouchFrom: Timestamp?

    package init() {}

    /// Goes on from what an earlier process knew: its verdicts stand, marked stale, until evidence comes.
    package init(remembering verdicts: [RememberedVerdict]) {
        for verdict in verdicts { standings[verdict.site] = Standing(verdict) }
    }

    /// After a standstill of `length`: every verdict stands, marked stale, until evidence comes that is newer.
    package mutating func doubt(after length: Duration) {
        for site in standings.keys { standings[site]?.doubt(.standstill(length)) }
    }

    /// What a later process should know, sorted.
    package var remembered: [RememberedVerdict] {
        standings.map { $0.value.remembered($0.key) }
            .sorted { ($0.site.sortKey, $0.site.region) < ($1.site.sortKey, $1.site.region) }
    }

    /// Judges every site by what is known. This node is named `own` and no peer of itself.
    ///
    /// `trustStatements` says whether a region's own word on its dependencies counts. For DNS nodes it does; L7 and L4
    /// nodes, whose word that is, go by facts, or a failure would confirm itself for ever.
    package mutating func evaluate(
        _ known: Known, own: String, snapshot: Snapshot, map: ServiceMap, trustStatements: Bool, now: Timestamp
    ) -> Evaluation {
        let plan = snapshot.federation
        // By what was heard, not by what an operator says of it.
        let hearing = Hearing(
            known.reports, own: own, map: map, plan: plan, inTouchFrom: &inTouchFrom, now: now)
        memory.note(known.reports, map)
        let rule = VerdictRule(
            snapshot: snapshot, map: map, reports: known.overrides.applied(to: known.reports, now: now), own: own,
            hearing: hearing,
            vantages: VantagePoints(
                known.reports, memory, map: map, hearing: hearing, staleAfter: plan.staleAfter, now: now),
            trustStatements: trustStatements, now: now)
        var pass = Pass(
            before: standings, overrides: known.overrides, damping: plan.damping, own: own, hearing: hearing, now: now)
        var verdicts: [Verdict] = []
        var found: [Site: VerdictRule.Dependency] = [:]
        var complaints: [VerdictSite: [Verdict.Reason]] = [:]
        for site in map.sites {
            let service = snapshot[site.service]
            let place = VerdictSite(.service(service.name), in: snapshot[site.region].name)
            let dependencies = service.dependsOn.compactMap { found[Site(service: $0, region: site.region)] }
            let evidence = rule.evidence(
                site, dependencies: dependencies, isNew: standings[place]?.isSettled != true)
            let (standing, reasons) = pass.judge(place, evidence)
            let verdict = Verdict(
                service: site.service, region: site.region, healthy: standing.healthy,
                share: standing.share(ramp: map.ramps[site.service.index], now), since: standing.since,
                frozen: evidence.finding == .frozen, stale: standing.isStale, forced: standing.action,
                heldUntil: standing.heldUntil(now), reasons: reasons)
            found[Site(service: site.service, region: site.region)] = VerdictRule.Dependency(
                verdict: verdict, evidence: evidence)
            if evidence.isFact { complaints[place] = evidence.reasons }
            verdicts.append(verdict)
        }
        let addresses = judgeAddresses(known.sights, rule, &pass)
        let awaited = awaitedAddresses(map, pass, now)
        standings = pass.after.merging(awaited.standings) { judged, _ in judged }
        return Evaluation(
            verdicts: verdicts, addresses: addresses + awaited.verdicts, transitions: pass.transitions,
            failOpen: Self.failOpen(verdicts, snapshot, map), frozen: hearing.isCutOff, hearing: hearing,
            complaints: complaints)
    }

    /// How long an address of a service that came back is remembered: flapping counts for so long.
    private static let memory = Duration.seconds(3600)

    private func judgeAddresses(_ sights: [Sight], _ rule: VerdictRule, _ pass: inout Pass) -> [AddressVerdict] {
        // Nobody else answers with addresses.
        guard rule.map.nodeTiers[rule.own] == .dns else { return [] }
        var verdicts: [AddressVerdict] = []
        for sight in sights {
            guard case .name = sight.owner else { continue }
            let evidence = Evidence(
                finding: sight.up ? .healthy : .down,
                reasons: [Verdict.Reason(source: rule.own, text: sight.up ? "answers checks" : sight.reason)])
            if let verdict = pass.judge(address: sight.site, evidence, rule.map) { verdicts.append(verdict) }
        }
        // Of thousands of addresses those that failed lately are few.
        let known = standings.lazy.filter { site, standing in
            guard case .address(_, of: .service) = site.subject, rule.map.addressRamps[site] != nil else {
                return false
            }
            return !standing.isPlain(for: Self.memory, rule.now)
        }.map(\.key)
        let votes = AddressVotes(rule, sights: sights, known: known)
        for site in votes.sites {
            if let verdict = pass.judge(address: site, votes.evidence(site), rule.map) { verdicts.append(verdict) }
        }
        return verdicts
    }

    /// Addresses of names that were known before a restart and are not looked at yet: their verdicts stand.
    private func awaitedAddresses(
        _ map: ServiceMap, _ pass: borrowing Pass, _ now: Timestamp
    ) -> (standings: [VerdictSite: Standing], verdicts: [AddressVerdict]) {
        var kept: [VerdictSite: Standing] = [:]
        var verdicts: [AddressVerdict] = []
        for (site, standing) in standings where pass.after[site] == nil && standing.isStale {
            guard map.addressRamps[site] != nil, case .address(let address, let owner) = site.subject else { continue }
            kept[site] = standing
            verdicts.append(
                AddressVerdict(
                    owner: owner, region: site.region, address: address, isAlive: standing.isAlive,
                    healthy: standing.healthy, share: 1, since: standing.since, stale: true, frozen: false,
                    forced: nil, heldUntil: standing.heldUntil(now),
                    reasons: standing.notes(.nothing, pass.damping, own: pass.own, hearing: pass.hearing, now)))
        }
        return (kept, verdicts)
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

/// One evaluation under way: each site's standing moved on by its evidence and by what operators say.
private struct Pass {
    let before: [VerdictSite: Standing]
    let overrides: OverrideRules
    let damping: Damping
    let own: String
    let hearing: Hearing
    let now: Timestamp
    var after: [VerdictSite: Standing] = [:]
    var transitions: [Transition] = []

    mutating func judge(_ site: VerdictSite, _ evidence: Evidence) -> (Standing, [Verdict.Reason]) {
        var standing = before[site] ?? Standing(since: now)
        let was = standing.healthy
        standing.weigh(evidence.finding, damping, now)
        standing.force(site.override(overrides), now)
        let notes = standing.notes(evidence.finding, damping, own: own, hearing: hearing, now)
        if standing.healthy != was {
            transitions.append(
                Transition(
                    service: site.text, region: site.region, healthy: standing.healthy, at: now,
                    reasons: (standing.action == nil ? [] : notes) + evidence.reasons))
        }
        after[site] = standing
        return (standing, notes + evidence.reasons)
    }

    /// Nil for what is no address.
    mutating func judge(address site: VerdictSite, _ evidence: Evidence, _ map: ServiceMap) -> AddressVerdict? {
        guard case .address(let address, let owner) = site.subject else { return nil }
        let (standing, reasons) = judge(site, evidence)
        return AddressVerdict(
            owner: owner, region: site.region, address: address, isAlive: standing.isAlive,
            healthy: standing.healthy, share: standing.share(ramp: map.addressRamps[site] ?? .zero, now),
            since: standing.since, stale: standing.isStale, frozen: evidence.finding == .frozen,
            forced: standing.action, heldUntil: standing.heldUntil(now), reasons: reasons)
    }
}

extension VerdictSite {
    fileprivate func override(_ rules: OverrideRules) -> Override? {
        if rules.isEmpty { return nil }
        return switch subject {
        case .service(let service): rules.site(service: service, region: region)
        case .address(_, .name(let name)): rules.candidate(name: name, service: nil, region: region)
        // A word on a service counts for its region, whatever stands behind its addresses.
        case .address(_, .service): nil
        }
    }

    /// The service, or an address and whose it is.
    package var text: String {
        switch subject {
        case .service(let name): name
        case .address(let address, .service(let name)), .address(let address, .name(let name)): "\(name) at \(address)"
        }
    }

    fileprivate var sortKey: String {
        switch subject {
        case .service(let name): "s\(name)"
        case .address: "n\(text)"
        }
    }
}
