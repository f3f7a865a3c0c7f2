import Model

/// The rule: what the reports say about one site, given how its dependencies stand. No state, no damping.
///
/// Who is heard speaks for itself. Only a majority of regions that look from outside contradicts it, or decides about who is
/// not heard; where there is none, the last verdict stands. So nothing that happens to one observer, or to a minority that is
/// cut off with it, removes a region that works.
struct VerdictRule {
    let snapshot: Snapshot
    let map: ServiceMap
    let reports: [String: HeardReport]
    /// This node.
    let own: String
    let hearing: Hearing
    let vantages: VantagePoints
    let trustStatements: Bool
    let now: Timestamp

    /// How something that a site depends on stands in its region.
    struct Dependency {
        let verdict: Verdict
        let evidence: Evidence
    }

    private var plan: FederationPlan { snapshot.federation }

    /// What speaks for and against `site`, given the same region's services that it depends on. `isNew`: no evidence was ever
    /// seen of it by this process.
    func evidence(_ site: ServiceMap.Site, dependencies: [Dependency], isNew: Bool) -> Evidence {
        let service = snapshot[site.service]
        let near = SiteReports(site, reports, hearing, staleAfter: plan.staleAfter, now: now)
        let votes = vantages.ballot(service.name, site, named: snapshot[site.region].name).outcome(hearing)
        if let gone = goodbye(near, votes) { return gone }

        // Facts of those who serve: no matter who else is heard.
        let troubles = majority(of: near) { $0.troubles(of: service) }
        if !troubles.isEmpty { return Evidence(finding: .down, reasons: troubles, isFact: true) }

        var awaited: Dependency?
        for dependency in dependencies where !isHearsay(dependency.evidence, near, votes) {
            if let broken = broken(dependency) { return broken }
            if !dependency.verdict.healthy, dependency.verdict.forced == nil { awaited = awaited ?? dependency }
        }
        if trustStatements {
            let statements = majority(of: near) { report in report.statement(on: service).map { [$0] } ?? [] }
            if !statements.isEmpty { return Evidence(finding: .down, reasons: statements, isFact: true) }
        }

        let seen = seen(service, near, votes, isNew: isNew)
        if let awaited, seen.finding == .healthy || seen.finding == .nothing {
            return Evidence(finding: .waiting, reasons: chain(awaited))
        }
        return seen
    }

    // MARK: - Words of the region

    /// All that were heard of the site took leave. Those whose silence is decided do not keep it.
    private func goodbye(_ near: SiteReports, _ votes: Ballot.Outcome) -> Evidence? {
        // Whoever is merely lost may still serve, where this node cannot hear it.
        guard near.serving.isEmpty, near.starting.isEmpty, near.awaited.isEmpty, near.lost.isEmpty,
            !near.left.isEmpty || !near.draining.isEmpty
        else { return nil }
        // A goodbye is for one life. A node that came back with a wrong clock is refused by everybody, and the path of the
        // node that took over may be broken: once the one that left must be gone, most who look know better.
        let isOld = near.left.allSatisfy { now - $0.heardAt >= plan.staleAfter + plan.interval }
        // Nor does it speak for a node that is merely silent, and may be what answers.
        if near.draining.isEmpty, isOld || !near.silent.isEmpty, votes.isFor { return nil }
        let reasons = near.left.map { said($0, "is leaving") } + near.draining.map { said($0, "is draining") }
        return Evidence(finding: .downAtOnce, reasons: reasons + silence(near), isFact: true)
    }

    /// The complaints of the serving nodes when more than half of them have one. Those that are lost count as content: that
    /// they are not heard makes no majority of the others.
    private func majority(of near: SiteReports, complaints: (Report) -> [Verdict.Reason]) -> [Verdict.Reason] {
        let found = near.serving.map { $0.isForcedUp ? [] : complaints($0.report) }.filter { !$0.isEmpty }
        return found.count * 2 > near.serving.count + near.lost.count ? found.flatMap { $0 } : []
    }

    // MARK: - Dependencies

