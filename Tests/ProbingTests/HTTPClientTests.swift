import ControlPlane
import Engine
import Model
import Testing

@Suite struct HTTPClientTests {
    private let client = HTTPClient()

    private func failure(of request: HTTPClientRequest) async -> HTTPClientError? {
        do throws(HTTPClientError) {
            _ = try await client.request(request)
            return nil
        } catch {
            return error
        }
    }

    @Test func readsStatusHeadersBodyAndTiming() async throws {
        let server = try ScriptedServer { peer in
            _ = peer.read(until: "\r\n\r\n")
            peer.write("HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n")
            peer.write("HTTP/1.1 203 Odd\r\nX-One:  a b \r\nx-two:\r\nContent-Length: 5\r\n\r\nhello")
        }
        defer { server.stop() }
        let response = try await client.request(HTTPClientRequest(url: "http://\(server.address)/x?y=1"))
        #expect(response.status == 203)
        #expect(response.header("x-ONE") == "a b")
        #expect(response.header("X-Two") == "")
        #expect(response.header("X-Early") == nil)
        #expect(String(decoding: response.body, as: UTF8.self) == "hello")
        #expect(response.timing.connected > .zero)
        #expect(response.timing.total >= response.timing.firstByte)
    }

    @Test func sendsMethodHeadersAndBody() async throws {
        let server = try ScriptedServer { peer in
            let request = peer.read(until: "payload")
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: \(request.utf8.count)\r\n\r\n\(request)")
        }
        defer { server.stop() }
        let response = try await client.request(
            HTTPClientRequest(
                url: "http://name.test/path", method: "PUT", headers: [("X-Key", "v"), ("X-Empty", "")],
                body: Array("payload".utf8), connectTo: server.address))
        let echo = String(decoding: response.body, as: UTF8.self)
        #expect(echo.hasPrefix("PUT /path HTTP/1.1\r\n"))
        #expect(echo.contains("Host: name.test\r\n"))
        #expect(echo.contains("X-Key: v\r\n"))
        #expect(echo.contains("X-Empty:\r\n"))
        #expect(echo.contains("Content-Length: 7\r\n"))
        #expect(!echo.contains("Expect:"))
    }

    @Test func keepsConnectionsUnlessToldOtherwise() async throws {
        let server = try ScriptedServer { peer in
            while peer.read(until: "\r\n\r\n").hasSuffix("\r\n\r\n") {
                peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            }
        }
        defer { server.stop() }
        var request = HTTPClientRequest(url: "http://\(server.address)/")
        for _ in 0..<3 { _ = try await client.request(request) }
        #expect(server.accepted == 1)
        request.connection = .fresh
        let other = try ScriptedServer { peer in
            _ = peer.read(until: "\r\n\r\n")
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        }
        defer { other.stop() }
        request.url = "http://\(other.address)/"
        for _ in 0..<3 { _ = try await client.request(request) }
        #expect(other.accepted == 3)
    }

    @Test func refusalIsAConnectError() async throws {
        let server = try ScriptedServer { _ in }
        server.stop()
        let request = HTTPClientRequest(url: "http://\(server.address)/")
        #expect(await failure(of: request) == .connect("Connection refused"))
    }

    @Test func silenceTimesOut() async throws {
        let server = try ScriptedServer { peer in _ = peer.read(until: "never") }
        defer { server.stop() }
        let request = HTTPClientRequest(url: "http://\(server.address)/", timeout: .milliseconds(80))
        let start = ContinuousClock.now
        #expect(await failure(of: request) == .timeout)
        #expect(start.duration(to: .now) >= .milliseconds(75))
    }

