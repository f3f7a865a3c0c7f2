import Glibc
import Model
import Testing
import Topology

/// What is written, and what it means.
@Suite struct MeaningTests {
    private static func load(_ original: String, _ replacement: String) throws -> Snapshot {
        let text = GoodTopology.text.replacing(original, with: replacement, maxReplacements: 1)
        try #require(text != GoodTopology.text)
        return try TopologyLoader.load(text: text, file: "/t/main.yaml")
    }

    @Test(arguments: [
        ("500ms", Duration.milliseconds(500)), ("0s", .zero), ("1.5s", .milliseconds(1_500)),
        ("0.25s", .milliseconds(250)), ("2m", .seconds(120)), ("1h", .seconds(3600)), ("0.001h", .milliseconds(3_600)),
    ])
    func durations(_ text: String, _ value: Duration) throws {
        let snapshot = try Self.load("drainTimeout: 5s", "drainTimeout: \(text)")
        #expect(snapshot.nodes[1].drainTimeout == value)
    }

    @Test(arguments: [("1KiB", 1_024), ("16KiB", 16_384), ("2000B", 2_000)])
    func sizes(_ text: String, _ value: Int) throws {
        let snapshot = try Self.load("headSize: 8KiB", "headSize: \(text)")
        #expect(snapshot.http.listeners[1].limits.headSize == value)
    }

    @Test(arguments: [("0s", 0), ("90s", 90), ("5m", 300), ("1d", 86_400), ("2147483647s", 2_147_483_647)])
    func timesToLive(_ text: String, _ value: UInt32) throws {
        #expect(try Self.load("ttl: 30s", "ttl: \(text)").dns.zones[0].names[0].ttl == value)
    }

    @Test func keepalive() throws {
        let text = GoodTopology.text.replacing(
            "closeOnDown: true", with: "closeOnDown: true\n    keepalive: {idle: 20s, interval: 5s, count: 3}")
        let pool = try TopologyLoader.load(text: text, file: "/t/main.yaml").pools[1]
        #expect(pool.watch == Keepalive(idle: .seconds(20), interval: .seconds(5), count: 3))
        #expect(pool.watch.patience == .seconds(35))
        #expect(pool.keepalive == 64)
        let number = GoodTopology.text.replacing("closeOnDown: true", with: "closeOnDown: true\n    keepalive: 7")
        let kept = try TopologyLoader.load(text: number, file: "/t/main.yaml").pools[1]
        #expect(kept.keepalive == 7 && kept.watch == .standard)
        let asked = GoodTopology.text.replacing("pool: orders,", with: "pool: orders, keepalive: {count: 0},")
        let listener = try #require(try TopologyLoader.load(text: asked, file: "/t/main.yaml").tcp.listeners.first)
        #expect(listener.keepalive == Keepalive(idle: .seconds(60), interval: .seconds(30), count: 0))
    }

    @Test func listeners() throws {
        let text = "public: {port: 80, trustedProxies: [10.0.0.0/8, \"2001:db8::/32\", 192.0.2.1], rawTargets: refuse}"
        let listener = try Self.load("public: {port: 80}", text).http.listeners[0]
        #expect(listener.trustedProxies.map(\.description) == ["10.0.0.0/8", "2001:db8::/32", "192.0.2.1/32"])
        #expect(listener.rawTargets == .refuse)
        let plain = try TopologyLoader.load(text: GoodTopology.text, file: "/t/main.yaml").http
        #expect(plain.listeners[0].trustedProxies == [] && plain.listeners[0].rawTargets == .encode)
        #expect(plain.routes[0].upgrades == ["websocket"])
    }

    @Test(arguments: [("[]", []), ("[websocket, SPDY/3.1]", ["websocket", "SPDY/3.1"])])
    func upgrades(_ text: String, _ value: [String]) throws {
        #expect(try Self.load("pool: web}", "pool: web, upgrades: \(text)}").http.routes[0].upgrades == value)
    }

    @Test(arguments: ["/a:b", "/a%2F/b;c=d", "/caf%C3%A9", "//x", "/a.b/~c/", "/(a)'!$&+,=@"])
    func routePaths(_ path: String) throws {
        let snapshot = try Self.load("pool: web}", "pool: web, path: {exact: \"\(path)\"}}")
        #expect(snapshot.http.routes[0].path == .exact(path))
    }

