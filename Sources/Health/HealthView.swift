package import Model

/// Whether a DNS name may be answered with a region, and the facts that decided it: verdict, own checks and overrides put
/// together.
package struct CandidateState: Sendable, Hashable {
    package var healthy: Bool
    /// 0 ... 1 of its fair share, below 1 while it returns.
    package var share: Double
    /// The operator's word that it follows. One that is drained should not be answered with even when nobody is healthy,
    /// as long as somebody else is there.
    package var forced: Override.Action?
    /// It stands as it was before a restart, and nothing has confirmed it yet.
    package var stale: Bool
    /// It stands only because this node lost most of its peers at once (fail-static).
    package var frozen: Bool
    /// The part of the service's servers there that is up, 0 ... 1; 1 when nobody counts them.
    package var upShare = 1.0
    /// What the region carries; nil when it is not known, which is not zero.
    package var load: RegionLoad?
    package var reasons: [Verdict.Reason]

    package init(
        healthy: Bool, share: Double = 1, forced: Override.Action? = nil, stale: Bool = false,
        frozen: Bool = false, reasons: [Verdict.Reason] = []
    ) {
        self.healthy = healthy
        self.share = share
        self.forced = forced
        self.stale = stale
        self.frozen = frozen
        self.reasons = reasons
    }

    /// What evidence says, under what an operator says.
    ///
    /// - Parameters:
    ///   - evidence: the verdict's part; healthy when there is no verdict.
    ///   - override: the latest that matches the candidate. Nil leaves the evidence as it is.
    /// - Returns: what answers go by.
    package static func merge(_ evidence: CandidateState, _ override: Override?) -> CandidateState {
        guard let override else { return evidence }
        var state = evidence
        let reason = override.verdictReason
        // A verdict that follows the same word has said so.
        if !state.reasons.contains(reason) { state.reasons.insert(reason, at: 0) }
        state.forced = override.action
        state.healthy = override.action == .up
        state.share = 1
        return state
    }
}

