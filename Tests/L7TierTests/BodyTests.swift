import L7Tier
import Model
import TestKit
import Testing

extension L7TierTests {
    @Suite("Bodies")
    struct BodyTests {
        @Test("Bodies of many sizes go up and down unchanged, by length and chunked")
        func sizes() async throws {
            let backend = try ScriptedBackend { head, _ in
                let size = Int(head.split(separator: " ")[1].dropFirst()) ?? 0
                let body = [UInt8](repeating: 0x61, count: size)
                return head.contains("chunked")
                    ? [
                        .read(size == 0 ? 5 : size + 5 + 4 + String(size, radix: 16).utf8.count),
                        .send(
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(String(max(size, 1), radix: 16))\r\n"
                        ),
                        .bytes(size == 0 ? [0x61] : body), .send("\r\n0\r\n\r\n"),
                    ] : [.read(size), .send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n"), .bytes(body)]
            }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            for size in [0, 1, 100, 16_000, 16_384, 40_000, 3_000_000] {
                let body = String(repeating: "a", count: size)
                try client.send("POST /\(size) HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n" + body)
                #expect(try client.readResponse().body == body, "\(size) by length")
                let hex = String(size, radix: 16)
                let chunks = size == 0 ? "0\r\n\r\n" : "\(hex)\r\n\(body)\r\n0\r\n\r\n"
                try client.send("POST /\(size) HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
                let head = try client.readHead()
                #expect(head.contains("Transfer-Encoding: chunked\r\n"))
                let line = String(max(size, 1), radix: 16)
                let whole = try client.read(count: line.utf8.count + 2 + max(size, 1) + 7)
                #expect(whole.count == line.utf8.count + 9 + max(size, 1) && text(whole).hasSuffix("\r\n0\r\n\r\n"))
            }
            #expect(backend.connections == 1)
            await proxy.stop()
        }

        @Test("A large head and a large body get along")
        func largeHead() async throws {
            let backend = try ScriptedBackend { _, _ in [.read(200_000), .send(ok())] }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            let field = "X-Large: " + String(repeating: "x", count: 15_000) + "\r\n"
            let body = String(repeating: "b", count: 200_000)
            for _ in 0..<3 {
                try client.send("PUT /l HTTP/1.1\r\nHost: h\r\n\(field)Content-Length: 200000\r\n\r\n" + body)
                #expect(try client.readResponse().body == "hello")
            }
            #expect(backend.bodies == [body, body, body])
            await proxy.stop()
        }

        @Test("HTTP/1.0 clients get chunked bodies as plain ones, and a body without a length ends with the connection")
        func oldClients() async throws {
            let backend = try ScriptedBackend { head, _ in
                head.hasPrefix("GET /open")
                    ? [.send("HTTP/1.1 200 OK\r\n\r\nuntil the end"), .close]
                    : [
                        .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
                        .pause(milliseconds: 30),
                        .send("4;e=1\r\ndefg\r\n0\r\nT: x\r\n\r\n"),
                    ]
            }
            let proxy = try Proxy(pools: [[backend.address]])
            let old = try proxy.client()
            try old.send("GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n")
            let answer = try old.readToEnd()
            #expect(answer.hasSuffix("\r\n\r\nabcdefg"))
            #expect(!answer.lowercased().contains("transfer-encoding") && answer.contains("Connection: close"))
            let client = try proxy.client()
            try client.send("GET /open HTTP/1.1\r\nHost: h\r\n\r\n")
            let open = try client.readToEnd()
            #expect(open.contains("Connection: close\r\n") && open.hasSuffix("\r\n\r\nuntil the end"))
            await proxy.stop()
        }

        @Test(
            "Bodies over the limit are 413, broken chunks 400, and nothing of them is taken for a request",
            arguments: [
                ("Content-Length: 1001\r\n\r\n", 413),
                ("Transfer-Encoding: chunked\r\n\r\n3e9\r\n", 413),
                ("Transfer-Encoding: chunked\r\n\r\nx\r\n", 400),
                ("Transfer-Encoding: chunked\r\n\r\n1\nA\r\n0\r\n\r\n", 400),
                ("Transfer-Encoding: chunked\r\n\r\n1\r\nAB0\r\n\r\n", 400),
                ("Transfer-Encoding: chunked\r\n\r\n1000000000000000\r\n", 400),
                ("Transfer-Encoding: chunked\r\n\r\n 1\r\nA\r\n0\r\n\r\n", 400),
                ("Transfer-Encoding: chunked\r\n\r\n0x1\r\nA\r\n0\r\n\r\n", 400),
            ])
        func refused(rest: String, status: Int) async throws {
            var settings = Proxy.Settings()
            settings.limits = HTTPLimits(headSize: 16_384, headerCount: 100, bodySize: 1_000, connections: 10)
            let backend = try ScriptedBackend { _, _ in [.readToEnd, .close] }
            let proxy = try Proxy(pools: [[backend.address]], settings: settings)
            let client = try proxy.client()
            try client.send("POST / HTTP/1.1\r\nHost: h\r\n" + rest + "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")
            let answer = try client.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
            #expect(answer.contains("Connection: close\r\n"))
            #expect(!backend.heads.contains { $0.contains("smuggled") })
            await proxy.stop(deadline: .milliseconds(50))
        }

        @Test("An answer before the body's end reaches the client, which is then closed")
        func earlyAnswer() async throws {
            let backend = try ScriptedBackend { _, _ in
                [.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"), .close]
            }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            try client.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nstart")
            let answer = try client.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 403 ") && answer.hasSuffix("no"))
            await proxy.stop()
        }

        @Test("A client that reads slowly holds the backend back instead of filling memory")
        func backPressure() async throws {
            let size = 16 << 20
            let backend = try ScriptedBackend { _, _ in
                [
                    .send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n"),
                    .bytes([UInt8](repeating: 0x7a, count: size)),
                ]
            }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            _ = try client.readHead()
            try await Task.sleep(for: .milliseconds(300))
            let before = residentKiB()
            var sum = 0
            while sum < size {
                let part = try client.read(count: min(1 << 20, size - sum))
                #expect(part.allSatisfy { $0 == 0x7a })
                sum += part.count
            }
            #expect(residentKiB() - before < 8 << 10)
            try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            _ = try client.readHead()
            await proxy.stop(deadline: .milliseconds(50))
        }
    }
}
