import Model

/// The rule: what the reports say about one site, given the verdicts on its dependencies. No state, no damping.
struct VerdictRule {
    let snapshot: Snapshot
    let map: ServiceMap
    let reports: [String: HeardReport]
    /// This node.
    let own: String
    let frozen: Bool
    let trustStatements: Bool
    let now: Timestamp

    private var staleAfter: Duration { snapshot.federation.staleAfter }

    /// What speaks for and against `site`, given the same region's verdicts on the services that it depends on.
    func evidence(_ site: ServiceMap.Site, dependencies: [Verdict]) -> Evidence {
        let service = snapshot[site.service]
        let near = SiteReports(site, reports, staleAfter: staleAfter, now: now)
        if let gone = goodbye(near) { return gone }

        let troubles = majority(of: near.serving) { $0.troubles(of: service) }
        if !troubles.isEmpty { return Evidence(finding: .down, reasons: troubles) }

        if let broken = dependencies.first(where: { !$0.healthy }) {
            return Evidence(finding: broken.frozen ? .frozen : .down, reasons: chain(broken))
        }
        if trustStatements {
            let statements = majority(of: near.serving) { report in report.statement(on: service).map { [$0] } ?? [] }
            if !statements.isEmpty { return Evidence(finding: .down, reasons: statements) }
        }

        let votes = votes(service.name, snapshot[site.region].name)
        if !near.serving.isEmpty {
            // The region speaks for itself; only a majority of all vantage points may contradict it.
            if !frozen, votes.majorityDown, votes.isQuorum { return Evidence(finding: .down, reasons: votes.reasons) }
            return Evidence(finding: .healthy, reasons: near.serving.map { serves($0.report, service) })
        }
        if frozen, !isWitnessed(service.name, site.region) {
            return Evidence(finding: .frozen, reasons: silence(near.silent) + votes.reasons)
        }
        if votes.majorityDown { return Evidence(finding: .down, reasons: votes.reasons + silence(near.silent)) }
        if votes.up > 0 {
            // Seen from outside it answers, though its nodes start or cannot be heard.
            let isSettled = near.starting.isEmpty && near.awaited.isEmpty
            return Evidence(finding: isSettled ? .healthy : .hold, reasons: votes.reasons)
        }
        if !near.starting.isEmpty {
            return Evidence(finding: .hold, reasons: near.starting.map { said($0, "is starting") })
        }
        if !near.awaited.isEmpty {
            return Evidence(finding: .hold, reasons: near.awaited.map { said($0, "not heard since the restart") })
        }
        if !near.silent.isEmpty { return Evidence(finding: .down, reasons: silence(near.silent)) }
        return Evidence(finding: .nothing, reasons: [])
    }

    /// All that were heard of the site took leave, or fell silent after the others did.
    private func goodbye(_ near: SiteReports) -> Evidence? {
        guard near.serving.isEmpty, near.starting.isEmpty, near.awaited.isEmpty,
            !near.left.isEmpty || !near.draining.isEmpty
        else { return nil }
        // Whoever is merely silent may still serve while this node cannot hear.
        if frozen, !near.silent.isEmpty { return nil }
        let reasons = near.left.map { said($0, "is leaving") } + near.draining.map { said($0, "is draining") }
        return Evidence(finding: .downAtOnce, reasons: reasons + silence(near.silent))
    }

    /// The complaints of the serving nodes when more than half of them have one.
    private func majority(
        of serving: [HeardReport], complaints: (Report) -> [Verdict.Reason]
    ) -> [Verdict.Reason] {
        let found = serving.map { $0.isForcedUp ? [] : complaints($0.report) }.filter { !$0.isEmpty }
        return found.count * 2 > serving.count ? found.flatMap { $0 } : []
    }

    private func chain(_ broken: Verdict) -> [Verdict.Reason] {
        let name = snapshot[broken.service].name
        let head = Verdict.Reason(
            source: name, text: "depends on \(name), which is down in \(snapshot[broken.region].name)")
        return [head]
            + broken.reasons.map { Verdict.Reason(source: $0.source, text: $0.text, depth: $0.depth + 1) }
    }

    /// Whether somebody else cannot hear the region either, so that it, and not this node, is what broke: our own check of it
    /// fails, while in a third region, which is neither it nor our own, our check passes and a node speaks that was heard well
    /// after the silence began. That node relays all that it hears, and it has nothing newer from the silent ones.
    private func isWitnessed(_ service: String, _ region: RegionID) -> Bool {
        guard let mine = reports[own]?.report.observations, let home = map.nodeRegions[own],
            mine.contains(where: { $0.service == service && $0.region == snapshot[region].name && !$0.up })
        else { return false }
        return reports.contains { name, heard in
            guard name != own, let place = map.nodeRegions[name], place != home, place != region,
                heard.report.state == .serving, !heard.isRestored, now - heard.heardAt <= staleAfter / 2
            else { return false }
            let theirs = mine.filter { $0.region == snapshot[place].name }
            return !theirs.isEmpty && theirs.allSatisfy(\.up)
        }
    }

    // MARK: - Votes

    private struct Votes {
        var up = 0
        var down = 0
        /// Vantage points that were ever heard and did not take leave.
        var known = 0
        var reasons: [Verdict.Reason] = []

        var majorityDown: Bool { down > up }
        /// More than half of all vantage points voted.
        var isQuorum: Bool { (up + down) * 2 > known }
    }

    private func votes(_ service: String, _ region: String) -> Votes {
        var votes = Votes()
        for (name, tier) in map.nodeTiers where tier == .dns {
            guard let heard = reports[name], heard.report.state != .leaving else { continue }
            votes.known += 1
            guard now - heard.heardAt <= staleAfter, !heard.isRestored,
                let seen = heard.report.observations.first(where: { $0.service == service && $0.region == region })
            else { continue }
            if seen.up {
                votes.up += 1
            } else {
                votes.down += 1
                votes.reasons.append(Verdict.Reason(source: name, text: "cannot reach \(region): \(seen.reason)"))
            }
        }
        if votes.down == 0, votes.up > 0 {
            votes.reasons = [
                Verdict.Reason(source: "checks", text: "\(votes.up) of \(votes.up) vantage points reach it")
            ]
        }
        votes.reasons.sort { $0.source < $1.source }
        return votes
    }

    // MARK: - Words

    private func serves(_ report: Report, _ service: Service) -> Verdict.Reason {
        let facts = report.pools.filter { $0.service == service.name }
        if facts.isEmpty { return Verdict.Reason(source: report.node, text: "serves \(service.name)") }
        let up = facts.reduce(0) { $0 + $1.up }
        let total = facts.reduce(0) { $0 + $1.total }
        return Verdict.Reason(source: report.node, text: "\(service.name): \(up) of \(total) endpoints up")
    }

    private func said(_ heard: HeardReport, _ what: String) -> Verdict.Reason {
        Verdict.Reason(source: heard.report.node, text: what)
    }

    private func silence(_ silent: [HeardReport]) -> [Verdict.Reason] {
        silent.map { said($0, "silent for \((now - $0.heardAt).milliseconds / 1000) s") }
    }
}