/// What is known of health at one moment, ready to be looked up by names. A value: it does not change while somebody
/// compiles answers from it.
package struct HealthView: Sendable {
    private struct Key: Hashable {
        let subject: String
        let region: String
    }

    private var verdicts: [Key: Verdict] = [:]
    private var addresses: [VerdictSite: AddressVerdict] = [:]
    /// Of names without a service, by region: their addresses there.
    private var names: [Key: [AddressVerdict]] = [:]
    private var loads: [LoadMeter.Key: RegionLoad] = [:]
    private var upShares: [LoadMeter.Key: Double] = [:]
    package private(set) var failOpen: Set<String> = []
    package private(set) var overrides = OverrideRules()

    package init() {}

    package init(
        _ evaluation: Evaluation, in snapshot: Snapshot, overrides: OverrideRules,
        loads: [LoadMeter.Key: RegionLoad] = [:], upShares: [LoadMeter.Key: Double] = [:]
    ) {
        self.loads = loads
        self.upShares = upShares
        for verdict in evaluation.verdicts {
            let key = Key(subject: snapshot[verdict.service].name, region: snapshot[verdict.region].name)
            verdicts[key] = verdict
        }
        for verdict in evaluation.addresses {
            addresses[VerdictSite(.address(verdict.address, of: verdict.owner), in: verdict.region)] = verdict
            if case .name(let name) = verdict.owner {
                names[Key(subject: name, region: verdict.region), default: []].append(verdict)
            }
        }
        failOpen = evaluation.failOpen
        self.overrides = overrides
    }

    package func verdict(service: String, region: String) -> Verdict? {
        verdicts[Key(subject: service, region: region)]
    }

    /// What `region` carries of `service`; nil when it is not known.
    package func load(service: String, region: String) -> RegionLoad? {
        loads[LoadMeter.Key(service: service, region: region)]
    }

    /// Sorted by service, then region.
    package var allLoads: [(key: LoadMeter.Key, load: RegionLoad)] {
        loads.map { (key: $0.key, load: $0.value) }
            .sorted { ($0.key.service, $0.key.region) < ($1.key.service, $1.key.region) }
    }

    /// The state of a candidate of `name` (absolute, lower case), which answers with `service` if that is not nil. What
    /// nobody has judged is healthy.
    package func candidate(name: String, service: String?, region: String) -> CandidateState {
        let override =
            overrides.isEmpty ? nil : overrides.candidate(name: name, service: service, region: region)
        var state = CandidateState.merge(evidence(name, service, region), override)
        if let service {
            let key = LoadMeter.Key(service: service, region: region)
            state.load = loads[key]
            state.upShare = upShares[key] ?? 1
        }
        return state
    }

    private func evidence(_ name: String, _ service: String?, _ region: String) -> CandidateState {
        if let service {
            guard let verdict = verdicts[Key(subject: service, region: region)] else {
                return CandidateState(healthy: true)
            }
            return CandidateState(
                healthy: verdict.healthy, share: verdict.share, forced: verdict.forced, stale: verdict.stale,
                frozen: verdict.frozen, reasons: verdict.reasons)
        }
        // A region is as healthy as the best address of the name there.
        guard let verdicts = names[Key(subject: name, region: region)], let first = verdicts.first else {
            return CandidateState(healthy: true)
        }
        let usable = verdicts.filter(\.healthy)
        let telling = usable.isEmpty ? verdicts : usable
        var reasons: [Verdict.Reason] = []
        for reason in telling.flatMap(\.reasons) where !reasons.contains(reason) { reasons.append(reason) }
        return CandidateState(
            healthy: !usable.isEmpty, share: telling.map(\.share).max() ?? 1, forced: first.forced,
            stale: verdicts.contains(where: \.stale), reasons: Array(reasons.prefix(8)))
    }

    /// What is known of one address that `name` answers with for `service`, or for itself; nil when nobody has judged it,
    /// which is as good as healthy.
    package func address(
        _ address: SocketAddress, name: String, service: String?, region: String
    ) -> AddressVerdict? {
        let owner = service.map(VerdictSite.Owner.service) ?? .name(name)
        return addresses[VerdictSite(.address(address, of: owner), in: region)]
    }

    /// Whether no address of a service has anything to tell.
    package var hasQuietServices: Bool {
        !addresses.contains { site, verdict in
            guard case .address(_, of: .service) = site.subject else { return false }
            return !verdict.isAlive || verdict.share < 1 || verdict.stale || verdict.frozen
        }
    }

    /// Sorted by service, then region.
    package var services: [(service: String, region: String, verdict: Verdict)] {
        verdicts.map { (service: $0.key.subject, region: $0.key.region, verdict: $0.value) }
            .sorted { ($0.service, $0.region) < ($1.service, $1.region) }
    }

    /// Addresses, sorted by service or name, region and address.
    package var lookedAt: [AddressVerdict] {
        addresses.values.sorted { one, other in
            (one.subject, one.region) != (other.subject, other.region)
                ? (one.subject, one.region) < (other.subject, other.region)
                : (one.address.address, one.address.port) < (other.address.address, other.address.port)
        }
    }

    /// How far a region's load must move, as a part of its capacity, to be worth new answers.
    static let loadStep = 0.02

    /// Whether what tiers act upon (health, how fresh it is, share, overrides, servers up, load by more than a little)
    /// differs.
    package func differs(from old: HealthView) -> Bool {
        loadsDiffer(from: old) || old.upShares != upShares || old.failOpen != failOpen || old.overrides != overrides
            || old.verdicts.count != verdicts.count
            || old.addresses.count != addresses.count
            || verdicts.contains { key, new in
                guard let old = old.verdicts[key] else { return true }
                return old.healthy != new.healthy || old.share != new.share || old.stale != new.stale
                    || old.frozen != new.frozen
            }
            || addresses.contains { site, new in
                guard let old = old.addresses[site] else { return true }
                return old.healthy != new.healthy || old.isAlive != new.isAlive || old.share != new.share
                    || old.stale != new.stale || old.frozen != new.frozen
            }
    }

    /// Regions without a capacity are never full: their load changes no answer.
    private func loadsDiffer(from old: HealthView) -> Bool {
        func weighty(_ view: HealthView) -> Int { view.loads.values.count { $0.capacity != nil } }
        guard weighty(self) == weighty(old) else { return true }
        return loads.contains { key, load in
            guard let now = load.utilization else { return false }
            guard let before = old.loads[key]?.utilization else { return true }
            return abs(now - before) >= Self.loadStep
        }
    }
}
