import Model

/// What is kept between evaluations of what vantage points said: where to find it in their reports, and since when they speak
/// against whom.
struct VantageMemory: Sendable {
    private struct Entry {
        var incarnation: UInt64
        var observations: [Observation]
        /// By site of the map: where in `observations`, or -1. Looked up for each site and node ten times a second.
        var positions: [Int32]
        /// By service, or address: when the report came in which it was first said to be down.
        var against: [VerdictSite: Timestamp]
    }

    private var entries: [String: Entry] = [:]
    /// What `positions` are about.
    private var sites: [ServiceMap.Site] = []

    /// Takes the reports of a moment. What has not changed since the last is not looked at again.
    mutating func note(_ reports: [String: HeardReport], _ map: ServiceMap) {
        if sites != map.sites {
            sites = map.sites
            for name in entries.keys { entries[name]?.observations = [] }
        }
        for (name, heard) in reports {
            let report = heard.report
            let old = entries[name]
            // Arrays that share their storage, as those of one report do, are equal at a glance.
            if let old, old.incarnation == report.incarnation, old.observations == report.observations { continue }
            let known = old?.incarnation == report.incarnation ? old?.against ?? [:] : [:]
            var entry = Entry(
                incarnation: report.incarnation, observations: report.observations,
                positions: [Int32](repeating: -1, count: map.sites.count), against: [:])
            for (position, seen) in report.observations.enumerated() {
                if let site = map.index(service: seen.service, region: seen.region) {
                    entry.positions[site] = Int32(truncatingIfNeeded: position)
                }
                if !seen.up {
                    let site = VerdictSite(.service(seen.service), in: seen.region)
                    entry.against[site] = known[site] ?? heard.heardAt
                }
                for trouble in seen.down {
                    let site = VerdictSite(.address(trouble.address, of: .service(seen.service)), in: seen.region)
                    entry.against[site] = known[site] ?? heard.heardAt
                }
            }
            entries[name] = entry
        }
        if entries.count > reports.count { entries = entries.filter { reports[$0.key] != nil } }
    }

    /// What `node` said of the site of that index.
    func observation(_ site: Int, of node: String) -> Observation? {
        guard let entry = entries[node], entry.positions.indices.contains(site), entry.positions[site] >= 0 else {
            return nil
        }
        return entry.observations[Int(entry.positions[site])]
    }

    /// Since when `node` says that `site` is down; nil when it does not.
    func since(_ site: VerdictSite, _ node: String) -> Timestamp? { entries[node]?.against[site] }
}

/// Who looks at services from outside: DNS nodes at all regions, others at whatever they do not serve themselves. Of what they
/// serve they state facts instead.
struct VantagePoints {
    struct Point {
        let name: String
        let region: RegionID
        let tier: Tier
        let heard: HeardReport
        /// Whether its word counts. Who was not heard lately, or not since a restart, is known to look, and has no vote.
        let isHeard: Bool
    }

    let points: [Point]
    private let memory: VantageMemory
    private let map: ServiceMap

    init(
        _ reports: [String: HeardReport], _ memory: VantageMemory, map: ServiceMap, hearing: Hearing,
        staleAfter: Duration, now: Timestamp
    ) {
        self.memory = memory
        self.map = map
        points = map.nodeRegions.compactMap { name, region in
            // The silent, like those who left, are no vantage points any more: with one of two dead, the other decides.
            guard let heard = reports[name], heard.report.state != .leaving, !hearing.silent.contains(name),
                !heard.report.observations.isEmpty, let tier = map.nodeTiers[name]
            else { return nil }
            return Point(
                name: name, region: region, tier: tier, heard: heard,
                isHeard: !heard.isRestored && now - heard.heardAt <= staleAfter)
        }
    }

    /// Those whose word on addresses of `region` is a vote.
    func looking(at region: RegionID) -> some Sequence<Point> {
        points.lazy.filter { $0.tier == .dns || $0.region != region }
    }

    /// What all of them say of a service in the region of `site`.
    func ballot(_ service: String, _ site: ServiceMap.Site, named region: String) -> Ballot {
        var ballot = Ballot(region: site.region, noticing: map.paces[service]?.noticing ?? .zero)
        guard let index = map.index(service: service, region: region) else { return ballot }
        let place = VerdictSite(.service(service), in: region)
        for point in points where point.tier == .dns || !site.servers.contains(point.name) {
            guard let seen = memory.observation(index, of: point.name) else { continue }
            ballot.add(
                point, up: seen.up, reason: "cannot reach \(region): \(seen.reason)",
                since: seen.up ? nil : memory.since(place, point.name))
        }
        return ballot
    }

    /// What `point` says of an address, and since when; nil when it does not tell.
    func word(
        on address: SocketAddress, of service: String, _ site: VerdictSite, from point: Point
    ) -> (up: Bool, reason: String, since: Timestamp?)? {
        guard let index = map.index(service: service, region: site.region),
            let seen = memory.observation(index, of: point.name)
        else { return nil }
        if let trouble = seen.down.first(where: { $0.address == address }) {
            return (false, trouble.reason, memory.since(site, point.name))
        }
        return seen.tellsAddresses ? (true, "", nil) : nil
    }

    func since(_ site: VerdictSite, _ node: String) -> Timestamp? { memory.since(site, node) }
}