    /// What follows when a dependency does not work. Its evidence counts, not its verdict, which is damped: so both are damped
    /// at once, and not one after the other.
    private func broken(_ dependency: Dependency) -> Evidence? {
        let (verdict, evidence) = (dependency.verdict, dependency.evidence)
        if verdict.forced != nil {
            return verdict.healthy ? nil : Evidence(finding: .down, reasons: chain(dependency))
        }
        switch evidence.finding {
        case .down, .downAtOnce:
            return Evidence(finding: evidence.finding, reasons: chain(dependency), isFact: evidence.isFact)
        case .frozen where !verdict.healthy: return Evidence(finding: .frozen, reasons: chain(dependency))
        case .hold where !verdict.healthy: return Evidence(finding: .down, reasons: chain(dependency))
        default: return nil
        }
    }

    /// Whether something that it depends on is only silent, in a region that is not heard at all and that answers those who
    /// look. What carries the region's words broke then, and nothing that users need.
    private func isHearsay(_ evidence: Evidence, _ near: SiteReports, _ votes: Ballot.Outcome) -> Bool {
        evidence.isSilence && near.serving.isEmpty && near.starting.isEmpty && near.draining.isEmpty && votes.isFor
    }

    private func chain(_ dependency: Dependency) -> [Verdict.Reason] {
        let verdict = dependency.verdict
        let name = snapshot[verdict.service].name
        let head = Verdict.Reason(
            source: name, text: "depends on \(name), which is down in \(snapshot[verdict.region].name)")
        return [head]
            + verdict.reasons.map { Verdict.Reason(source: $0.source, text: $0.text, depth: $0.depth + 1) }
    }

    // MARK: - What is seen from outside

    private func seen(_ service: Service, _ near: SiteReports, _ votes: Ballot.Outcome, isNew: Bool) -> Evidence {
        if votes.isAgainst {
            // Checks that failed before the region's nodes listened say nothing of it. When everything starts at once, they
            // would take it down for as long as they need to return.
            if isNew, hasJustBegun(near, service) { return Evidence(finding: .hold, reasons: votes.reasons) }
            return Evidence(finding: .down, reasons: votes.reasons + silence(near))
        }
        if !near.serving.isEmpty {
            // The region speaks for itself. With votes against it that are no majority, and none for it, nothing changes: they
            // may be what is left of a majority that is not heard any more.
            if votes.isOpen { return Evidence(finding: .hold, reasons: votes.reasons) }
            return Evidence(finding: .healthy, reasons: near.serving.map { serves($0.report, service) })
        }
        if !near.lost.isEmpty {
            // The silence is young, or this node is what broke. What was heard before is not what is.
            return Evidence(
                finding: hearing.isCutOff ? .frozen : .hold, reasons: silence(near) + votes.reasons)
        }
        if !near.starting.isEmpty {
            return Evidence(finding: .hold, reasons: near.starting.map { said($0, "is starting") } + votes.reasons)
        }
        if !near.awaited.isEmpty {
            return Evidence(
                finding: .hold, reasons: near.awaited.map { said($0, "not heard since the restart") } + votes.reasons)
        }
        // Nobody there is heard by more than half of the regions, which pass on all that they hear; some may reach it all the
        // same, and then its silence proves nothing.
        if votes.up > 0 {
            return Evidence(
                finding: votes.isOpen ? .hold : .healthy, reasons: votes.reasons + (votes.isOpen ? silence(near) : []))
        }
        if !near.silent.isEmpty || !near.absent.isEmpty {
            return Evidence(finding: .down, reasons: votes.reasons + silence(near), isSilence: true)
        }
        if votes.isOpen { return Evidence(finding: .hold, reasons: votes.reasons) }
        return Evidence(finding: .nothing, reasons: [])
    }

    /// How long a node may take from its start until it listens to users.
    private static let opening = Duration.seconds(5)

    /// Whether everybody there started so lately that checks cannot have seen it work yet.
    private func hasJustBegun(_ near: SiteReports, _ service: Service) -> Bool {
        let youth = Self.opening + (map.paces[service.name]?.returning ?? .zero)
        // By the node's own clock, whatever it shows.
        let all = near.serving + near.starting
        return !all.isEmpty
            && all.allSatisfy { heard in
                let age = heard.report.issuedAt.milliseconds - Int64(clamping: heard.report.incarnation)
                return age + (now - heard.heardAt).milliseconds <= youth.milliseconds
            }
    }

    // MARK: - Phrases

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

    private func silence(_ near: SiteReports) -> [Verdict.Reason] {
        (near.silent + near.lost).map { said($0, "silent for \((now - $0.heardAt).milliseconds / 1000) s") }
            + near.absent.map { Verdict.Reason(source: $0, text: "never heard") }
    }
}