    @Test func longBodiesFailOrAreCut() async throws {
        let server = try ScriptedServer { peer in
            _ = peer.read(until: "\r\n\r\n")
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + String(repeating: "x", count: 100_000))
        }
        defer { server.stop() }
        var request = HTTPClientRequest(url: "http://\(server.address)/", maximumBodySize: 100)
        #expect(await failure(of: request) == .bodyTooLarge)
        request.overflow = .truncate
        let response = try await client.request(request)
        #expect(response.status == 200)
        #expect(response.body.count == 100)
    }

    @Test func malformedAnswersAreTransferErrors() async throws {
        let server = try ScriptedServer { peer in
            _ = peer.read(until: "\r\n\r\n")
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")
        }
        defer { server.stop() }
        guard case .transfer = await failure(of: HTTPClientRequest(url: "http://\(server.address)/")) else {
            Issue.record("a truncated body passed")
            return
        }
    }

    /// A server that goes on for ever where neither a head nor a body grows.
    @Test(arguments: ["1;", "1;a=", "2\r\nok\r\n0;"], [HTTPClientRequest.BodyOverflow.fail, .truncate])
    func whatNeverEndsIsCutOff(start: String, overflow: HTTPClientRequest.BodyOverflow) async throws {
        let more = String(repeating: "x", count: 10_000)
        let sent = Tally()
        let server = try ScriptedServer { peer in
            _ = peer.read(until: "\r\n\r\n")
            peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(start)")
            // A gigabyte, if it were taken.
            for _ in 0..<100_000 {
                guard peer.write(more) else { return }
                sent.add()
            }
        }
        defer { server.stop() }
        let request = HTTPClientRequest(
            url: "http://\(server.address)/", timeout: .seconds(30), maximumBodySize: 5120, overflow: overflow,
            connection: .fresh)
        #expect(await failure(of: request) == .excess)
        // With what the two sockets hold.
        #expect(sent.value * 10_000 < 64 << 20)
    }

    /// One octet in each chunk, as some servers write a stream: six octets for one.
    @Test func smallChunksAreRead() async throws {
        let server = try ScriptedServer { peer in
            _ = peer.read(until: "\r\n\r\n")
            peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            peer.write(String(repeating: "1\r\na\r\n", count: 300_000) + "0\r\n\r\n")
        }
        defer { server.stop() }
        let response = try await client.request(HTTPClientRequest(url: "http://\(server.address)/"))
        #expect(response.body.count == 300_000)
    }

    /// What earlier answers on a connection brought is not counted again.
    @Test func aKeptConnectionMayBringMuch() async throws {
        let server = try ScriptedServer { peer in
            while peer.read(until: "\r\n\r\n").hasSuffix("\r\n\r\n") {
                peer.write("HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n\(String(repeating: "z", count: 200_000))")
            }
        }
        defer { server.stop() }
        for _ in 1...20 {
            let response = try await client.request(HTTPClientRequest(url: "http://\(server.address)/"))
            #expect(response.body.count == 200_000)
        }
        #expect(server.accepted == 1)
    }

    @Test func aKeptConnectionIsCountedToo() async throws {
        let sent = Tally()
        let server = try ScriptedServer { peer in
            _ = peer.read(until: "\r\n\r\n")
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            _ = peer.read(until: "\r\n\r\n")
            peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;")
            let more = String(repeating: "x", count: 10_000)
            for _ in 0..<100_000 {
                guard peer.write(more) else { return }
                sent.add()
            }
        }
        defer { server.stop() }
        let request = HTTPClientRequest(url: "http://\(server.address)/")
        #expect(try await client.request(request).status == 200)
        #expect(await failure(of: request) == .excess)
        #expect(server.accepted == 1 && sent.value * 10_000 < 64 << 20)
    }

    @Test func cancellationEndsTheWaitAtOnce() async throws {
        let server = try ScriptedServer { peer in _ = peer.read(until: "never") }
        defer { server.stop() }
        let start = ContinuousClock.now
        let task = Task { await failure(of: HTTPClientRequest(url: "http://\(server.address)/")) }
        try await Task.sleep(for: .milliseconds(30))
        task.cancel()
        #expect(await task.value == .cancelled)
        #expect(start.duration(to: .now) < .milliseconds(800))
    }

    @Test(arguments: [
        HTTPClientRequest(url: "ftp://127.0.0.1/"), HTTPClientRequest(url: "http://127.0.0.1/", method: ""),
        HTTPClientRequest(url: "http://127.0.0.1/", headers: [("A", "b\r\nC: d")]),
        HTTPClientRequest(url: "http://127.0.0.1/\r\n", headers: []),
        HTTPClientRequest(url: "http://127.0.0.1/", headers: [("A:", "b")]),
    ])
    func refusesWhatWouldForgeHeaders(request: HTTPClientRequest) async {
        guard case .invalidRequest = await failure(of: request) else {
            Issue.record("\(request.url) was sent")
            return
        }
    }

    @Test func shutdownFailsWhatIsUnderWayAndWhatComes() async throws {
        let server = try ScriptedServer { peer in _ = peer.read(until: "never") }
        defer { server.stop() }
        let request = HTTPClientRequest(url: "http://\(server.address)/")
        async let waiting = failure(of: request)
        try await Task.sleep(for: .milliseconds(30))
        client.shutdown()
        #expect(await waiting == .shutDown)
        #expect(await failure(of: request) == .shutDown)
    }

    @Test func manyAtOnce() async throws {
        let server = try ScriptedServer { peer in
            _ = peer.read(until: "\r\n\r\n")
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        }
        defer { server.stop() }
        let request = HTTPClientRequest(url: "http://\(server.address)/")
        let client = client
        let good = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<64 { group.addTask { (try? await client.request(request).status) == 200 } }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(good == 64)
    }
}
