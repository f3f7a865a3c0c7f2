import Engine
import FoundationEssentials
import Glibc
import HTTPExchange
import Model
import Synchronization
import Testing
import Topology

@testable import ControlPlane

@Suite("Secrets, tokens and passive health")
struct SafetyTests {
    /// A node of `topology`, with its secrets read or refused.
    private func secrets(_ node: String, keys: String = "{file: /nowhere/key}") throws -> NodeSecrets {
        let text = """
            federation: {keys: [{id: k1, secret: \(keys)}]}
            regions: {eu: {address: 127.0.0.1}}
            nodes: {n: {tier: l7, region: eu\(node)}}
            """
        let snapshot = try TopologyLoader.load(text: text, file: "/t.yaml")
        let id = try #require(snapshot.node(named: "n"))
        return try NodeSecrets(snapshot, node: id, topology: "/t.yaml")
    }

    private func write(_ text: String) throws -> String {
        let path = "/tmp/meridian-secret-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        try Data(text.utf8).write(to: URL(filePath: path))
        return path
    }

    @Test("A federation key is needed by who federates, and must be long")
    func keys() throws {
        #expect(try secrets("").keyring == nil, "no federation address, no key")
        let federates = ", federation: \"127.0.0.1:9081\""
        let missing = #expect(throws: InvalidTopology.self) { try secrets(federates) }
        #expect(missing?.description.contains("/nowhere/key cannot be read") == true)
        let short = try write("short\n")
        defer { unlink(short) }
        let refused = #expect(throws: InvalidTopology.self) { try secrets(federates, keys: "{file: \(short)}") }
        #expect(refused?.description.contains("at least 16") == true)
        #expect(refused?.description.contains("short\n") == false)
        let long = try write("  0123456789abcdef0123\n\n")
        defer { unlink(long) }
        #expect(try secrets(federates, keys: "{file: \(long)}").keyring != nil)
        #expect(try SecretReader.read(.file(long)) == Array("0123456789abcdef0123".utf8), "white space is cut off")
        #expect(throws: SecretReader.Missing.self) { try SecretReader.read(.environment("MERIDIAN_NOT_SET")) }
    }

    @Test("The admin API asks for its token, except for the two health paths")
    func token() async throws {
        let token = try write("a token of some length\n")
        defer { unlink(token) }
        let text = """
            regions: {eu: {address: 127.0.0.1}}
            nodes: {n: {tier: l7, region: eu, admin: "0.0.0.0:9080", adminToken: {file: \(token)}}}
            """
        let snapshot = try TopologyLoader.load(text: text, file: "/t.yaml")
        let id = try #require(snapshot.node(named: "n"))
        let secrets = try NodeSecrets(snapshot, node: id, topology: "/t.yaml")
        let node = try RunningNode(
            snapshot, node: id, topology: "/t.yaml", secrets: secrets, plane: FakePlane(.l7))
        let api = AdminAPI(node: node, loopbackOnly: false)
        func status(_ path: String, _ authorization: String?) -> Int {
            let headers = authorization.map { [HTTPServer.Header(name: "authorization", value: $0)] } ?? []
            let answer = Mutex(0)
            api.answer(
                HTTPServer.Request(method: "GET", path: path, headers: headers, peer: Scene.loopback)
            ) { response in answer.withLock { $0 = response.status } }
            return answer.withLock { $0 }
        }
        for path in ["/status", "/metrics", "/config", "/explain", "/overrides", "/overrides/x", "/nothing"] {
            #expect(status(path, nil) == 401)
            #expect(status(path, "Bearer a token of some lengtH") == 401)
            #expect(status(path, "Basic a token of some length") == 401)
        }
        #expect(status("/status", "Bearer a token of some length") == 200)
        #expect(status("/status", "bearer a token of some length") == 200)
        #expect(status("/healthz", nil) == 200)
        #expect(status("/readyz", nil) == 503)
        await node.stopWatching()
    }

    @Test("Rows of failures eject within the pool's share, a passed check and time readmit")
    func passive() throws {
        let text = """
            regions: {eu: {address: 127.0.0.1}}
            nodes: {n: {tier: l7, region: eu}}
            pools:
              web:
                kind: http
                endpoints: {eu: ["127.0.0.1:1", "127.0.0.1:2"]}
                ejection: {failures: 3, base: 10s, maximum: 1m, maximumShare: 50%}
            """
        let snapshot = try TopologyLoader.load(text: text, file: "/t.yaml")
        let table = EndpointTable()
        let configuration = try #require(
            Configuration(snapshot, node: NodeID(0), table: table, generation: 1))
        let events = EventLog()
        var passive = PassiveHealth()
        var now = Timestamp(milliseconds: 1_000_000)
        func pass() { passive.pass(configuration, table, events, now: now) }
        func ejected() -> [Bool] { configuration.slots.map { table.state($0).contains(.ejected) } }

        for _ in 1...2 { table.extendRow(.connect, at: configuration.slots[0]) }
        pass()
        #expect(ejected() == [false, false])
        for slot in configuration.slots {
            for _ in 1...3 { table.extendRow(.connect, at: slot) }
        }
        pass()
        #expect(ejected() == [true, false], "half of the pool at most")
        // Only connects failed. The first check that connects may have begun before that.
        table.endRow(at: configuration.slots[1])
        table.countPassedConnect(at: configuration.slots[0])
        pass()
        #expect(ejected() == [true, false])
        table.countPassedConnect(at: configuration.slots[0])
        pass()
        #expect(ejected() == [false, false])
        #expect(table.failuresInARow(configuration.slots[0]) == 0)
        // It hangs, and its check passes all the time: it stays out for as long as it was told.
        for failure in [.connect, .timeout, .timeout] as [TrafficFailures] {
            table.extendRow(failure, at: configuration.slots[1])
        }
        pass()
        #expect(ejected() == [false, true])
        for _ in 1...9 {
            now = now + .seconds(1)
            table.countPassedConnect(at: configuration.slots[1])
            pass()
            #expect(ejected() == [false, true])
        }
        now = now + .seconds(1)
        pass()
        #expect(ejected() == [false, false])
        #expect(events.events().map(\.subject) == ["127.0.0.1:1", "127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:2"])
    }

    @Test("Rates follow the last seconds and survive a pause")
    func rates() {
        var meter = RateMeter()
        let start = Timestamp(milliseconds: 0)
        #expect(meter.perSecond == 0)
        for second in 0...10 {
            meter.record(
                operations: UInt64(second) * 100, failures: UInt64(second) * 25, at: start + .seconds(second))
        }
        #expect(meter.perSecond == 100)
        #expect(meter.errorRate == 0.25)
        for second in 11...16 { meter.record(operations: 1000, failures: 250, at: start + .seconds(second)) }
        #expect(meter.perSecond == 0)
        #expect(meter.errorRate == 0)
    }
}
