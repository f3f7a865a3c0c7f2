import ControlPlane
import Engine
import FoundationEssentials
import Glibc
import L7Tier
import Model
import TestKit
import Testing
import Topology

/// A whole L7 node in this process: checks, ejection and traffic.
private final class WholeNode {
    let address: SocketAddress
    private let folder: URL
    private let node: RunningNode
    private let server = Server()
    private var pumps: [Task<Void, Never>] = []

    /// `pool` are more lines of the pool, whose servers are `backends`.
    init(_ backends: [SocketAddress], _ pool: String) throws {
        let socket = try Socket.listen(SocketAddress(IPAddress(v4: 0x7f00_0001), port: 0))
        address = try #require(Socket.localAddress(socket))
        Socket.close(socket)
        folder = URL(filePath: "/tmp/meridian-node-\(getpid())-\(UInt64.random(in: 0...UInt64.max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let list = backends.map { "\"\($0)\"" }.joined(separator: ", ")
        let text = """
            regions: {here: {address: 127.0.0.1}}
            nodes: {l7: {tier: l7, region: here, workers: 1}}
            pools:
              web:
                kind: http
                endpoints: {here: [\(list)]}
            \(pool.split(separator: "\n").map { "    \($0)\n" }.joined())
            http:
              listeners: {public: {port: \(address.port)}}
              routes: [{name: web, host: "*", path: {prefix: /}, pool: web}]
            """
        let file = folder.appending(path: "topology.yaml").path
        try Data(text.utf8).write(to: URL(filePath: file))
        let snapshot = try TopologyLoader.load(path: file)
        let secrets = try NodeSecrets(snapshot, node: NodeID(0), topology: file)
        node = try RunningNode(snapshot, node: NodeID(0), topology: file, secrets: secrets, plane: server)
        node.startProbes()
        try server.start(try server.prepare(snapshot, node: NodeID(0)), health: node.board)
        let node = node
        pumps = [Task { await node.work() }, Task { try? await node.serveUsers() }]
    }

    /// The endpoint at `position` is out.
    func isEjected(_ position: Int) -> Bool { node.board.endpoints.state(position).contains(.ejected) }

    /// Sends a request and tells the status of the answer.
    func ask(_ path: String = "/") async throws -> String {
        for _ in 1...400 where (try? RawClient(address)) == nil { try await Task.sleep(for: .milliseconds(5)) }
        let client = try RawClient(address, timeout: 10)
        try client.send("GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n")
        return String(try client.readResponse().head.dropFirst(9).prefix(3))
    }

    /// Waits for up to 5 s.
    func eventually(_ condition: () -> Bool) async throws -> Bool {
        for _ in 1...500 {
            if condition() { return true }
            try await Task.sleep(for: .milliseconds(10))
        }
        return condition()
    }

    func stop() async {
        await server.stop(deadline: .zero)
        await node.stopWatching()
        for pump in pumps { await pump.value }
        try? FileManager.default.removeItem(at: folder)
    }
}

extension L7TierTests {
    @Suite("Ejection", .serialized) struct EjectionStoryTests {
        private static let check = "check: {http: {path: /healthz}, interval: 100ms, timeout: 100ms, rise: 1}"

        /// Answers its check, and everything else with `steps`.
        private static func backend(_ steps: [ScriptedBackend.Step]) throws -> ScriptedBackend {
            try ScriptedBackend { head, _ in head.hasPrefix("GET /healthz") ? [.send(ok())] : steps }
        }

