import L7Tier
import Model
import TestKit
import Testing

extension L7TierTests {
    /// What endpoints learn about the client: from strangers nothing that we did not see, from proxies that are named what they
    /// say.
    @Suite("Forwarding fields")
    struct ForwardingTests {
        private static let strangers = [
            "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.test",
            "X-Forwarded-Port: 1",
            "X-Real-IP: 192.0.2.1", "Forwarded: for=192.0.2.1;proto=https", "X-Forwarded-Server: evil",
            "X-Forwarded: x",
            "X-Forwarded-Ssl: on", "X-Forwarded-Prefix: /evil", "X-Original-URL: /evil", "X-Original-Host: evil.test",
            "X-Rewrite-URL: /evil", "X-Client-IP: 192.0.2.1", "True-Client-IP: 192.0.2.1", "Client-IP: 192.0.2.1",
            "CF-Connecting-IP: 192.0.2.1", "CF-Connecting-IPv6: 2001:db8::1", "Fastly-Client-IP: 192.0.2.1",
            "X-Cluster-Client-IP: 192.0.2.1", "Front-End-Https: on", "X-Url-Scheme: https", "X-Scheme: https",
            "X-Forwarded-Protocol: https", "X-Forwarded-Ssl: on", "X-Forwarded-By: 192.0.2.1",
            "X-Forwarded-User: root", "X-Forwarded: for=192.0.2.1", "CF-Visitor: {}", "CF-Pseudo-IPv4: 240.0.0.1",
            "X-Envoy-External-Address: 192.0.2.1", "X-Azure-ClientIP: 192.0.2.1", "X-Azure-SocketIP: 192.0.2.1",
            "X-ProxyUser-Ip: 192.0.2.1", "WL-Proxy-Client-IP: 192.0.2.1", "WL-Proxy-SSL: true",
            "Proxy-Client-IP: 192.0.2.1", "X-Remote-IP: 192.0.2.1", "X-Remote-Addr: 192.0.2.1",
            "X-Originating-IP: 192.0.2.1", "X-Appengine-User-IP: 192.0.2.1", "X-Nf-Client-Connection-IP: 192.0.2.1",
            "CloudFront-Viewer-Address: 192.0.2.1:4711", "CloudFront-Forwarded-Proto: https",
            "X-Host: evil.test", "X-Proto: https", "X-HTTPS: 1", "X-SSL-Client-Verify: SUCCESS", "SSL-Client-Cert: x",
            "Client-Cert: :eA==:", "Client-Cert-Chain: :eA==:", "X-Client-Cert: x", "X-Client-Verify: SUCCESS",
            "X-Client-DN: CN=root",
            "X-Arr-Ssl: 1", "Fastly-SSL: 1", "Proxy: http://192.0.2.1/", "X_Forwarded_For: 192.0.2.1",
            "x-forwarded-for:192.0.2.9",
        ]

        private static let spoken = [
            "x-request-id", "x-forwarded-for", "x-real-ip", "x-forwarded-proto", "x-forwarded-port", "via",
            "x-forwarded-host",
        ]

