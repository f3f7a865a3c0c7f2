import ControlPlane
import Foundation
import L7Tier
import Model
import TestKit
import Testing

extension L7TierTests {
    @Suite("Proxying")
    struct ProxyTests {
        @Test("A request goes up with forwarding fields and comes back, on kept connections on both sides")
        func simple() async throws {
            let backend = try ScriptedBackend { _, number in [.send(ok("answer \(number)", "Keep-Alive: x\r\n"))] }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            for number in 1...3 {
                try client.send("GET /a/./b/../c?d HTTP/1.1\r\nHost: Shop.test\r\nKeep-Alive: 1\r\nX: y\r\n\r\n")
                let response = try client.readResponse()
                #expect(response.body == "answer \(number)")
                #expect(response.head.hasPrefix("HTTP/1.1 200 OK\r\n"))
                #expect(!response.head.contains("Keep-Alive"))
            }
            #expect(backend.connections == 1)
            let head = try #require(backend.heads.first)
            let identifier = try #require(head.range(of: "X-Request-ID: [0-9a-f]{32}\r\n", options: .regularExpression))
            #expect(
                head.replacingCharacters(in: identifier, with: "")
                    == "GET /a/c?d HTTP/1.1\r\nHost: Shop.test\r\nX: y\r\nX-Forwarded-For: 127.0.0.1\r\n"
                    + "X-Real-IP: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: \(proxy.address.port)\r\n"
                    + "Via: 1.1 meridian\r\nX-Forwarded-Host: Shop.test\r\n\r\n")
            #expect(proxy.server.facts().operations == 3)
            await proxy.stop()
        }

        @Test("Hop-by-hop fields, those that Connection lists and what strangers say about themselves stay here")
        func hopByHop() async throws {
            let backend = try ScriptedBackend { _, _ in
                [.send(ok("", "Connection: x-secret\r\nX-Secret: 1\r\nX-Open : 2\r\n"))]
            }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            try client.send(
                "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, X-Mine\r\nX-Mine: 1\r\nTE: trailers\r\nUpgrade: h2c\r\n"
                    + "Proxy-Connection: a\r\nX_Forwarded_For: evil\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n"
                    + "X-Real-IP: 192.0.2.1\r\nForwarded: for=192.0.2.1\r\nTrue-Client-IP: 192.0.2.1\r\n"
                    + "X-Kept: 2\r\n\r\n")
            let response = try client.readResponse()
            #expect(!response.head.contains("ecret"))
            #expect(response.head.contains("\r\nX-Open: 2\r\n"))
            let head = try #require(backend.heads.first)
            for gone in ["X-Mine", "TE:", "Upgrade", "Proxy-Connection", "evil", "https", "Connection", "192.0.2.1"] {
                #expect(!head.contains(gone), "\(gone)")
            }
            #expect(head.contains("\r\nX-Kept: 2\r\n"))
            #expect(head.contains("\r\nX-Forwarded-For: 127.0.0.1\r\n"))
            await proxy.stop()
        }

        @Test("Routes choose the pool by host and path, and a request without one is 404")
        func routing() async throws {
            let backends = try (0..<3).map { index in try ScriptedBackend { _, _ in [.send(ok("pool\(index)"))] } }
            var settings = Proxy.Settings()
            settings.routes = [
                (.exact("a.test"), .prefix("/"), 0), (.exact("a.test"), .prefix("/api"), 1),
                (.suffix(".a.test"), .exact("/only"), 2),
            ]
            let proxy = try Proxy(pools: backends.map { [$0.address] }, settings: settings)
            let client = try proxy.client()
            for (host, path, expected) in [
                ("a.test", "/", "pool0"), ("A.TEST:80", "/api", "pool1"), ("a.test", "/api/x", "pool1"),
                ("a.test", "/apix", "pool0"), ("a.test", "/x/../%61pi", "pool1"), ("b.a.test", "/only", "pool2"),
            ] {
                try client.send("GET \(path) HTTP/1.1\r\nHost: \(host)\r\n\r\n")
                #expect(try client.readResponse().body == expected, "\(host)\(path)")
            }
            try client.send("GET /other HTTP/1.1\r\nHost: b.a.test\r\n\r\n")
            let missing = try client.readResponse()
            #expect(missing.head.hasPrefix("HTTP/1.1 404 "))
            #expect(missing.head.contains("X-Meridian-Reason: no-route\r\n"))
            try client.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
            #expect(try client.readResponse().body == "pool0", "the connection goes on after a 404")
            await proxy.stop()
        }

        @Test("HEAD, 204 and 304 have no body whatever their fields say")
        func bodyless() async throws {
            let backend = try ScriptedBackend { head, _ in
                if head.hasPrefix("HEAD") { return [.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")] }
                if head.hasPrefix("GET /204") { return [.send("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n")] }
                return [.send("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n")]
            }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            for (target, status) in [("HEAD /", 200), ("GET /204", 204), ("GET /304", 304), ("HEAD /", 200)] {
                try client.send("\(target) HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try client.readHead().hasPrefix("HTTP/1.1 \(status) "), "\(target)")
            }
            // The 204 and the 304 announced a body, which could still come.
            #expect(backend.connections == 3)
            await proxy.stop()
        }

        @Test("Pipelined requests are answered in order, one at a time")
        func pipelining() async throws {
            let backend = try ScriptedBackend { head, _ in
                let path = head.split(separator: " ")[1]
                return [.pause(milliseconds: path == "/1" ? 50 : 0), .send(ok(String(path)))]
            }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            try client.send((1...20).map { "GET /\($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined())
            for number in 1...20 { #expect(try client.readResponse().body == "/\(number)") }
            await proxy.stop()
        }

        @Test("1xx go to HTTP/1.1 clients only, Expect is passed on")
        func interim() async throws {
            let backend = try ScriptedBackend { head, _ in
                head.contains("Expect: 100-continue")
                    ? [.send("HTTP/1.1 100 Continue\r\n\r\n"), .read(4), .send(ok("got it"))]
                    : [.send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"), .send(ok("final"))]
            }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            try client.send("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
            #expect(try client.readHead() == "HTTP/1.1 100 Continue\r\n\r\n")
            try client.send("data")
            #expect(try client.readResponse().body == "got it")
            #expect(backend.bodies == ["data"])
            try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.readHead() == "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
            #expect(try client.readResponse().body == "final")
            let old = try proxy.client()
            try old.send("GET / HTTP/1.0\r\nHost: h\r\n\r\n")
            let answer = try old.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("final"))
            await proxy.stop()
        }

        @Test("OPTIONS with Max-Forwards 0 ends here, otherwise it counts down; TRACE is refused")
        func maxForwards() async throws {
            let backend = try ScriptedBackend { _, _ in [.send(ok())] }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            try client.send("OPTIONS * HTTP/1.1\r\nHost: h\r\nMax-Forwards: 0\r\n\r\n")
            #expect(try client.readResponse().head.hasPrefix("HTTP/1.1 200 "))
            try client.send("OPTIONS * HTTP/1.1\r\nHost: h\r\nMax-Forwards: 2\r\n\r\n")
            _ = try client.readResponse()
            #expect(backend.heads.count == 1)
            #expect(
                backend.heads[0].hasPrefix("OPTIONS * HTTP/1.1\r\n") && backend.heads[0].contains("Max-Forwards: 1\r\n")
            )
            try client.send("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.readResponse().head.hasPrefix("HTTP/1.1 405 "))
            await proxy.stop()
        }
    }
}