    @Test func defaults() throws {
        let snapshot = try TopologyLoader.load(text: GoodTopology.text, file: "/t/main.yaml")
        let node = snapshot.nodes[2]
        #expect(node.workers == nil)
        #expect(node.drainTimeout == .seconds(10))
        #expect(node.leaveDelay == .seconds(1))
        #expect(node.address == IPAddress("10.0.1.1"))
        #expect((node.admin, node.adminToken, node.federation) == (nil, nil, nil))
        let pool = snapshot.pools[0]
        #expect(pool.timeouts == PoolTimeouts(connect: .seconds(1), response: .seconds(30), idle: .seconds(60)))
        #expect((pool.keepalive, pool.closeOnDown, pool.ejection) == (64, true, nil))
        #expect(pool.retry == RetryPolicy(on: [.connect, .reset], attempts: 3))
        #expect(snapshot.pools[1].timeouts.idle == .seconds(3600))
        #expect(snapshot.pools.allSatisfy { $0.watch == .standard })
        #expect(snapshot.tcp.listeners.allSatisfy { $0.keepalive == .standard && $0.askedConnections == nil })
        #expect(snapshot.http.listeners.allSatisfy { $0.limits.askedConnections == nil })
        #expect(
            pool.check
                == HealthCheck(
                    probe: .http(
                        HTTPProbe(path: "/healthz", host: nil, statuses: [200...399], contains: nil, port: nil)),
                    interval: .seconds(1), timeout: .milliseconds(500), rise: 3, fall: 2))
        #expect(snapshot.dns.port == 53)
        #expect(snapshot.dns.maximumUDPSize == 1_232)
        #expect(snapshot.http.routes[0].host == .any)
        #expect(snapshot.http.routes[0].path == .prefix("/"))
        #expect(snapshot.federation.staleAfter == .seconds(5))
        let holdDown = HoldDownPolicy(failures: 4, window: .seconds(300), base: .seconds(30), maximum: .seconds(600))
        #expect(snapshot.federation.damping == Damping(rise: .seconds(3), fall: .zero, holdDown: holdDown))
        #expect(snapshot.nodes.allSatisfy { $0.state == nil })
        #expect(snapshot.tcp.listeners[0].connections == 10_000)
    }

    @Test func failures() throws {
        func pool(_ keys: String) throws -> Pool {
            let text = """
                regions: {eu: {address: 127.0.0.1}}
                nodes: {a: {tier: l7, region: eu}}
                pools: {web: {kind: http, endpoints: {eu: ["127.0.0.1:1"]}, \(keys)}}
                """
            return try TopologyLoader.load(text: text, file: "/t.yaml").pools[0]
        }
        #expect(try pool("ejection: {}").ejection?.on == [.connect, .reset, .timeout])
        #expect(try pool("ejection: {on: 5xx}").ejection?.on == .serverError)
        #expect(try pool("ejection: {on: [connect, gateway]}").ejection?.on == [.connect, .gateway])
        #expect(try pool("retry: {attempts: 5}").retry == RetryPolicy(on: [.connect, .reset], attempts: 5))
        #expect(try pool("retry: {on: [timeout, reset]}").retry == RetryPolicy(on: [.timeout, .reset], attempts: 3))
        #expect(TrafficFailures(status: 503) == [.gateway, .serverError])
        #expect(TrafficFailures(status: 500) == .serverError && TrafficFailures(status: 499).isEmpty)
    }

    @Test func stateFiles() throws {
        let text = """
            stateDirectory: var
            regions: {eu: {address: 127.0.0.1}}
            nodes:
              a: {tier: l7, region: eu}
              b: {tier: l4, region: eu, state: /run/b}
            """
        let snapshot = try TopologyLoader.load(text: text, file: "/etc/meridian/t.yaml")
        #expect(snapshot.nodes.map(\.state) == ["/etc/meridian/var/a.state", "/run/b"])
    }

    @Test func steps() throws {
        let written = "[{weighted: {west: 3}}, {failover: [west, east]}, {latency: {file: l.csv}}, {limit: 2}]"
        let steps = "[healthy, {geo: {continents: {EU: [west]}, default: [east]}}, {limit: 1}]"
        let name = try Self.load(steps, written).dns.zones[0].names[0]
        #expect(
            name.steps == [
                .weighted([0, 3]), .priority(.init([1, 0])),
                .latency(SteeringStep.LatencyStep(file: "/t/l.csv", tolerance: .milliseconds(20))), .take(2),
            ])
        let unsaid = try Self.load("          steps: \(steps)\n", "")
        #expect(unsaid.dns.zones[0].names[0].steps == [.healthy()])
    }

    @Test func measuredLatency() throws {
        let steps = "[healthy, {geo: {continents: {EU: [west]}, default: [east]}}, {limit: 1}]"
        func step(_ text: String) throws -> SteeringStep? {
            try Self.load(steps, "[{latency: \(text)}]").dns.zones[0].names[0].steps.first
        }
        #expect(
            try step("{measured: true}")
                == .latency(.init(file: nil, tolerance: .milliseconds(20), isMeasured: true, explore: 1)))
        #expect(
            try step("{file: l.csv, measured: true, explore: 0%, tolerance: 5ms}")
                == .latency(.init(file: "/t/l.csv", tolerance: .milliseconds(5), isMeasured: true, explore: 0)))
        #expect(
            try step("{file: l.csv, explore: 5%}")
                == .latency(.init(file: "/t/l.csv", tolerance: .milliseconds(20), isMeasured: false, explore: 0)))
        let dns = try Self.load(steps, "[{latency: {measured: true}}]").dns
        #expect(dns.measuresLatency)
        #expect(try Self.load(steps, "[healthy]").dns.measuresLatency == false)
        let error = #expect(throws: InvalidTopology.self) { try step("{tolerance: 5ms}") }
        #expect(
            error?.description.contains("latency has no figures; name a file") == true, "\(String(describing: error))")
    }

    @Test func records() throws {
        let written = "west: {TXT: [\"a b\", c], MX: 10 mail, AAAA: \"2001:db8::1\", A: [192.0.2.2, 192.0.2.3]}"
        let name = try Self.load("west: {A: 192.0.2.2}", written).dns.zones[0].names[0]
        #expect(
            name.candidates[1].records.map { "\($0.type) \($0.data)" }
                == ["A 192.0.2.2", "A 192.0.2.3", "AAAA 2001:db8::1", "TXT a b", "TXT c", "MX 10 mail"])
    }

    @Test func namesAreAbsoluteAndInLowerCase() throws {
        #expect(try Self.load("        www:", "        \"*.WWW\":").dns.zones[0].names[0].name == "*.www.shop.test.")
        #expect(try Self.load("        www:", "        \"@\":").dns.zones[0].names[0].name == "shop.test.")
        #expect(try Self.load("    shop.test:", "    Shop.TEST.:").dns.zones[0].origin == "shop.test.")
        #expect(
            try Self.load("pool: web}", "pool: web, host: \"*.Shop.test\"}").http.routes[0].host
                == .suffix(".shop.test"))
    }

    @Test func endpointsWithWeights() throws {
        let snapshot = try Self.load("[\"10.0.2.1:9001\"]", "[{address: \"[::1]:9001\", weight: 0}, \"10.0.2.2:9001\"]")
        let west = snapshot.endpoints(of: PoolID(0), in: RegionID(1)).map { snapshot[$0] }
        #expect(west.map(\.weight) == [0, 1])
        #expect(west.map(\.address.description) == ["[::1]:9001", "10.0.2.2:9001"])
    }

    @Test func checksOfNames() throws {
        let name = try Self.load("{http: {port: 80}}", "{tcp: {port: 443}, interval: 5s, timeout: 1s}").dns.zones[0]
            .names[0]
        #expect(name.checkPort == 443)
        #expect(name.check == HealthCheck(probe: .tcp, interval: .seconds(5), timeout: .seconds(1), rise: 3, fall: 2))
    }

    @Test func aCheckWithoutKeys() throws {
        #expect(try Self.load("check: {http: {path: /healthz}}", "check: {tcp: }").pools[0].check?.probe == .tcp)
    }

    @Test func loginsOfChecks() throws {
        func probe(_ keys: String) throws -> PostgreSQLProbe? {
            let snapshot = try Self.load("{user: probe}", "{user: probe\(keys)}")
            guard case .postgresql(let probe) = snapshot.pools[1].check?.probe else { return nil }
            return probe
        }
        let plain = try #require(try probe(", database: x"))
        #expect(plain.tls == .prefer && plain.roots == nil && plain.host == nil && !plain.allowsMD5)
        let strict = try #require(
            try probe(", sslmode: verify-full, sslrootcert: ca.pem, host: DB.test., md5: true, maximumLag: 2s"))
        #expect(strict.tls == .verifyFull && strict.roots == "/t/ca.pem" && strict.host == "db.test")
        #expect(strict.allowsMD5 && strict.maximumLag == .seconds(2))
        for mode in PostgreSQLProbe.TLSUse.allCases {
            #expect(try probe(", sslmode: \(mode.rawValue)")?.tls == mode)
        }
    }

    @Test func fallback() throws {
        let listener = try Self.load("role: primary", "role: replica, fallback: primary").tcp.listeners[0]
        #expect(listener.role == .replica && listener.fallsBackToPrimary)
        #expect(try Self.load("role: primary", "role: replica").tcp.listeners[0].fallsBackToPrimary == false)
    }

    @Test func secretsAreNamedNotRead() throws {
        let snapshot = try Self.load("{env: KEY}", "{file: keys/k1}")
        #expect(snapshot.federation.keys == [FederationKey(id: "k1", secret: .file("/t/keys/k1"))])
    }

    @Test func statusesAndBodies() throws {
        let written = "{path: /, statuses: [200, 300-399], contains: \"ok\", host: a.test:8080, port: 81}"
        let probe = try Self.load("{path: /healthz}", written).pools[0].check?.probe
        #expect(
            probe
                == .http(
                    HTTPProbe(
                        path: "/", host: "a.test:8080", statuses: [200...200, 300...399], contains: "ok", port: 81)))
        let limits = try Self.load("headSize: 8KiB", "bodySize: 10MiB").http.listeners.map(\.limits.bodySize)
        #expect(limits == [nil, 10_485_760])
    }

    @Test(arguments: [
        (
            "[\"10.0.2.1:9001\"]", "[{address: \"10.0.2.1:9001\", weight: 0}]",
            "t.yaml:17:42: warning: pools.web.endpoints.west: every weight is 0; no server takes traffic"
        ),
        (
            ", west: [\"10.0.2.1:9001\"]", "",
            "t.yaml:34:43: warning: dns.zones.shop.test.names.www.answers.west: 'shop' has no servers in this region; "
                + "only its own check tells whether the region is healthy"
        ),
        (
            "    service: shop\n", "",
            "t.yaml:30:20: warning: dns.zones.shop.test.names.www.service: no pool implements 'shop'; only its own check "
                + "tells whether a region is healthy"
        ),
        (
            "  routes:\n    - {name: shop, pool: web}\n", "",
            "t.yaml:37:14: warning: http has listeners but no routes; every request is answered with 404"
        ),
        (
            "  l4-east: {tier: l4, region: east}", "  l4-west: {tier: l4, region: west}",
            "t.yaml:41:42: warning: pools.orders has no servers in west, where l4-west runs; there every connection is closed"
        ),
    ])
    func warnings(_ original: String, _ replacement: String, _ line: String) {
        let text = GoodTopology.text.replacing(original, with: replacement, maxReplacements: 1)
        let inspection = TopologyLoader.inspect(text: text, file: "t.yaml")
        #expect(inspection.diagnostics.map(\.description) == [line])
        #expect(inspection.snapshot != nil)
    }

    @Test func filesThatAreMissingAreErrorsWhenAskedFor() throws {
        let path = "/tmp/topology-\(getpid())-files.yaml"
        let file = try #require(unsafe fopen(path, "w"))
        unsafe fputs(GoodTopology.text, file)
        unsafe fclose(file)
        defer { unsafe unlink(path) }
        #expect(TopologyLoader.inspect(path: path).diagnostics == [])
        #expect(
            TopologyLoader.inspect(path: path, lookingForFiles: true).diagnostics.map(\.description) == [
                "\(path):28:13: error: there is no file '/tmp/shop.test.zone'; paths are relative to this file"
            ])
    }
}
