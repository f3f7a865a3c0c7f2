import Model
import Testing
import Topology

/// The sample that README shows is a topology, and means what it says.
@Suite struct QuickstartTests {
    static let file = "topologies/quickstart/topology.yaml"
    /// The package's folder, from this file's place in it.
    static let package = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

    private let snapshot: Snapshot

    init() throws {
        snapshot = try TopologyLoader.load(path: "\(Self.package)/\(Self.file)")
    }

    @Test func everyProcessIsThere() {
        #expect(snapshot.regions.map(\.name) == ["us-east", "eu-west", "ap-south"])
        #expect(snapshot.nodes.map(\.name).count == 7)
        #expect(snapshot.nodes.map(\.tier) == [.dns, .l7, .l7, .l7, .l4, .l4, .l4])
        let node = snapshot.nodes[2]
        #expect(node.name == "l7-eu-west")
        #expect(node.address == IPAddress("127.0.2.1"))
        #expect(node.admin == SocketAddress("127.0.2.1:9080"))
        #expect(node.workers == 1)
        #expect(node.log == LogSettings())
    }

    @Test func servicesDependOnTheDatabase() throws {
        let database = try #require(snapshot.service(named: "orders-db"))
        let shop = try #require(snapshot.service(named: "shop"))
        #expect(snapshot[database].requires == .primary)
        #expect(snapshot[shop].dependsOn == [database])
        #expect(snapshot[shop].threshold == 50)
    }

    @Test func poolsHaveTheirEndpointsInEachRegion() throws {
        let orders = try #require(snapshot.pools.firstIndex { $0.name == "orders" }).pool
        let region = try #require(snapshot.region(named: "ap-south"))
        #expect(
            snapshot.endpoints(of: orders, in: region).map { snapshot[$0].address.description }
                == ["127.0.3.1:6432", "127.0.3.1:6433"])
        let check = try #require(snapshot[orders].check)
        #expect(
            check.probe
                == .postgresql(
                    PostgreSQLProbe(
                        user: "meridian", database: "postgres", password: .environment("MERIDIAN_DB_PASSWORD"),
                        maximumLag: .seconds(30))))
        #expect((check.interval, check.timeout, check.rise, check.fall) == (.seconds(1), .milliseconds(500), 3, 2))
        #expect(snapshot[orders].timeouts.idle == .seconds(3600))
        #expect(snapshot.endpoints.count == 18)
    }

    @Test func dynamicNamesSteerByPlace() throws {
        let zone = try #require(snapshot.dns.zones.first)
        #expect(zone.origin == "shop.test.")
        #expect(zone.file == "\(Self.package)/topologies/quickstart/shop.test.zone")
        let www = try #require(zone.names.first)
        #expect(www.name == "www.shop.test.")
        #expect(www.ttl == 5)
        #expect(www.checkPort == 8080)
        #expect(www.candidates.map { $0.records.map(\.data) } == [["127.0.1.1"], ["127.0.2.1"], ["127.0.3.1"]])
        try #require(www.steps.count == 3)
        guard case .geo(let geo) = www.steps[1] else {
            Issue.record("the second step is \(www.steps[1])")
            return
        }
        #expect(geo.continents["EU"] == [1, 0, 2])
        #expect(geo.prefixes[try #require(IPPrefix("10.3.128.0/17"))] == [1, 2, 0])
        #expect(geo.otherwise == [0, 1, 2])
        #expect(www.steps[0] == .healthy())
        #expect(www.steps[2] == .take(1))
        // An alias stands for the whole chain.
        #expect(zone.names[1].steps == www.steps)
    }

    @Test func requestsGoByHostAndPath() throws {
        let routes = snapshot.http.routes.map { ($0.name, $0.host, $0.path, snapshot[$0.pool].name) }
        try #require(routes.count == 3)
        #expect(routes[1] == ("shop-api", .exact("www.shop.test"), .prefix("/api"), "api"))
        let listener = try #require(snapshot.http.listeners.first)
        #expect(listener.limits == HTTPLimits(headSize: 16_384, headerCount: 100, bodySize: nil, connections: nil))
        #expect(snapshot.tcp.listeners.map(\.role) == [.primary, .replica])
    }

    @Test func nothingIsOddAboutIt() {
        let inspection = TopologyLoader.inspect(path: "\(Self.package)/\(Self.file)", lookingForFiles: true)
        #expect(inspection.diagnostics == [])
    }

    @Test func equalTextHasAnEqualFingerprint() throws {
        let again = try TopologyLoader.load(path: "\(Self.package)/\(Self.file)")
        #expect(again.fingerprint == snapshot.fingerprint)
        let minimal = "regions: {r: {address: 127.0.0.1}}\nnodes: {n: {tier: dns, region: r}}\n"
        let one = try TopologyLoader.load(text: minimal, file: "a.yaml")
        let other = try TopologyLoader.load(text: minimal + "#", file: "a.yaml")
        #expect(one.fingerprint == (try TopologyLoader.load(text: minimal, file: "/elsewhere/b.yaml")).fingerprint)
        #expect(one.fingerprint != other.fingerprint)
        #expect(one.fingerprint != snapshot.fingerprint)
    }
}

extension Int {
    fileprivate var pool: PoolID { PoolID(self) }
}