        /// The request as the backend has it, of a client that says `lines`.
        private func ask(_ lines: [String], trusting: [String] = [], target: String = "/") async throws
            -> StrictRequest
        {
            let backend = try StrictBackend()
            var settings = Proxy.Settings()
            settings.trustedProxies = try trusting.map { try #require(IPPrefix($0)) }
            let proxy = try Proxy(pools: [[backend.address]], settings: settings)
            let client = try proxy.client()
            try client.send(
                "GET \(target) HTTP/1.1\r\nHost: shop.test:8080\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n")
            _ = try client.readResponse()
            #expect(backend.faults == [])
            let port = proxy.address.port
            await proxy.stop()
            var request = try #require(backend.requests.first)
            // The listener's port changes from run to run.
            for index in request.fields.indices where request.fields[index].value == "\(port)" {
                request.fields[index].value = "OURS"
            }
            return request
        }

        @Test(
            "A stranger says nothing about itself: every such field is ours, or gone", arguments: [[], ["10.0.0.0/8"]])
        func strangers(trusting: [String]) async throws {
            let request = try await ask(Self.strangers + ["X-Kept: 1"], trusting: trusting)
            #expect(request.fields.map(\.name) == ["host", "x-kept"] + Self.spoken)
            #expect(request.values("x-forwarded-for") == ["127.0.0.1"])
            #expect(request.values("x-real-ip") == ["127.0.0.1"])
            #expect(request.values("x-forwarded-proto") == ["http"])
            #expect(request.values("x-forwarded-port") == ["OURS"])
            #expect(request.values("x-forwarded-host") == ["shop.test:8080"])
        }

        @Test("A trusted proxy is believed, and each field comes once")
        func trusted() async throws {
            let request = try await ask(
                [
                    "X-Forwarded-For: 198.51.100.7", "X-Forwarded-Proto: HTTPS", "X-Forwarded-Port: 8443",
                    "X-Forwarded-Host: www.shop.test", "X-Real-IP: 203.0.113.9", "Forwarded: for=203.0.113.9",
                    "X-Original-URL: /evil", "CF-Connecting-IP: 198.51.100.7", "X-Forwarded-Prefix: /shop",
                ], trusting: ["127.0.0.0/8"])
            #expect(
                request.fields.map(\.name).sorted()
                    == (Self.spoken + ["host", "cf-connecting-ip", "x-forwarded-prefix"]).sorted())
            #expect(request.values("x-forwarded-for") == ["198.51.100.7, 127.0.0.1"])
            #expect(request.values("x-real-ip") == ["198.51.100.7"])
            #expect(request.values("x-forwarded-proto") == ["https"])
            #expect(request.values("x-forwarded-port") == ["8443"])
            #expect(request.values("x-forwarded-host") == ["www.shop.test"])
        }

        @Test(
            "The client is the last address of X-Forwarded-For that no trusted proxy has; what stands before it are claims",
            arguments: [
                (["X-Forwarded-For: 192.0.2.1, 198.51.100.7"], "198.51.100.7"),
                (["X-Forwarded-For: 192.0.2.1, 198.51.100.7, 10.0.0.1 ,10.1.1.1"], "198.51.100.7, 10.0.0.1, 10.1.1.1"),
                (
                    ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 198.51.100.7", "X-Forwarded-For: 10.0.0.1"],
                    "198.51.100.7, 10.0.0.1"
                ),
                (["X-Forwarded-For: 10.0.0.2, 10.0.0.1"], "10.0.0.2, 10.0.0.1"),
                (["X-Forwarded-For: 198.51.100.7:4711"], "198.51.100.7"),
                (["X-Forwarded-For: [2001:DB8:0::1]:4711"], "2001:db8::1"),
                (["X-Forwarded-For: [2001:db8::1]"], "2001:db8::1"),
                (["X-Forwarded-For: 2001:db8::1"], "2001:db8::1"),
                (["X-Forwarded-For: ::ffff:198.51.100.7"], "198.51.100.7"),
                (["X-Forwarded-For: 192.0.2.1, unknown, 10.0.0.1"], "10.0.0.1"),
                (["X-Forwarded-For: 192.0.2.1,, 10.0.0.1"], "10.0.0.1"), (["X-Forwarded-For: 198.51.100.7,"], ""),
                (["X-Forwarded-For: 198.51.100.7 10.0.0.1"], ""), (["X-Forwarded-For: a\"b"], ""),
                (["X-Forwarded-For:"], ""),
                (["X-Forwarded-For: 198.51.100.7", "X-Forwarded-For:"], "198.51.100.7"), ([], ""),
                (["X-Forwarded-For: 198.51.100.7:0"], ""), (["X-Forwarded-For: 198.51.100.7:65536"], ""),
                (["X-Forwarded-For: [198.51.100.7]"], ""), (["X-Forwarded-For: [2001:db8::1"], ""),
            ])
        func chain(lines: [String], chain: String) async throws {
            let request = try await ask(lines, trusting: ["127.0.0.1", "10.0.0.0/8"])
            #expect(request.values("x-forwarded-for") == [chain.isEmpty ? "127.0.0.1" : chain + ", 127.0.0.1"])
            let client = chain.split(separator: ",").first.map(String.init) ?? "127.0.0.1"
            #expect(request.values("x-real-ip") == [client])
        }

