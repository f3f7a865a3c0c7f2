import Engine
import L7Tier
import Model
import TestKit
import Testing

extension L7TierTests {
    /// What users' servers and clients really send goes through, as they mean it.
    @Suite("Leniency")
    struct LeniencyTests {
        @Test("Response fields with an underscore are the server's own affair")
        func underscores() async throws {
            let backend = try ScriptedBackend { _, _ in [.send(ok("", "X_Trace_Id: 7\r\nset_cookie: a\r\n"))] }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            try client.send("GET / HTTP/1.1\r\nHost: h\r\nX_Mine: 1\r\n\r\n")
            let head = try client.readResponse().head
            #expect(head.contains("\r\nX_Trace_Id: 7\r\n") && head.contains("\r\nset_cookie: a\r\n"))
            #expect(backend.heads.first?.contains("X_Mine") == false)
            await proxy.stop()
        }

        @Test(
            "UTF-8 in a target goes on percent-encoded, and is routed as if it had come so",
            arguments: [
                ("/caf\u{e9}", "/caf%C3%A9"), ("/caf\u{e9}?q=\u{65e5}\u{672c}", "/caf%C3%A9?q=%E6%97%A5%E6%9C%AC"),
                ("/a?q=\u{1f600}&x=%zz", "/a?q=%F0%9F%98%80&x=%zz"), ("/\u{e9}/../%61\u{e9}", "/a%C3%A9"),
                ("/a?b\\c&d=\\", "/a?b%5Cc&d=%5C"), ("/\u{e9}?\\%5c\u{e9}", "/%C3%A9?%5C%5c%C3%A9"),
                ("http://shop.test/\u{e9}?\u{e9}", "/%C3%A9?%C3%A9"), ("/\u{9b}31m", "/%C2%9B31m"),
            ])
        func rawTargets(target: String, expected: String) async throws {
            let backend = try StrictBackend()
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            try client.send("GET \(target) HTTP/1.1\r\nHost: shop.test\r\n\r\n")
            #expect(try client.readResponse().body == expected)
            // Behind another one, and in pieces.
            try client.send("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
            let octets = Array("POST \(target) HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 3\r\n\r\nabc".utf8)
            for octet in octets {
                try client.send([octet])
                if octet >= 0x80 { try await Task.sleep(for: .milliseconds(2)) }
            }
            #expect(try client.readResponse().body == "/")
            #expect(try client.readResponse().body == expected)
            #expect(backend.faults == [])
            await proxy.stop()
        }

        @Test("A long target in another script fits, three octets for each one")
        func longRawTarget() async throws {
            let backend = try StrictBackend()
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            try client.send(
                "GET /\(String(repeating: "\u{65e5}", count: 2_000)) HTTP/1.1\r\nHost: shop.test\r\n\r\n")
            #expect(try client.readResponse().body == "/" + String(repeating: "%E6%97%A5", count: 2_000))
            await proxy.stop()
        }

        @Test("Octets that are no UTF-8 are refused, and all of them where the listener says so")
        func refusedTargets() async throws {
            let backend = try StrictBackend()
            var strict = Proxy.Settings()
            strict.rawTargets = .refuse
            for (settings, targets) in [
                (
                    Proxy.Settings(),
                    [[0xe9], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xc3], [0x80], [0x7f]]
                ),
                (strict, [[0xc3, 0xa9], [0x5c]]),
            ] as [(Proxy.Settings, [[UInt8]])] {
                let proxy = try Proxy(pools: [[backend.address]], settings: settings)
                for target in targets {
                    for place in ["/", "/?"] {
                        let client = try proxy.client()
                        try client.send(
                            Array("GET \(place)".utf8) + target + Array(" HTTP/1.1\r\nHost: h\r\n\r\n".utf8))
                        #expect(try client.readToEnd().hasPrefix("HTTP/1.1 400 "), "\(place) \(target)")
                    }
                }
                await proxy.stop(deadline: .milliseconds(50))
            }
            #expect(backend.requests.isEmpty)
        }

