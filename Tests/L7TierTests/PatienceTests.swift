import ControlPlane
import Engine
import L7Tier
import Model
import TestKit
import Testing

extension L7TierTests {
    /// The client's clock runs while the client is waited for, and the pool's while the endpoint is.
    @Suite("Whose clock runs while a body is sent", .timeLimit(.minutes(2)))
    struct PatienceTests {
        struct Scenario: Sendable {
            var name: String
            /// Sent before anything is read.
            var says: String
            var body = 0
            /// Sent once the interim response is there.
            var afterContinue = ""
            /// What the last response begins with, and what it contains.
            var hears: String
            var contains = ""
            var backend: [ScriptedBackend.Step]
            var isDeaf = false
            var blames = false
        }

        private static let size = 16 << 20
        private static let expect = "PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
        private static let put = "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n"
        private static let goOn = ScriptedBackend.Step.send("HTTP/1.1 100 Continue\r\n\r\n")

        /// Bodies may pause for 1 s, endpoints for 4 s.
        private static let scenarios = [
            Scenario(
                name: "an endpoint that reads late", says: put, body: size, hears: "HTTP/1.1 200 ",
                backend: [.pause(milliseconds: 2_500), .read(size), .send(ok())]),
            Scenario(
                name: "an endpoint that never reads", says: put, body: size, hears: "HTTP/1.1 504 ",
                contains: "response-timeout", backend: [.pause(milliseconds: 9_000)], blames: true),
            Scenario(
                name: "an endpoint that lets the client wait for 100", says: expect, afterContinue: "abc",
                hears: "HTTP/1.1 200 ", backend: [.pause(milliseconds: 2_500), goOn, .read(3), .send(ok())]),
            Scenario(
                name: "an endpoint that never says 100", says: expect, hears: "HTTP/1.1 504 ",
                contains: "response-timeout", backend: [.readToEnd], blames: true),
            Scenario(
                name: "a client that was told 100", says: expect, afterContinue: "a", hears: "HTTP/1.1 408 ",
                contains: "body-timeout", backend: [goOn, .readToEnd]),
            Scenario(
                name: "a client that does not wait for 100", says: expect + "a", hears: "HTTP/1.1 408 ",
                contains: "body-timeout", backend: [.readToEnd]),
            Scenario(
                name: "no connection", says: put + "a", hears: "HTTP/1.1 504 ", contains: "connect-timeout",
                backend: [],
                isDeaf: true, blames: true),
            Scenario(
                name: "a response before the body is there", says: put + "a", hears: "HTTP/1.1 200 ",
                contains: "xxxxxx",
                backend: [.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n")]
                    + (0..<6).flatMap { _ in [.pause(milliseconds: 400), .send("x")] }),
        ]

        /// All that the client hears after interim responses.
        private static func play(_ scenario: Scenario, _ address: SocketAddress) -> String {
            do {
                let client = try RawClient(address, timeout: 20)
                try client.send(scenario.says)
                if scenario.body > 0 { try? client.send([UInt8](repeating: 0x79, count: scenario.body)) }
                var head = try client.readHead()
                if head.hasPrefix("HTTP/1.1 100 ") {
                    try client.send(scenario.afterContinue)
                    head = try client.readHead()
                }
                var length = 0
                for line in head.split(separator: "\r\n") where line.hasPrefix("Content-Length: ") {
                    length = Int(line.dropFirst(16)) ?? 0
                }
                return head + text(try client.read(count: length))
            } catch { return "\(error)" }
        }

        @Test("Whoever is waited for is the one who is too slow")
        func patience() async throws {
            let deaf = try DeafListener()
            var settings = Proxy.Settings()
            settings.timeouts = HTTPListenerTimeouts(head: .seconds(5), body: .seconds(1), keepalive: .seconds(5))
            settings.pool = PoolTimeouts(connect: .seconds(3), response: .seconds(4), idle: .seconds(9))
            let stages = try Self.scenarios.map { scenario in
                let backend = try ScriptedBackend { _, _ in scenario.backend }
                return (
                    scenario, try Proxy(pools: [[scenario.isDeaf ? deaf.address : backend.address]], settings: settings)
                )
            }
            await withTaskGroup(of: (Scenario, String).self) { group in
                for (scenario, proxy) in stages {
                    let address = proxy.address
                    group.addTask { await onThread { (scenario, Self.play(scenario, address)) } }
                }
                for await (scenario, heard) in group {
                    #expect(
                        heard.hasPrefix(scenario.hears) && heard.contains(scenario.contains),
                        "\(scenario.name): \(heard)")
                }
            }
            for (scenario, proxy) in stages {
                #expect(proxy.health.endpoints.failures(0) == (scenario.blames ? 1 : 0), "\(scenario.name)")
                await proxy.stop(deadline: .zero)
            }
        }
    }
}
