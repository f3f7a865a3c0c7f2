package import Model

/// Who serves and who watches each service in each region: what a snapshot says about verdicts, looked up once.
package struct ServiceMap: Sendable {
    /// One service in one region that offers it.
    package struct Site: Sendable, Hashable {
        package let service: ServiceID
        package let region: RegionID
        /// Names of the nodes that serve it: the region's L7 nodes for HTTP pools, its L4 nodes for TCP pools.
        package let servers: [String]
    }

    /// Dependencies come before what depends on them.
    package let sites: [Site]
    private let indices: [SiteName: Int]
    /// By service: the longest ramp of the names that answer with it.
    package let ramps: [Duration]
    /// Services that DNS names answer with: these can fail open.
    package let named: Set<ServiceID>
    /// Addresses that DNS nodes look at, each with the longest ramp of the names that answer with it.
    package let addressRamps: [VerdictSite: Duration]
    /// By service that DNS names check: how fast their checks are.
    package let paces: [String: CheckPace]
    /// Nodes with an address for federation. Others hear nobody, and nobody hears them.
    package let audible: Set<String>
    package let nodeTiers: [String: Tier]
    package let nodeRegions: [String: RegionID]

    package init(_ snapshot: Snapshot) {
        var tiers: [ServiceID: [RegionID: Set<Tier>]] = [:]
        for endpoint in snapshot.endpoints {
            let pool = snapshot[endpoint.pool]
            guard let service = pool.service else { continue }
            tiers[service, default: [:]][endpoint.region, default: []].insert(pool.kind == .http ? .l7 : .l4)
        }
        var ramps = [Duration](repeating: .zero, count: snapshot.services.count)
        var named: Set<ServiceID> = []
        var addressRamps: [VerdictSite: Duration] = [:]
        var paces: [String: CheckPace] = [:]
        for name in snapshot.dns.zones.flatMap(\.names) {
            for looked in name.lookedAt {
                let owner = looked.service.map { VerdictSite.Owner.service(snapshot[$0].name) } ?? .name(name.name)
                let site = VerdictSite(.address(looked.address, of: owner), in: snapshot[looked.region].name)
                addressRamps[site] = max(addressRamps[site] ?? .zero, name.ramp)
            }
            for candidate in name.leaves {
                guard let service = candidate.service, let region = candidate.region else { continue }
                named.insert(service)
                if let check = name.check { paces[snapshot[service].name, default: CheckPace(check)].widen(check) }
                ramps[service.index] = max(ramps[service.index], name.ramp)
                _ = tiers[service, default: [:]][region, default: []]
            }
        }
        var sites: [Site] = []
        for service in Self.dependenciesFirst(snapshot) {
            for (region, tiers) in (tiers[service] ?? [:]).sorted(by: { $0.key < $1.key }) {
                let servers = snapshot.nodes.filter { $0.region == region && tiers.contains($0.tier) }.map(\.name)
                sites.append(Site(service: service, region: region, servers: servers))
            }
        }
        self.sites = sites
        indices = Dictionary(
            sites.enumerated().map { index, site in
                (SiteName(service: snapshot[site.service].name, region: snapshot[site.region].name), index)
            }, uniquingKeysWith: { first, _ in first })
        self.ramps = ramps
        self.named = named
        self.addressRamps = addressRamps
        self.paces = paces
        audible = Set(snapshot.nodes.filter { $0.federation != nil }.map(\.name))
        nodeTiers = Dictionary(snapshot.nodes.map { ($0.name, $0.tier) }) { first, _ in first }
        nodeRegions = Dictionary(snapshot.nodes.map { ($0.name, $0.region) }) { first, _ in first }
    }

    private struct SiteName: Hashable {
        let service: String
        let region: String
    }

    /// - Returns: the position in `sites`; nil where nobody offers the service.
    package func index(service: String, region: String) -> Int? {
        indices[SiteName(service: service, region: region)]
    }

    /// Depth-first order; a cycle (which a valid topology has not) is cut where it closes.
    private static func dependenciesFirst(_ snapshot: Snapshot) -> [ServiceID] {
        var order: [ServiceID] = []
        var seen: Set<ServiceID> = []
        func visit(_ service: ServiceID) {
            guard seen.insert(service).inserted else { return }
            for dependency in snapshot[service].dependsOn { visit(dependency) }
            order.append(service)
        }
        for index in snapshot.services.indices { visit(ServiceID(index)) }
        return order
    }
}

/// How fast the checks of the names of one service are.
package struct CheckPace: Sendable, Hashable {
    /// How long an address fails, at least, before a check calls it failed.
    package private(set) var noticing: Duration
    /// How long it answers, at most, before every check calls it up again.
    package private(set) var returning: Duration

    init(_ check: HealthCheck) {
        // The first failure may come at once, the others an interval apart.
        noticing = check.interval * (max(1, check.fall) - 1)
        returning = (check.interval + check.timeout) * max(1, check.rise)
    }

    mutating func widen(_ check: HealthCheck) {
        let other = CheckPace(check)
        noticing = min(noticing, other.noticing)
        returning = max(returning, other.returning)
    }
}