        @Test(
            "What a trusted proxy says of scheme, port and host is taken when it is one thing and well-formed",
            arguments: [
                (["X-Forwarded-Proto: https"], "https", "443", "shop.test:8080"),
                (["X-Forwarded-Proto: http"], "http", "OURS", "shop.test:8080"),
                (["X-Forwarded-Proto: https, http"], "http", "OURS", "shop.test:8080"),
                (["X-Forwarded-Proto: https", "X-Forwarded-Proto: https"], "http", "OURS", "shop.test:8080"),
                (["X-Forwarded-Proto: gopher"], "http", "OURS", "shop.test:8080"),
                (["X-Forwarded-Port: 0"], "http", "OURS", "shop.test:8080"),
                (["X-Forwarded-Port: 65536"], "http", "OURS", "shop.test:8080"),
                (["X-Forwarded-Port: 80", "X-Forwarded-Port: 81"], "http", "OURS", "shop.test:8080"),
                (["X-Forwarded-Port: 80"], "http", "80", "shop.test:8080"),
                (["X-Forwarded-Host: a, b"], "http", "OURS", "shop.test:8080"),
                (["X-Forwarded-Host: a/b"], "http", "OURS", "shop.test:8080"),
                (["X-Forwarded-Host: a", "X-Forwarded-Host: b"], "http", "OURS", "shop.test:8080"),
                (["X-Forwarded-Host: [::1]:80"], "http", "OURS", "[::1]:80"),
            ])
        func facts(lines: [String], scheme: String, port: String, host: String) async throws {
            let request = try await ask(lines, trusting: ["127.0.0.1"])
            #expect(request.values("x-forwarded-proto") == [scheme])
            #expect(request.values("x-forwarded-port") == [port])
            #expect(request.values("x-forwarded-host") == [host])
        }

        @Test("Source hash goes by the client that a trusted proxy names, and a second attempt says the same")
        func source() async throws {
            let backends = try (0..<4).map { index in try ScriptedBackend { _, _ in [.send(ok("\(index)"))] } }
            var settings = Proxy.Settings()
            settings.balance = .sourceHash
            settings.trustedProxies = [IPPrefix(IPAddress(v4: 0x7f00_0001), length: 32)]
            let proxy = try Proxy(pools: [backends.map(\.address)], settings: settings)
            let client = try proxy.client()
            func place(_ address: String) throws -> String {
                try client.send("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: \(address)\r\n\r\n")
                return try client.readResponse().body
            }
            let places = try (1...40).map { try place("198.51.100.\($0)") }
            #expect(Set(places).count == 4)
            #expect(try (1...40).map { try place("198.51.100.\($0)") } == places)
            // Where the first client's server is gone, the next one hears of the same client.
            let gone = try #require(Int(places[0]))
            backends[gone].stop()
            await proxy.stop()
            let again = try Proxy(pools: [backends.map(\.address)], settings: settings)
            let other = try again.client()
            try other.send("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 192.0.2.1, 198.51.100.1\r\n\r\n")
            let next = try #require(Int(try other.readResponse().body))
            #expect(next != gone)
            #expect(backends[next].heads.last?.contains("\r\nX-Forwarded-For: 198.51.100.1, 127.0.0.1\r\n") == true)
            await again.stop()
        }
    }
}