        @Test("A backslash in a path is refused, encoded or not, where it could pass for a slash")
        func backslashes() async throws {
            let backend = try StrictBackend()
            let proxy = try Proxy(pools: [[backend.address]])
            for target in ["/a\\b", "/\\", "/..\\a", "/a/..%5cb", "\\"] {
                let client = try proxy.client()
                try client.send("GET \(target) HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                #expect(try client.readToEnd().hasPrefix("HTTP/1.1 400 "), "\(target)")
            }
            #expect(backend.requests.isEmpty)
            await proxy.stop(deadline: .milliseconds(50))
        }

        @Test("A status beyond 599 goes on as it is, and is no failure of the server's framing")
        func statuses() async throws {
            let backend = try ScriptedBackend { head, _ in
                let status = head.split(separator: " ")[1].dropFirst()
                return [.send("HTTP/1.1 \(status) Odd\r\nContent-Length: 2\r\n\r\nok")]
            }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            for status in [600, 699, 777, 999] {
                try client.send("GET /\(status) HTTP/1.1\r\nHost: h\r\n\r\n")
                let response = try client.readResponse()
                #expect(response.head.hasPrefix("HTTP/1.1 \(status) Odd\r\n") && response.body == "ok")
            }
            #expect(backend.connections == 1)
            for status in ["099", "000", "1000", "2x0"] {
                let client = try proxy.client()
                try client.send("GET /\(status) HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try client.readResponse().head.hasPrefix("HTTP/1.1 502 "), "\(status)")
            }
            await proxy.stop()
        }

        @Test("204, 304 and 1xx carry no framing fields")
        func bodyless() async throws {
            let backend = try ScriptedBackend { head, _ in
                let fields = head.contains("chunked") ? "Transfer-Encoding: chunked\r\n" : "Content-Length: 5\r\n"
                if head.hasPrefix("GET /103") { return [.send("HTTP/1.1 103 Hints\r\n\(fields)\r\n"), .send(ok())] }
                return [.send("HTTP/1.1 \(head.split(separator: " ")[1].dropFirst()) Empty\r\n\(fields)\r\n")]
            }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            for status in [204, 304, 103] {
                for query in ["chunked", "length"] {
                    try client.send("GET /\(status) HTTP/1.1\r\nHost: h\r\nX: \(query)\r\n\r\n")
                    let head = try client.readHead()
                    #expect(head.hasPrefix("HTTP/1.1 \(status) "), "\(head)")
                    #expect(!head.contains("Transfer-Encoding") && !head.contains("Content-Length"), "\(head)")
                    if status == 103 { #expect(try client.readResponse().body == "hello") }
                }
            }
            // One whose body was announced by a 204, or as chunks, is not used again.
            #expect(backend.connections == 4)
            await proxy.stop()
        }

        @Test("Interim responses are bounded: sixteen go on, more are 502")
        func interims() async throws {
            let hint = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
            let backend = try ScriptedBackend { head, _ in
                let count = head.hasPrefix("GET /few") ? 16 : 10_000
                return [.send(String(repeating: hint, count: count)), .send(ok())]
            }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            try client.send("GET /few HTTP/1.1\r\nHost: h\r\n\r\n")
            for _ in 0..<16 { #expect(try client.readHead() == hint) }
            #expect(try client.readResponse().body == "hello")
            try client.send("GET /many HTTP/1.1\r\nHost: h\r\n\r\n")
            for _ in 0..<16 { #expect(try client.readHead() == hint) }
            let last = try client.readResponse()
            #expect(last.head.hasPrefix("HTTP/1.1 502 ") && last.head.contains("too-many-interim-responses"))
            await proxy.stop()
        }

        @Test("Limits of a listener count the connections that came through it")
        func listenerLimits() async throws {
            let backend = try ScriptedBackend { _, _ in [.send(ok())] }
            func limits(_ connections: Int) -> HTTPLimits {
                HTTPLimits(headSize: 16 * 1024, headerCount: 100, bodySize: nil, connections: connections)
            }
            var settings = Proxy.Settings()
            settings.limits = limits(20)
            settings.secondLimits = limits(2)
            let proxy = try Proxy(pools: [[backend.address]], settings: settings)
            func ask(_ client: RawClient) throws -> Bool {
                try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                return (try? client.readResponse().body) == "hello"
            }
            // More on the first than the second may have.
            let first = try (0..<5).map { _ in try proxy.client() }
            for client in first { #expect(try ask(client)) }
            var second = try (0..<2).map { _ in try RawClient(proxy.second) }
            for client in second { #expect(try ask(client)) }
            let third = try RawClient(proxy.second)
            #expect((try? ask(third)) != true, "the third on the second listener is closed")
            // A place that becomes free is given again.
            second.removeLast().hangUp()
            var isServed = false
            for _ in 0..<100 where !isServed {
                isServed = (try? ask(RawClient(proxy.second))) == true
                if !isServed { try await Task.sleep(for: .milliseconds(20)) }
            }
            #expect(isServed)
            await proxy.stop()
        }
    }
}
