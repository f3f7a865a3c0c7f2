import HTTPExchange
import Model
import Synchronization
import TestKit
import Testing

@Suite("The control plane's server", .serialized)
struct HTTPServerTests {
    private static let loopback = SocketAddress(IPAddress(v4: 0x7f00_0001), port: 0)

    private func server(
        limits: HTTPServer.Limits = HTTPServer.Limits(), _ handler: @escaping HTTPServer.Handler
    ) throws -> (HTTPServer, SocketAddress) {
        let server = try HTTPServer(addresses: [Self.loopback], limits: limits, handler: handler)
        return (server, try #require(server.addresses.first))
    }

    @Test("Requests on one connection are answered in order, pipelined or not")
    func keepAlive() async throws {
        let (server, address) = try server { request, reply in
            reply(
                .init(
                    status: 200, contentType: "text/plain", text: "\(request.method) \(request.path) \(request.query)"))
        }
        let client = try RawClient(address)
        try client.send("GET /a%2f/../b%41?x=1 HTTP/1.1\r\nHost: h\r\n\r\nGET /second HTTP/1.1\r\nHost: h\r\n\r\n")
        let first = try client.readResponse()
        #expect(first.head.hasPrefix("HTTP/1.1 200 OK\r\nDate: "))
        #expect(first.body == "GET /bA x=1")
        #expect(try client.readResponse().body == "GET /second ")
        try client.send("HEAD /h HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        let last = try client.readToEnd()
        #expect(
            last.contains("Content-Length: 8\r\nConnection: close")
                || last.contains("Connection: close\r\nContent-Length: 8"))
        #expect(last.hasSuffix("\r\n\r\n"))
        await server.stop()
    }

    @Test("A reply may come later, from another thread, and a vanished client is no trouble")
    func longPoll() async throws {
        let waiting = Mutex<[@Sendable (HTTPServer.Response) -> Void]>([])
        let (server, address) = try server { _, reply in waiting.withLock { $0.append(reply) } }
        let client = try RawClient(address)
        try client.send("GET /poll HTTP/1.1\r\nHost: h\r\n\r\n")
        let gone = try RawClient(address)
        try gone.send("GET /poll HTTP/1.1\r\nHost: h\r\n\r\n")
        while waiting.withLock({ $0.count }) < 2 { await Task.yield() }
        gone.hangUp()
        for reply in waiting.withLock({ $0 }) { reply(.init(status: 204)) }
        let response = try client.readResponse()
        #expect(response.head.hasPrefix("HTTP/1.1 204 No Content\r\n"))
        #expect(!response.head.contains("Content-Length"))
        await server.stop()
    }

    @Test("Bodies arrive whole, by length or chunked, and no larger than allowed")
    func bodies() async throws {
        let (server, address) = try server(limits: .init(bodySize: 50_000)) { request, reply in
            reply(.init(status: 200, body: request.body.reversed()))
        }
        let client = try RawClient(address)
        let body = String(repeating: "0123456789", count: 4_000)
        try client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 40000\r\n\r\n" + body)
        #expect(try client.readResponse().body == String(body.reversed()))
        try client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        try client.send("2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n")
        #expect(try client.readResponse().body == "edcba")
        try client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 50001\r\n\r\n")
        #expect(try client.readToEnd().hasPrefix("HTTP/1.1 413 "))
        let chunky = try RawClient(address)
        try chunky.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nc351\r\n")
        try chunky.send(String(repeating: "x", count: 50_001) + "\r\n")
        #expect(try chunky.readToEnd().hasPrefix("HTTP/1.1 413 "))
        await server.stop()
    }

    @Test(
        "A broken request is refused with its status and the connection closed",
        arguments: [
            ("GET / HTTP/1.1\r\n\r\n", 400), ("nonsense\r\n\r\n", 400), ("GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505),
            ("GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: h\r\nExpect: more\r\n\r\n", 417),
        ])
    func refusals(request: String, status: Int) async throws {
        let (server, address) = try server { _, reply in reply(.init(status: 200)) }
        let client = try RawClient(address)
        try client.send(request)
        let answer = try client.readToEnd()
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
        #expect(answer.contains("X-Meridian-Reason: "))
        await server.stop()
    }

    @Test(
        "A silent connection ends by its deadline, alone on its worker",
        arguments: [
            ("", ""), ("GET / HTTP/1.1\r\nHo", "HTTP/1.1 408 "),
            ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc", "HTTP/1.1 408 "),
            ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 "),
        ])
    func deadlines(says: String, hears: String) async throws {
        let limits = HTTPServer.Limits(request: .seconds(3), idle: .seconds(3))
        let (server, address) = try server(limits: limits) { _, reply in reply(.init(status: 200)) }
        let silence = try await onThread {
            Result {
                let client = try RawClient(address, timeout: 20)
                try client.send(says)
                return client.outwait()
            }
        }.get()
        #expect(silence.ending == .closed && silence.text.hasPrefix(hears), "\(silence)")
        #expect(silence.seconds > 2.9)
        await server.stop()
    }

    /// Takes one word for a proof.
    private static let judge: HTTPServer.Handler = { request, reply in
        var response = HTTPServer.Response(status: 200)
        response.isTrusted = request.header("Word") == "friend"
        if !response.isTrusted { response.status = 401 }
        reply(response)
    }

    private static let proved = "GET / HTTP/1.1\r\nHost: h\r\nWord: friend\r\n\r\n"

    @Test(
        "Silent strangers keep nobody out, from one source or from many, and no friend has to go for them",
        arguments: [false, true])
    func strangers(fromMany: Bool) async throws {
        let (server, address) = try server(Self.judge)
        let friend = try RawClient(address, source: IPAddress(v4: 0x7f00_0909))
        try friend.send(Self.proved)
        #expect(try friend.readResponse().head.hasPrefix("HTTP/1.1 200 "))
        // More than there are places.
        var silent: [RawClient] = []
        for number in UInt32(0)..<1_200 {
            let source = fromMany ? IPAddress(v4: 0x7f01_0000 + number / 8) : IPAddress(v4: 0x7f00_0001)
            silent.append(try RawClient(address, source: source))
        }
        for _ in 0..<3 {
            let late = try RawClient(address, source: IPAddress(v4: 0x7f00_0001))
            try late.send(Self.proved)
            #expect(try late.readResponse().head.hasPrefix("HTTP/1.1 200 "))
        }
        try friend.send(Self.proved)
        #expect(try friend.readResponse().head.hasPrefix("HTTP/1.1 200 "))
        await server.stop()
        withExtendedLifetime(silent) {}
    }

    @Test("Whoever does not know the secret is answered and left")
    func closesAfterRefusal() async throws {
        let (server, address) = try server(Self.judge)
        let client = try RawClient(address)
        try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        let silence = client.outwait()
        #expect(silence.text.hasPrefix("HTTP/1.1 401 ") && silence.text.contains("Connection: close"))
        #expect(silence.ending == .closed)
        await server.stop()
    }

    @Test("A stop answers what is under way, then closes")
    func stops() async throws {
        let waiting = Mutex<[@Sendable (HTTPServer.Response) -> Void]>([])
        let (server, address) = try server { _, reply in waiting.withLock { $0.append(reply) } }
        let client = try RawClient(address)
        try client.send("GET /poll HTTP/1.1\r\nHost: h\r\n\r\n")
        while waiting.withLock({ $0.isEmpty }) { await Task.yield() }
        async let stopped: Void = server.stop()
        try await Task.sleep(for: .milliseconds(50))
        waiting.withLock { $0 }.first?(.init(status: 200, contentType: "text/plain", text: "bye"))
        #expect(try client.readToEnd().hasSuffix("bye"))
        await stopped
        #expect(throws: RawClient.Failure.self) { _ = try RawClient(address) }
    }
}
