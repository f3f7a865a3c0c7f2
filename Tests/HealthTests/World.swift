import Health
import Model

/// Three regions, each with an L7 and an L4 node, and DNS nodes in one region after the other, told what to say by a test. DNS
/// nodes look at all regions, L7 nodes at those of others.
struct World {
    static let regions = ["us", "eu", "ap"]
    let snapshot: Snapshot
    let map: ServiceMap
    var reports: [String: HeardReport] = [:]
    var engine = VerdictEngine()
    var overrides = OverrideSet()
    var sights: [Sight] = []
    var now = Timestamp(milliseconds: 1_700_000_000_000)

    init(
        vantages: Int = 1, damping: Damping = Damping(rise: .zero, fall: .zero), ramp: Duration = .zero,
        failStaticShare: Int = 60, addresses: [IPAddress] = [], twins: Bool = false,
        fall: Int = 1
    ) {
        let regions = Self.regions.map { Region(name: $0, location: Location(), address: nil, capacity: nil) }
        var nodes: [Node] = (1...vantages).map { Self.node("dns-\($0)", .dns, RegionID(($0 - 1) % 3)) }
        for index in regions.indices {
            nodes.append(Self.node("l7-\(regions[index].name)", .l7, RegionID(index)))
            if twins { nodes.append(Self.node("l7b-\(regions[index].name)", .l7, RegionID(index))) }
            nodes.append(Self.node("l4-\(regions[index].name)", .l4, RegionID(index)))
        }
        let database = Service(name: "db", dependsOn: [], threshold: 1, requires: .primary)
        let shop = Service(name: "shop", dependsOn: [ServiceID(1)], threshold: 50, requires: .any)
        var endpoints: [Endpoint] = []
        var ids: [[EndpointID]] = [[], []]
        for pool in 0...1 {
            for region in regions.indices {
                ids[pool].append(EndpointID(endpoints.count))
                let address = SocketAddress(IPAddress(v4: 0x7f00_0001), port: UInt16(1000 + endpoints.count))
                endpoints.append(Endpoint(pool: PoolID(pool), region: RegionID(region), address: address, weight: 1))
            }
        }
        let timeouts = PoolTimeouts(connect: .seconds(1), response: .seconds(1), idle: .seconds(1))
        func pool(_ name: String, _ kind: Pool.Kind, _ service: Int, _ endpoints: [EndpointID]) -> Pool {
            Pool(
                name: name, kind: kind, service: ServiceID(service), balance: .roundRobin, check: nil, ejection: nil,
                timeouts: timeouts, keepalive: 0, endpoints: endpoints, closeOnDown: true)
        }
        let name = DynamicName(
            name: "www.shop.test.", ttl: 5, service: ServiceID(0),
            check: addresses.isEmpty
                ? nil : HealthCheck(probe: .tcp, interval: .seconds(1), timeout: .seconds(1), rise: 1, fall: fall),
            checkPort: 80,
            candidates: regions.indices.map { region in
                DynamicName.Candidate(
                    region: RegionID(region),
                    records: addresses.map { DynamicName.RecordText(type: "A", data: "\($0)") })
            }, steps: [], ramp: ramp)
        snapshot = Snapshot(
            fingerprint: 1, regions: regions, nodes: nodes, services: [shop, database],
            pools: [pool("web", .http, 0, ids[0]), pool("orders", .tcp, 1, ids[1])], endpoints: endpoints,
            dns: DNSPlan(
                port: 53, zones: [DNSPlan.Zone(origin: "shop.test.", file: "z", names: [name])], locations: nil,
                maximumUDPSize: 1232),
            http: HTTPPlan(listeners: [], routes: []), tcp: TCPPlan(listeners: []),
            federation: FederationPlan(
                keys: [], interval: .seconds(1), staleAfter: .seconds(5), clockSkew: .seconds(30),
                failStaticShare: failStaticShare, damping: damping))
        map = ServiceMap(snapshot)
        for node in nodes { say(node.name) }
    }

    private static func node(_ name: String, _ tier: Tier, _ region: RegionID) -> Node {
        Node(
            name: name, tier: tier, region: region, address: IPAddress(v4: 0x7f00_0001), workers: 1, admin: nil,
            adminToken: nil, federation: SocketAddress(IPAddress(v4: 0x7f00_0001), port: 7000), drainTimeout: .zero,
            log: LogSettings())
    }

    /// `name` reports now. `up` of its two endpoints are up; `primaries` among them for L4 nodes; DNS and L7 nodes see `down`,
    /// or `watching`.
    mutating func say(
        _ name: String, state: Report.State = .serving, up: Int = 2, primaries: Int = 1, troubles: [String] = [],
        seesDown down: Set<String> = [], reason: String = "refused", stating: [Observation] = [],
        watching: [Observation]? = nil
    ) {
        guard let id = snapshot.node(named: name) else { return }
        let node = snapshot[id]
        let home = snapshot[node.region].name
        var pools: [PoolFact] = []
        switch node.tier {
        case .l7: pools = [PoolFact(pool: "web", service: "shop", up: up, total: 2, troubles: troubles)]
        case .l4:
            pools = [
                PoolFact(
                    pool: "orders", service: "db", up: up, total: 2, primaries: min(primaries, up), replicas: 0,
                    troubles: troubles)
            ]
        case .dns: break
        }
        let places = node.tier == .l4 ? [] : Self.regions.filter { node.tier == .dns || $0 != home }
        let votes =
            watching
            ?? places.map { region in
                let isDown = down.contains(region)
                return Observation(service: "shop", region: region, up: !isDown, reason: isDown ? reason : "")
            }
        let observations = stating + votes
        let report = Report(
            node: name, tier: node.tier, region: snapshot[node.region].name, incarnation: 1, sequence: 1,
            issuedAt: now, state: state, configuration: 1, pools: pools, observations: observations, rate: 0)
        reports[name] = HeardReport(report: report, heardAt: now)
    }

    /// All but `silent` repeat what they said last.
    mutating func repeatAll(except silent: Set<String> = []) {
        for (name, heard) in reports where !silent.contains(name) && heard.report.state != .leaving {
            reports[name] = HeardReport(report: heard.report, heardAt: now)
        }
    }

    /// All who look from `places` see `down`, and nothing else of them changes.
    mutating func look(_ places: [String] = Self.regions, down: Set<String>, reason: String = "refused") {
        for (name, heard) in reports where heard.report.tier != .l4 && places.contains(heard.report.region) {
            guard heard.report.state != .leaving else { continue }
            var report = heard.report
            report.observations = report.observations.map { seen in
                if seen.region == report.region, report.tier != .dns { return seen }
                let isDown = down.contains(seen.region)
                return Observation(
                    service: seen.service, region: seen.region, up: !isDown, reason: isDown ? reason : "")
            }
            reports[name] = HeardReport(report: report, heardAt: now)
        }
    }

    mutating func judge(own: String = "dns-1") -> Evaluation {
        engine.evaluate(
            Known(reports: reports, sights: sights, overrides: OverrideRules(overrides.live(at: now))), own: own,
            snapshot: snapshot, map: map, trustStatements: true, now: now)
    }

    func verdict(_ service: String, _ region: String, in evaluation: Evaluation) -> Verdict? {
        evaluation.verdicts.first {
            snapshot[$0.service].name == service && snapshot[$0.region].name == region
        }
    }

    /// The regions where shop is down after judging now.
    mutating func down(own: String = "dns-1") -> Set<String> {
        let evaluation = judge(own: own)
        return Set(Self.regions.filter { verdict("shop", $0, in: evaluation)?.healthy == false })
    }
}