        @Test("A server that hangs but answers its check stays out for its time", .timeLimit(.minutes(1)))
        func hanging() async throws {
            let (hanging, good) = (try Self.backend([.pause(milliseconds: 3_000)]), try Self.backend([.send(ok())]))
            let node = try WholeNode(
                [hanging.address, good.address],
                """
                \(Self.check)
                timeouts: {response: 300ms}
                ejection: {failures: 2, base: 4s, maximumShare: 50%}
                """)
            var answers: [String] = []
            while answers.count < 20, !node.isEjected(0) { answers.append(try await node.ask()) }
            #expect(try await node.eventually { node.isEjected(0) })
            #expect(answers.contains("504"))
            let start = ContinuousClock.now
            while ContinuousClock.now - start < .milliseconds(3_200) {
                #expect(node.isEjected(0), "back after \(ContinuousClock.now - start)")
                #expect(try await node.ask() == "200")
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(try await node.eventually { !node.isEjected(0) })
            await node.stop()
        }

        @Test("A server that refused connections is back as soon as checks connect", .timeLimit(.minutes(1)))
        func refusing() async throws {
            let gone = try Self.backend([.send(ok())])
            let good = try Self.backend([.send(ok())])
            let node = try WholeNode(
                [gone.address, good.address],
                """
                check: {http: {path: /healthz}, interval: 200ms, timeout: 200ms, rise: 1, fall: 100}
                keepalive: 0
                ejection: {failures: 2, base: 1h, maximum: 1h, maximumShare: 50%}
                """)
            #expect(try await node.ask() == "200")
            gone.stop()
            // None is kept: each request connects.
            for _ in 1...50 where !node.isEjected(0) {
                #expect(try await node.ask() == "200")
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(node.isEjected(0))
            let back = try ScriptedBackend(port: gone.address.port) { _, _ in [.send(ok())] }
            #expect(try await node.eventually { !node.isEjected(0) })
            withExtendedLifetime(back) {}
            await node.stop()
        }

        @Test(
            "Answers of 503 eject where the pool says so",
            arguments: [
                ("[gateway]", "503", true), ("[gateway]", "500", false), ("5xx", "500", true), (nil, "503", false),
            ])
        func errors(on: String?, status: String, isOut: Bool) async throws {
            let bad = try Self.backend([.send("HTTP/1.1 \(status) Oops\r\nContent-Length: 0\r\n\r\n")])
            let good = try Self.backend([.send(ok())])
            let node = try WholeNode(
                [bad.address, good.address],
                """
                \(Self.check)
                ejection: {failures: 3, base: 1h, maximum: 1h, maximumShare: 50%\(on.map { ", on: \($0)" } ?? "")}
                """)
            for _ in 1...12 { _ = try await node.ask() }
            if isOut {
                #expect(try await node.eventually { node.isEjected(0) })
                for _ in 1...4 { #expect(try await node.ask() == "200") }
            } else {
                try await Task.sleep(for: .milliseconds(300))
                #expect(!node.isEjected(0))
            }
            await node.stop()
        }
    }

    @Suite("Retries", .serialized) struct RetryTests {
        private static func proxy(
            _ bad: [ScriptedBackend.Step], _ retry: RetryPolicy
        ) throws -> (Proxy, bad: ScriptedBackend, good: ScriptedBackend) {
            let (first, second) = (try ScriptedBackend { _, _ in bad }, try ScriptedBackend { _, _ in [.send(ok())] })
            var settings = Proxy.Settings()
            settings.retry = retry
            settings.pool = PoolTimeouts(connect: .seconds(1), response: .milliseconds(400), idle: .seconds(30))
            return (try Proxy(pools: [[first.address, second.address]], settings: settings), first, second)
        }

        /// The statuses of as many requests as make sure that both endpoints are chosen first.
        private static func statuses(_ proxy: Proxy, _ request: String) throws -> Set<String> {
            var all: Set<String> = []
            for _ in 1...4 {
                let client = try proxy.client()
                try client.send(request)
                all.insert(String(try client.readResponse().head.dropFirst(9).prefix(3)))
            }
            return all
        }

        private static let get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
        private static let post = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"

        @Test("An idempotent request is repeated elsewhere after silence, where the pool says so")
        func silence() async throws {
            let asked = RetryPolicy(on: [.connect, .reset, .timeout], attempts: 3)
            for (retry, request, expected) in [
                (asked, Self.get, ["200"]), (asked, Self.post, ["200", "504"]), (.standard, Self.get, ["200", "504"]),
                (RetryPolicy(on: .timeout, attempts: 1), Self.get, ["200", "504"]),
            ] as [(RetryPolicy, String, [String])] {
                let (proxy, _, _) = try Self.proxy([.pause(milliseconds: 1_500)], retry)
                #expect(try Self.statuses(proxy, request) == Set(expected), "\(retry) \(request.prefix(4))")
                await proxy.stop()
            }
        }

        @Test("The same after an answer of 503")
        func gateway() async throws {
            let bad: [ScriptedBackend.Step] = [.send("HTTP/1.1 503 No\r\nContent-Length: 3\r\n\r\nno\n")]
            let asked = RetryPolicy(on: .gateway, attempts: 2)
            for (retry, request, expected) in [
                (asked, Self.get, ["200"]), (asked, Self.post, ["200", "503"]), (.standard, Self.get, ["200", "503"]),
            ] as [(RetryPolicy, String, [String])] {
                let (proxy, _, _) = try Self.proxy(bad, retry)
                #expect(try Self.statuses(proxy, request) == Set(expected), "\(retry) \(request.prefix(4))")
                await proxy.stop()
            }
        }

        @Test("Not after the client has seen an interim response")
        func interim() async throws {
            let bad: [ScriptedBackend.Step] = [.send("HTTP/1.1 103 Early Hints\r\n\r\n"), .pause(milliseconds: 1_500)]
            let (proxy, _, _) = try Self.proxy(bad, RetryPolicy(on: .timeout, attempts: 3))
            var heads: Set<String> = []
            for _ in 1...4 {
                let client = try proxy.client()
                try client.send(Self.get)
                var head = try client.readHead()
                if head.hasPrefix("HTTP/1.1 103") { head = "103 " + (try client.readHead()).dropFirst(9).prefix(3) }
                heads.insert(head.hasPrefix("103") ? head : String(head.dropFirst(9).prefix(3)))
            }
            #expect(heads == ["200", "103 504"])
            await proxy.stop()
        }

        @Test("Without retries the first failure is the answer")
        func none() async throws {
            let (proxy, _, _) = try Self.proxy([.reset], RetryPolicy(on: [.connect, .reset], attempts: 1))
            #expect(try Self.statuses(proxy, Self.get) == ["200", "502"])
            await proxy.stop()
        }
    }
}
