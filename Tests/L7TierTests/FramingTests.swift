import L7Tier
import Model
import TestKit
import Testing

extension L7TierTests {
    /// What a backend reads is what was routed, framed in the one way that there is.
    @Suite("Framing")
    struct FramingTests {
        @Test(
            "A request behind another, with a body and a target that is written anew, goes up as it was routed",
            arguments: [
                ("PUT http://shop.test/a/b HTTP/1.1", "/a/b"), ("PUT /a/b HTTP/1.7", "/a/b"),
                ("PUT /x/../a/%62 HTTP/1.1", "/a/b"), ("PUT http://shop.test HTTP/1.1", "/"),
            ])
        func pipelinedTargets(line: String, target: String) async throws {
            let backend = try StrictBackend()
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            // A connection that will be used again.
            try client.send("GET /first HTTP/1.1\r\nHost: shop.test\r\n\r\n")
            #expect(try client.readResponse().body == "/first")
            for size in [5, 40, 300, 4_000] {
                let evil = "GET /stolen HTTP/1.1\r\nHost: admin.test\r\n\r\n"
                let body = text(Array(String(repeating: evil, count: size / evil.utf8.count + 1).utf8.prefix(size)))
                try client.send(
                    "GET /before HTTP/1.1\r\nHost: shop.test\r\n\r\n"
                        + "\(line)\r\nHost: shop.test\r\nContent-Length: \(size)\r\n\r\n\(body)"
                        + "GET /after HTTP/1.1\r\nHost: shop.test\r\n\r\n")
                for expected in ["/before", target, "/after"] {
                    #expect(try client.readResponse().body == expected, "\(size)")
                }
            }
            #expect(backend.faults == [])
            #expect(
                backend.requests.map(\.target) == ["/first"] + (0..<4).flatMap { _ in ["/before", target, "/after"] })
            #expect(backend.connections == 1)
            await proxy.stop()
        }

