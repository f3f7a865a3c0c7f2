import ControlPlane
import Engine
import L7Tier
import Model
import TestKit
import Testing

extension L7TierTests {
    /// What a server says too late must not become the answer to the next request.
    @Suite("Connections that are used again", .timeLimit(.minutes(1)))
    struct ReuseTests {
        @Test(
            "A response without a body that announced one is the last of its connection",
            arguments: [
                "HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n",
                "HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n",
                "HTTP/1.1 304 Not\r\nTransfer-Encoding: chunked\r\n\r\n",
            ])
        func announced(head: String) async throws {
            let backend = try ScriptedBackend { request, _ in
                request.hasPrefix("GET /empty")
                    ? [.send(head), .pause(milliseconds: 100), .send("0\r\n\r\n")] : [.send(ok())]
            }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            for _ in 0..<3 {
                try client.send("GET /empty HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try client.readHead().contains(head.prefix(12)))
                // Not to be repeated, so that nothing but a fresh connection can save it.
                try client.send("POST /fine HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
                #expect(try client.readResponse().body == "hello")
            }
            #expect(proxy.health.endpoints.failures(0) == 0)
            await proxy.stop()
        }

        @Test("One that said nothing of a body serves on")
        func silent() async throws {
            let backend = try ScriptedBackend { request, _ in
                let status = request.split(separator: " ")[1].dropFirst()
                if status == "204" { return [.send("HTTP/1.1 204 No\r\n\r\n")] }
                return [.send("HTTP/1.1 \(status) Not\r\nContent-Length: \(status == "304" ? 5 : 0)\r\n\r\n")]
            }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            for status in ["204", "304", "200"] {
                try client.send("GET /\(status) HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try client.readHead().contains(" \(status) "))
                if status == "304" { continue }
            }
            #expect(backend.connections == 1)
            await proxy.stop()
        }

        @Test("Octets that nobody asked for cost a connection, not a request, and the endpoint is not blamed")
        func unasked() async throws {
            let backend = try ScriptedBackend { request, _ in
                request.hasPrefix("GET /chatty")
                    ? [.send(ok()), .pause(milliseconds: 100), .send("0\r\n\r\n")] : [.send(ok("fine"))]
            }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            for number in 1...3 {
                try client.send("GET /chatty HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try client.readResponse().body == "hello")
                try client.send("GET /fine HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try client.readResponse().body == "fine", "\(number)")
            }
            #expect(proxy.health.endpoints.failures(0) == 0)
            await proxy.stop()
        }

        @Test("A server that answers nonsense on fresh connections too is blamed")
        func nonsense() async throws {
            let backend = try ScriptedBackend { request, _ in
                request.hasPrefix("GET /fine") ? [.send(ok())] : [.send("nonsense, and no end of it\r\n\r\n")]
            }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            try client.send("GET /fine HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.readResponse().body == "hello")
            try client.send("GET /bad HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.readResponse().head.hasPrefix("HTTP/1.1 502 "))
            #expect(proxy.health.endpoints.failures(0) == 1)
            #expect(backend.connections == 2)
            await proxy.stop()
        }
    }
}
