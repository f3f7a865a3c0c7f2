import L7Tier
import Model
import TestKit
import Testing

extension L7TierTests {
    /// Nobody gets past the routes by changing the protocol.
    @Suite("Upgrades")
    struct UpgradeTests {
        @Test("After 101 the connection is a tunnel both ways")
        func tunnel() async throws {
            let backend = try ScriptedBackend { head, _ in
                guard head.contains("\r\nUpgrade: WebSocket\r\n") else { return [.close] }
                return [
                    .send(
                        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nwelcome"),
                    .read(5), .send("pong!"), .readToEnd, .close,
                ]
            }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            try client.send("GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n")
            let head = try client.readHead()
            #expect(head.hasPrefix("HTTP/1.1 101 ") && head.contains("Upgrade: websocket\r\n"))
            #expect(try text(client.read(count: 7)) == "welcome")
            try client.send("ping!")
            #expect(try text(client.read(count: 5)) == "pong!")
            try client.send("bye")
            client.finishSending()
            #expect(try client.readToEnd() == "")
            #expect(backend.bodies == ["ping!", "bye"])
            await proxy.stop()
        }

        @Test(
            "Only what the route allows is asked for: not h2c, not a list, not two fields, not without Connection",
            arguments: [
                "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
                "Connection: Upgrade\r\nUpgrade: chat\r\n", "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n",
                "Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n", "Upgrade: websocket\r\n",
                "Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n",
                "Connection: Upgrade\r\nUpgrade: websocket/13\r\n", "Connection: Upgrade\r\nUpgrade: TLS/1.2\r\n",
                "Connection: Upgrade\r\n",
            ])
        func notAllowed(fields: String) async throws {
            let backend = try ScriptedBackend { head, _ in
                head.lowercased().contains("upgrade")
                    ? [.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\ninside")]
                    : [.send(ok("plain"))]
            }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            try client.send("GET / HTTP/1.1\r\nHost: h\r\n\(fields)\r\nGET /admin HTTP/1.1\r\nHost: admin.test\r\n\r\n")
            #expect(try client.readResponse().body == "plain")
            #expect(try client.readResponse().body == "plain", "the next one is a request like any other")
            #expect(backend.heads.count == 2)
            #expect(backend.heads.allSatisfy { !$0.contains("HTTP2-Settings") })
            await proxy.stop()
        }

        @Test("A route allows other protocols by name, in any case, and then those alone")
        func allowList() async throws {
            let backend = try ScriptedBackend { head, _ in
                guard let line = head.split(separator: "\r\n").first(where: { $0.hasPrefix("Upgrade: ") }) else {
                    return [.send(ok("plain"))]
                }
                return [
                    .send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\(line)\r\n\r\n"), .readToEnd,
                ]
            }
            var settings = Proxy.Settings()
            settings.upgrades = ["SPDY/3.1", "tcp"]
            let proxy = try Proxy(pools: [[backend.address]], settings: settings)
            for (name, status) in [
                ("spdy/3.1", 101), ("TCP", 101), ("websocket", 200), ("SPDY", 200), ("SPDY/3.10", 200),
            ] {
                let client = try proxy.client()
                try client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: \(name)\r\n\r\n")
                #expect(try client.readHead().hasPrefix("HTTP/1.1 \(status) "), "\(name)")
            }
            await proxy.stop(deadline: .milliseconds(50))
        }

        @Test("A silent tunnel ends by the idle timeout, whichever side spoke last, not by that of responses")
        func silence() async throws {
            let backend = try ScriptedBackend { _, _ in
                [
                    .send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
                    .read(4), .pause(milliseconds: 2_000), .send("pong"), .readToEnd,
                ]
            }
            var settings = Proxy.Settings()
            settings.pool = PoolTimeouts(connect: .seconds(1), response: .seconds(1), idle: .seconds(4))
            let proxy = try Proxy(pools: [[backend.address]], settings: settings)
            let client = try proxy.client()
            try client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            #expect(try client.readHead().hasPrefix("HTTP/1.1 101 "))
            // Twice as long as a response may take.
            try await Task.sleep(for: .seconds(2))
            try client.send("ping")
            #expect(try text(client.read(count: 4)) == "pong")
            let spoken = ContinuousClock.now
            #expect(try client.readToEnd() == "")
            #expect(ContinuousClock.now - spoken > .seconds(3))
            await proxy.stop()
        }

        @Test("A 101 that nobody asked for, or about another protocol, is 502")
        func unasked() async throws {
            let backend = try ScriptedBackend { head, _ in
                let name = head.hasPrefix("GET /h2c") ? "h2c" : "websocket"
                return [
                    .send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: \(name)\r\n\r\ninside")
                ]
            }
            let proxy = try Proxy(pools: [[backend.address]])
            for request in [
                "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
                "GET /h2c HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            ] {
                let client = try proxy.client()
                try client.send(request)
                #expect(try client.readResponse().head.hasPrefix("HTTP/1.1 502 "))
            }
            await proxy.stop()
        }
    }
}