        @Test(
            "One Transfer-Encoding line that says chunked, or none",
            arguments: [
                ("Transfer-Encoding: ,chunked\r\n", 400), ("Transfer-Encoding: chunked,\r\n", 400),
                ("Transfer-Encoding: , ,chunked\r\n", 400),
                ("Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n", 400),
                ("Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n", 400), ("Transfer-Encoding:\r\n", 400),
                ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400),
                ("Transfer-Encoding: \"chunked\"\r\n", 501), ("Transfer-Encoding: chunked;q=1\r\n", 501),
                ("Transfer-Encoding: identity\r\n", 400), ("Transfer-Encoding: gzip, chunked\r\n", 501),
                ("Transfer-Encoding: chunked, identity\r\n", 400), ("Transfer-Encoding: \u{b}chunked\r\n", 400),
                ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400),
                ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400),
                ("Content-Length: 5\r\nContent-Length: 5\r\n", 400), ("Content-Length: 5, 5\r\n", 400),
                ("Content-Length: +5\r\n", 400), ("Content-Length:\r\n", 400),
            ])
        func refusedCodings(lines: String, status: Int) async throws {
            let backend = try StrictBackend()
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            try client.send(
                "POST / HTTP/1.1\r\nHost: h\r\n\(lines)\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")
            let answer = try client.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
            #expect(backend.requests.isEmpty && backend.faults.isEmpty)
            await proxy.stop(deadline: .milliseconds(50))
        }

        @Test("Framing fields are written anew: once, in their plain form, whatever Connection lists")
        func writtenAnew() async throws {
            let backend = try StrictBackend()
            let proxy = try Proxy(pools: [[backend.address]])
            for fields in [
                "TRANSFER-encoding: Chunked\r\n", "Transfer-Encoding:\tchunked \r\nConnection: transfer-encoding\r\n",
                "Connection: close, Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n",
            ] {
                let client = try proxy.client()
                try client.send("POST /c HTTP/1.1\r\nHost: h\r\n\(fields)\r\n5\r\nhello\r\n0\r\n\r\n")
                #expect(try client.readResponse().body == "/c")
            }
            let client = try proxy.client()
            try client.send(
                "POST /l HTTP/1.1\r\nHost: h\r\nConnection: Content-Length\r\nContent-Length: 0005\r\n\r\nhello")
            #expect(try client.readResponse().body == "/l")
            try client.send("POST /z HTTP/1.1\r\nHost: h\r\nContent-Length: 000\r\n\r\n")
            #expect(try client.readResponse().body == "/z")
            #expect(backend.faults == [])
            let requests = backend.requests
            #expect(
                requests.map { String(decoding: $0.body, as: UTF8.self) } == ["hello", "hello", "hello", "hello", ""])
            #expect(requests.last?.values("content-length") == ["0"])
            #expect(requests.allSatisfy { $0.values("connection").isEmpty })
            await proxy.stop()
        }

        @Test("Chunks are framed anew: sizes in their shortest form, no extensions, however they come in")
        func chunks() async throws {
            let backend = try StrictBackend()
            let proxy = try Proxy(pools: [[backend.address]])
            let chunked = "00005;a=b\r\nhello\r\n0A ; c=\"d\"\r\n 1234 6789\r\n1\t\r\n!\r\n000;last\r\n\r\n"
            let request = "POST /chunks HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked
            for piece in [1, 2, 3, 7, 50, 1_000] {
                let client = try proxy.client()
                let octets = Array((request + "GET /next HTTP/1.1\r\nHost: h\r\n\r\n").utf8)
                var offset = 0
                while offset < octets.count {
                    let end = min(octets.count, offset + piece)
                    try client.send(String(decoding: octets[offset..<end], as: UTF8.self))
                    if piece < 7 { try await Task.sleep(for: .milliseconds(1)) }
                    offset = end
                }
                #expect(try client.readResponse().body == "/chunks", "in pieces of \(piece)")
                #expect(try client.readResponse().body == "/next", "in pieces of \(piece)")
            }
            #expect(backend.faults == [])
            let posts = backend.requests.filter { $0.method == "POST" }
            #expect(posts.count == 6)
            #expect(posts.allSatisfy { String(decoding: $0.body, as: UTF8.self) == "hello 1234 6789!" })
            await proxy.stop()
        }

        @Test("Trailers go on, but not those that frame, route, authenticate or forward")
        func trailers() async throws {
            let backend = try StrictBackend()
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            let dropped = [
                "Transfer-Encoding: chunked", "content-length: 5", "Host: admin.test", "Connection: close",
                "Authorization: Basic eDp5", "Cookie: a=b", "Set-Cookie: a=b", "X-Forwarded-For: 192.0.2.1",
                "X-Host: evil.test", "X-HTTPS: 1", "X-Scheme: https", "CF-Visitor: {}", "X-Azure-ClientIP: 192.0.2.1",
                "Front-End-Https: on", "X-SSL-Client-Verify: SUCCESS", "Client-Cert: :eA==:",
                "Proxy: http://192.0.2.1/",
                "X-Originating-IP: 192.0.2.1", "CloudFront-Forwarded-Proto: https", "X-Request-ID: theirs",
                "X_Forwarded_For: 192.0.2.1", "Forwarded: for=192.0.2.1", "X-Real-IP: 192.0.2.1", "TE: trailers",
                "Trailer: x", "Content-Type: a/b", "Content-Encoding: gzip", "Expect: 100-continue", "Range: bytes=0-1",
                "Cache-Control: no-store", "Proxy-Authorization: x", "Upgrade: h2c", "Max-Forwards: 1", "Keep-Alive: 1",
            ]
            let lines = dropped.map { $0 + "\r\n" }.joined()
            try client.send(
                "POST /t HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
                    + "Checksum: abc\r\n\(lines)grpc-status:0\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.readResponse().body == "/t")
            #expect(try client.readResponse().body == "/next")
            #expect(backend.faults == [])
            #expect(backend.requests[0].trailers.map(\.name) == ["checksum", "grpc-status"])
            #expect(backend.requests[0].trailers.map(\.value) == ["abc", "0"])
            await proxy.stop()
        }

        @Test(
            "Responses too: one coding, or 502",
            arguments: [
                "Transfer-Encoding: ,chunked\r\n", "Transfer-Encoding: chunked,\r\n",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: identity\r\n",
                "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "Content-Length: 5, 5\r\n",
            ])
        func responseCodings(lines: String) async throws {
            let backend = try ScriptedBackend { _, _ in [.send("HTTP/1.1 200 OK\r\n\(lines)\r\n0\r\n\r\n")] }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.readResponse().head.hasPrefix("HTTP/1.1 502 "))
            await proxy.stop(deadline: .milliseconds(50))
        }

        @Test("The response's framing is written anew as well")
        func responseFraming() async throws {
            let backend = try ScriptedBackend { head, _ in
                if head.hasPrefix("GET /length") {
                    return [
                        .send("HTTP/1.1 200 OK\r\ncontent-length:  0005\r\nConnection: Content-Length\r\n\r\nhello")
                    ]
                }
                if head.hasPrefix("HEAD") { return [.send("HTTP/1.1 200 OK\r\nContent-Length: 0100\r\n\r\n")] }
                return [
                    .send("HTTP/1.1 200 OK\r\ntransfer-encoding: CHUNKED\r\n\r\n0"), .pause(milliseconds: 20),
                    .send("05;x=y\r\nhel"), .pause(milliseconds: 20), .send("lo\r"), .pause(milliseconds: 20),
                    .send("\n00\r\nSum: 1\r\nSet-"), .pause(milliseconds: 20), .send("Cookie: a=b\r\n\r\n"),
                ]
            }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            try client.send("GET /chunked HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.readHead().contains("\r\nTransfer-Encoding: chunked\r\n"))
            let body = "5\r\nhello\r\n0\r\nSum: 1\r\n\r\n"
            #expect(try text(client.read(count: body.utf8.count)) == body)
            try client.send("GET /length HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.readHead().contains("\r\nContent-Length: 5\r\n"))
            #expect(try text(client.read(count: 5)) == "hello")
            try client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.readHead().contains("\r\nContent-Length: 100\r\n"))
            #expect(backend.connections == 1)
            await proxy.stop()
        }
    }
}
