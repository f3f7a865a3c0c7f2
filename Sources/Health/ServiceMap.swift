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
    /// By service: the longest ramp of the names that answer with it.
    package let ramps: [Duration]
    /// Services that DNS names answer with: these can fail open.
    package let named: Set<ServiceID>
    /// Addresses that DNS nodes look at, each with the longest ramp of the names that answer with it.
    package let addressRamps: [VerdictSite: Duration]
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
        for name in snapshot.dns.zones.flatMap(\.names) {
            for looked in name.lookedAt {
                let owner = looked.service.map { VerdictSite.Owner.service(snapshot[$0].name) } ?? .name(name.name)
                let site = VerdictSite(.address(looked.address, of: owner), in: snapshot[looked.region].name)
                addressRamps[site] = max(addressRamps[site] ?? .zero, name.ramp)
            }
            for candidate in name.leaves {
                guard let service = candidate.service, let region = candidate.region else { continue }
                named.insert(service)
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
        self.ramps = ramps
        self.named = named
        self.addressRamps = addressRamps
        nodeTiers = Dictionary(snapshot.nodes.map { ($0.name, $0.tier) }) { first, _ in first }
        nodeRegions = Dictionary(snapshot.nodes.map { ($0.name, $0.region) }) { first, _ in first }
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
