import ControlPlane
import Engine
import L7Tier
import Model
import TestKit
import Testing

extension L7TierTests {
    /// Nobody works for a client that has gone.
    @Suite("Clients that leave", .timeLimit(.minutes(2)))
    struct CancellationTests {
        /// Waits until the endpoint's side of the exchange is over, long before anything times out.
        private func waitForEnd(_ backend: ScriptedBackend, count: Int = 1) async throws -> Bool {
            for _ in 0..<500 {
                if backend.bodies.count >= count { return true }
                try await Task.sleep(for: .milliseconds(10))
            }
            return false
        }

        private var patient: Proxy.Settings {
            var settings = Proxy.Settings()
            settings.pool = PoolTimeouts(connect: .seconds(1), response: .seconds(60), idle: .seconds(60))
            settings.timeouts = HTTPListenerTimeouts(head: .seconds(60), body: .seconds(60), keepalive: .seconds(60))
            return settings
        }

        @Test(
            "A client that closes, or stops sending, before the response is complete ends the work for it",
            arguments: [true, false],
            [
                ["GET / HTTP/1.1\r\nHost: h\r\n\r\n"],
                ["POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nab", "c"],
                ["POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc"],
                ["GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n"],
                ["GET /part HTTP/1.1\r\nHost: h\r\n\r\n"],
            ])
        func leaves(closes: Bool, says: [String]) async throws {
            let backend = try ScriptedBackend { head, _ in
                let part = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"
                return head.hasPrefix("GET /part") ? [.send(part), .readToEnd] : [.readToEnd]
            }
            let proxy = try Proxy(pools: [[backend.address]], settings: patient)
            let client = try proxy.client()
            for piece in says {
                try client.send(piece)
                try await Task.sleep(for: .milliseconds(20))
            }
            while backend.heads.isEmpty { await Task.yield() }
            if says[0].hasPrefix("GET /part") { _ = try client.readHead() }
            if closes { client.hangUp() } else { client.finishSending() }
            #expect(try await waitForEnd(backend), "the endpoint's connection closes")
            for _ in 0..<500 where proxy.health.endpoints.inFlight(0) > 0 {
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(proxy.health.endpoints.inFlight(0) == 0)
            #expect(backend.heads.count == 1, "it is not asked again")
            // It is nobody's fault: another client is served.
            let other = try proxy.client()
            try other.send("GET /part HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try other.readHead().hasPrefix("HTTP/1.1 200 "))
            other.hangUp()
            await proxy.stop(deadline: .milliseconds(100))
        }

        @Test("Between requests the end of a client is a plain end")
        func between() async throws {
            let backend = try ScriptedBackend { _, _ in [.send(ok())] }
            let proxy = try Proxy(pools: [[backend.address]], settings: patient)
            let client = try proxy.client()
            try client.send("GET /first HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.readResponse().body == "hello")
            client.finishSending()
            #expect(try client.readToEnd() == "")
            #expect(backend.heads.count == 1)
            await proxy.stop()
        }

        @Test("A response that is here already goes out to a client that only stopped sending")
        func complete() async throws {
            let size = 4 << 20
            let backend = try ScriptedBackend { _, _ in
                [
                    .send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n"),
                    .bytes([UInt8](repeating: 0x61, count: size)),
                ]
            }
            let proxy = try Proxy(pools: [[backend.address]], settings: patient)
            let client = try proxy.client()
            try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            _ = try client.readHead()
            #expect(try client.read(count: size).count == size)
            client.finishSending()
            #expect(try client.readToEnd() == "")
            await proxy.stop()
        }
    }
}
