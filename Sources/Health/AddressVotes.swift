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

/// What all vantage points say of the addresses of services, one vote a region, as of services themselves. Who did not look, or
/// cannot tell, has no vote. Names without a service go by this node's own checks alone.
struct AddressVotes {
    /// Addresses that somebody finds down, or found down lately. Of thousands they are few.
    private var suspects: Set<VerdictSite> = []
    private let sights: [VerdictSite: Sight]
    private let rule: VerdictRule

    /// - Parameters:
    ///   - rule: what the reports are, and who they are from.
    ///   - sights: this node's own.
    ///   - known: sites of addresses that somebody found down before.
    init(_ rule: VerdictRule, sights: [Sight], known: some Sequence<VerdictSite>) {
        self.rule = rule
        suspects = Set(known)
        var own: [VerdictSite: Sight] = [:]
        for sight in sights {
            guard case .service = sight.owner else { continue }
            own[sight.site] = sight
            if !sight.up { suspects.insert(sight.site) }
        }
        self.sights = own
        for point in rule.vantages.points where point.isHeard && point.name != rule.own {
            for seen in point.heard.report.observations {
                for trouble in seen.down {
                    let site = VerdictSite(.address(trouble.address, of: .service(seen.service)), in: seen.region)
                    // A peer may know of addresses that we do not answer with.
                    if rule.map.addressRamps[site] != nil { suspects.insert(site) }
                }
            }
        }
    }

    /// Sorted, so that events come in one order.
    var sites: [VerdictSite] {
        suspects.sorted { ($0.text, $0.region) < ($1.text, $1.region) }
    }

    func evidence(_ site: VerdictSite) -> Evidence {
        guard case .address(let address, of: .service(let service)) = site.subject,
            let region = rule.snapshot.region(named: site.region)
        else { return Evidence(finding: .nothing, reasons: []) }
        var ballot = Ballot(region: region, noticing: rule.map.paces[service]?.noticing ?? .zero)
        for point in rule.vantages.looking(at: region) {
            if point.name == rule.own {
                guard let sight = sights[site] else { continue }
                ballot.add(
                    point, up: sight.up, reason: sight.reason, since: rule.vantages.since(site, point.name))
            } else if let word = rule.vantages.word(on: address, of: service, site, from: point) {
                ballot.add(point, up: word.up, reason: word.reason, since: word.since)
            }
        }
        let outcome = ballot.outcome(rule.hearing)
        if outcome.isAgainst { return Evidence(finding: .down, reasons: outcome.reasons) }
        // Who hears too few to know goes by what it knew.
        if outcome.isOpen || (outcome.known > 0 && outcome.up == 0) {
            return Evidence(finding: rule.hearing.isCutOff ? .frozen : .hold, reasons: outcome.reasons)
        }
        if outcome.known == 0 { return Evidence(finding: .nothing, reasons: []) }
        let word = Verdict.Reason(source: "checks", text: "\(outcome.up) of \(outcome.known) regions reach it")
        return Evidence(finding: .healthy, reasons: [word] + (outcome.down > 0 ? outcome.reasons : []))
    }
}
