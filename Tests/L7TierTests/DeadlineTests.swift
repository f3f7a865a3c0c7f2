import ControlPlane
import Engine
import Glibc
import L7Tier
import Model
import TestKit
import Testing

extension L7TierTests {
    /// Each kind of deadline with one silent connection, alone on its worker: nothing else wakes it.
    @Suite("Deadlines on a quiet worker", .timeLimit(.minutes(2)))
    struct DeadlineTests {
        /// What a client says before it falls silent, and what must become of it.
        struct Scenario: Sendable {
            var name: String
            var says = ""
            /// What the response, or the refusal, begins with.
            var hears = ""
            var ending = Silence.Ending.closed
            var backend: [ScriptedBackend.Step] = [.send(ok())]
            /// The pool's server takes no connection.
            var isDeaf = false
        }

        private static let get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

        /// Every deadline is 3 s, which is more than a wait sees ahead; a client waits seven times as long.
        private static let scenarios = [
            Scenario(name: "nothing at all"),
            Scenario(name: "half a head", says: "GET / HTTP/1.1\r\nHo", hears: "HTTP/1.1 408 "),
            Scenario(
                name: "half a body", says: "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc",
                hears: "HTTP/1.1 408 ", backend: [.readToEnd]),
            Scenario(name: "idle between requests", says: get, hears: "HTTP/1.1 200 "),
            Scenario(
                name: "no response", says: get.replacing("GET /", with: "POST /"), hears: "HTTP/1.1 504 ",
                backend: [.readToEnd]),
            Scenario(
                name: "half a response", says: get, hears: "HTTP/1.1 200 ", ending: .reset,
                backend: [.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), .readToEnd]),
            Scenario(name: "no connection to the server", says: get, hears: "HTTP/1.1 504 ", isDeaf: true),
            Scenario(
                name: "a silent tunnel",
                says: "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
                hears: "HTTP/1.1 101 ",
                backend: [
                    .send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
                    .readToEnd,
                ]),
        ]

        private static var settings: Proxy.Settings {
            var settings = Proxy.Settings()
            settings.timeouts = HTTPListenerTimeouts(head: .seconds(3), body: .seconds(3), keepalive: .seconds(3))
            settings.pool = PoolTimeouts(connect: .seconds(3), response: .seconds(3), idle: .seconds(3))
            return settings
        }

        @Test("A silent connection ends by its deadline, whatever it waits for")
        func silence() async throws {
            let deaf = try DeafListener()
            let stages = try Self.scenarios.map { scenario in
                let backend = try ScriptedBackend { _, _ in scenario.backend }
                return (
                    scenario,
                    try Proxy(pools: [[scenario.isDeaf ? deaf.address : backend.address]], settings: Self.settings)
                )
            }
            // Side by side, since each takes seconds.
            await withTaskGroup(of: (Scenario, Silence?).self) { group in
                for (scenario, proxy) in stages {
                    group.addTask {
                        await onThread {
                            guard let client = try? RawClient(proxy.address, timeout: 20) else {
                                return (scenario, nil)
                            }
                            try? client.send(scenario.says)
                            // A reset takes away what was not read.
                            if scenario.ending == .reset { _ = try? client.readHead() }
                            return (scenario, client.outwait())
                        }
                    }
                }
                for await (scenario, silence) in group {
                    let end = silence?.ending
                    #expect(end == scenario.ending, "\(scenario.name): \(String(describing: silence))")
                    if scenario.ending != .reset {
                        #expect(
                            silence?.text.hasPrefix(scenario.hears) == true, "\(scenario.name): \(silence?.text ?? "")")
                    }
                    #expect(silence?.seconds ?? 0 > 2.9, "\(scenario.name)")
                }
            }
            for (_, proxy) in stages { await proxy.stop(deadline: .zero) }
        }

        @Test("An idle connection to a server is closed, and a client that takes nothing is left")
        func upstreamIdleAndSlowClient() async throws {
            let idle = try ScriptedBackend { _, _ in [.send(ok()), .readToEnd] }
            let first = try Proxy(pools: [[idle.address]], settings: Self.settings)
            let body = String(repeating: "x", count: 8 << 20)
            let large = try ScriptedBackend { _, _ in [.send(ok(body)), .readToEnd] }
            let second = try Proxy(pools: [[large.address]], settings: Self.settings)
            let client = try first.client()
            try client.send(Self.get)
            #expect(try client.readResponse().body == "hello")
            client.hangUp()
            let slow = try second.client()
            try slow.send(Self.get)
            for _ in 0..<2_000
            where idle.bodies.isEmpty || second.health.endpoints.inFlight(0) != 0 || large.heads.isEmpty {
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(idle.bodies == [""], "the server saw the end of its idle connection")
            #expect(second.health.endpoints.inFlight(0) == 0, "the exchange of the slow client is over")
            await first.stop(deadline: .zero)
            await second.stop(deadline: .zero)
        }
    }
}
