package import Model

/// How this node's own checks see one address that DNS names answer with.
package struct Sight: Sendable, Hashable {
    package let owner: VerdictSite.Owner
    package let region: String
    package let address: SocketAddress
    package let up: Bool
    /// Why it is down; empty when it is up.
    package let reason: String

    package init(
        _ owner: VerdictSite.Owner, region: String, address: SocketAddress, up: Bool, reason: String = ""
    ) {
        self.owner = owner
        self.region = region
        self.address = address
        self.up = up
        self.reason = reason
    }

    package var site: VerdictSite { VerdictSite(.address(address, of: owner), in: region) }
}

/// Whether one address can be answered with: for all names of a service, or for one name that belongs to none.
package struct AddressVerdict: Sendable, Hashable {
    package let owner: VerdictSite.Owner
    package let region: String
    package let address: SocketAddress
    /// What evidence says, whatever an operator does.
    package let isAlive: Bool
    /// The same under an operator's word on the name.
    package let healthy: Bool
    /// 0 ... 1 of its fair share, below 1 while it returns after a failure.
    package let share: Double
    package let since: Timestamp
    package let stale: Bool
    package let frozen: Bool
    package let forced: Override.Action?
    package let heldUntil: Timestamp?
    package let reasons: [Verdict.Reason]

    package init(
        owner: VerdictSite.Owner, region: String, address: SocketAddress, isAlive: Bool, healthy: Bool,
        share: Double = 1, since: Timestamp, stale: Bool = false, frozen: Bool = false,
        forced: Override.Action? = nil, heldUntil: Timestamp? = nil, reasons: [Verdict.Reason]
    ) {
        self.owner = owner
        self.region = region
        self.address = address
        self.isAlive = isAlive
        self.healthy = healthy
        self.share = share
        self.since = since
        self.stale = stale
        self.frozen = frozen
        self.forced = forced
        self.heldUntil = heldUntil
        self.reasons = reasons
    }

    /// The service, or the name.
    package var subject: String {
        switch owner {
        case .service(let name), .name(let name): name
        }
    }
}

/// What all vantage points say of the addresses of services. An address is down when more of them found it so than found
/// it up; who did not look, or cannot tell, has no vote. Names without a service go by this node's own checks alone.
struct AddressVotes {
    private struct Count {
        var up = 0
        var reasons: [Verdict.Reason] = []
    }

    private var counts: [VerdictSite: Count] = [:]
    private let frozen: Bool

    /// - Parameters:
    ///   - rule: what the reports are, and who they are from.
    ///   - sights: this node's own.
    ///   - known: sites of addresses that somebody found down before.
    init(_ rule: VerdictRule, sights: [Sight], known: some Sequence<VerdictSite>) {
        frozen = rule.frozen
        for site in known { counts[site] = Count() }
        let peers = rule.map.nodeTiers.compactMap { name, tier -> Report? in
            guard tier == .dns, name != rule.own, let heard = rule.reports[name], heard.report.state != .leaving,
                !heard.isRestored, rule.now - heard.heardAt <= rule.snapshot.federation.staleAfter
            else { return nil }
            return heard.report
        }
        for sight in sights where !sight.up { count(sight.site, Verdict.Reason(source: rule.own, text: sight.reason)) }
        for report in peers {
            for seen in report.observations {
                for trouble in seen.down {
                    let site = VerdictSite(.address(trouble.address, of: .service(seen.service)), in: seen.region)
                    // A peer may know of addresses that we do not answer with.
                    guard rule.map.addressRamps[site] != nil else { continue }
                    count(site, Verdict.Reason(source: report.node, text: trouble.reason))
                }
            }
        }
        if counts.isEmpty { return }
        for sight in sights where sight.up {
            if case .service = sight.owner { counts[sight.site]?.up += 1 }
        }
        for report in peers { countUp(report) }
    }

    private mutating func count(_ site: VerdictSite, _ reason: Verdict.Reason) {
        guard case .address(_, of: .service) = site.subject else { return }
        counts[site, default: Count()].reasons.append(reason)
    }

    private mutating func countUp(_ report: Report) {
        for site in Array(counts.keys) {
            guard case .address(let address, of: .service(let service)) = site.subject,
                let seen = report.observations.first(where: { $0.service == service && $0.region == site.region }),
                seen.tellsAddresses, !seen.down.contains(where: { $0.address == address })
            else { continue }
            counts[site]?.up += 1
        }
    }

    /// Sorted, so that events come in one order.
    var sites: [VerdictSite] {
        counts.keys.sorted { ($0.text, $0.region) < ($1.text, $1.region) }
    }

    func evidence(_ site: VerdictSite) -> Evidence {
        let count = counts[site] ?? Count()
        let reasons = count.reasons.sorted { $0.source < $1.source }
        if reasons.count + count.up == 0 { return Evidence(finding: .nothing, reasons: []) }
        // Whoever lost most of its peers may be the one that cannot reach anybody.
        if frozen { return Evidence(finding: .frozen, reasons: reasons) }
        if reasons.count > count.up { return Evidence(finding: .down, reasons: reasons) }
        let all = reasons.count + count.up
        let word = Verdict.Reason(source: "checks", text: "\(count.up) of \(all) vantage points reach it")
        return Evidence(finding: .healthy, reasons: [word] + reasons)
    }
}
