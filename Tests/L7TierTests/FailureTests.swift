import ControlPlane
import Engine
import L7Tier
import Model
import TestKit
import Testing

extension L7TierTests {
    @Suite("When backends and clients fail")
    struct FailureTests {
        private static func closedPort() throws -> SocketAddress {
            let backend = try ScriptedBackend { _, _ in [] }
            backend.stop()
            return backend.address
        }

        @Test("Without a backend: 502 when it refuses, 503 when none is usable, each with its reason")
        func noBackend() async throws {
            let dead = try Self.closedPort()
            let proxy = try Proxy(pools: [[dead]])
            let client = try proxy.client()
            try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            var response = try client.readResponse()
            #expect(
                response.head.hasPrefix("HTTP/1.1 502 ") && response.head.contains("X-Meridian-Reason: connect-failed"))
            proxy.health.endpoints.remove(.up, at: 0)
            try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            response = try client.readResponse()
            #expect(
                response.head.hasPrefix("HTTP/1.1 503 ") && response.head.contains("X-Meridian-Reason: no-endpoint"))
            #expect(proxy.health.endpoints.failures(0) == 1)
            #expect(proxy.health.endpoints.inFlight(0) == 0)
            await proxy.stop()
        }

        @Test("A descriptor that we lack is no failure of an endpoint: 503, and no row of failures")
        func withoutDescriptors() async throws {
            var settings = Proxy.Settings()
            settings.ejection = EjectionPolicy(failures: 1, base: .seconds(9), maximum: .seconds(9), maximumShare: 100)
            let backend = try ScriptedBackend { _, _ in [.send(ok())] }
            let proxy = try Proxy(pools: [[backend.address]], settings: settings)
            let other = try proxy.client()
            // Answered by the node itself: it is accepted, and no endpoint was asked.
            try other.send("OPTIONS * HTTP/1.1\r\nHost: h\r\nMax-Forwards: 0\r\n\r\n")
            #expect(try other.readResponse().head.hasPrefix("HTTP/1.1 200 "))
            let response = try await TestKit.withoutDescriptors {
                try other.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                return try other.readResponse()
            }
            #expect(
                response.head.hasPrefix("HTTP/1.1 503 ") && response.head.contains("X-Meridian-Reason: exhausted"))
            #expect(proxy.health.endpoints.failures(0) == 0)
            #expect(proxy.health.endpoints.failuresInARow(0) == 0)
            #expect(proxy.health.endpoints.inFlight(0) == 0)
            try other.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try other.readResponse().body == "hello")
            await proxy.stop()
        }

        @Test("A request goes on to another endpoint when the first cannot be reached, with any method and body")
        func connectRetry() async throws {
            let backend = try ScriptedBackend { _, _ in [.read(3), .send(ok())] }
            let proxy = try Proxy(pools: [[try Self.closedPort(), backend.address]])
            let client = try proxy.client()
            for _ in 0..<6 {
                try client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
                #expect(try client.readResponse().head.hasPrefix("HTTP/1.1 200 "))
            }
            #expect(backend.bodies == Array(repeating: "abc", count: 6))
            await proxy.stop()
        }

        @Test("A kept connection that its server closed is replaced unseen")
        func staleConnection() async throws {
            // Answers, then closes while the next request is on its way.
            let backend = try ScriptedBackend { _, number in
                number % 2 == 1 ? [.send(ok("\(number)"))] : [.close]
            }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            for number in [1, 3, 5] {
                try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try client.readResponse().body == "\(number)")
            }
            #expect(proxy.health.endpoints.failures(0) == 0)
            await proxy.stop()
        }

        @Test("POST is not repeated once it was sent; GET is, on another endpoint")
        func repetition() async throws {
            let broken = try ScriptedBackend { _, _ in [.close] }
            let proxy = try Proxy(pools: [[broken.address]])
            let client = try proxy.client()
            try client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")
            let response = try client.readResponse()
            #expect(response.head.hasPrefix("HTTP/1.1 502 "))
            #expect(response.head.contains("closed-before-response"))
            #expect(broken.heads.count == 1)
            let sound = try ScriptedBackend { _, _ in [.send(ok())] }
            let pair = try Proxy(pools: [[broken.address, sound.address]])
            let other = try pair.client()
            for _ in 0..<4 {
                try other.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try other.readResponse().body == "hello")
            }
            await proxy.stop()
            await pair.stop()
        }

        @Test(
            "A response that is none is 502 and its connection is not used again",
            arguments: [
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
                "SSH-2.0-OpenSSH\r\n\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
                "HTTP/1.1 200 OK\r\nA: b\u{0}\r\n\r\n", "HTTP/1.1 99 What\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            ])
        func malformed(response: String) async throws {
            let backend = try ScriptedBackend { _, number in [.send(number == 1 ? response : ok())] }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.readResponse().head.hasPrefix("HTTP/1.1 502 "))
            try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.readResponse().body == "hello")
            #expect(backend.connections == 2)
            await proxy.stop()
        }

        @Test(
            "A body that ends too soon is an abort for the client, never a clean end",
            arguments: [
                "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
            ])
        func truncated(response: String) async throws {
            let backend = try ScriptedBackend { _, _ in [.send(response), .pause(milliseconds: 30), .close] }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(throws: RawClient.Failure.self) {
                _ = try client.readHead()
                _ = try client.readToEnd()
            }
            await proxy.stop()
        }

        @Test("Octets behind a response make its connection unusable")
        func extraBytes() async throws {
            let backend = try ScriptedBackend { _, number in [.send(ok("\(number)") + "HTTP/1.1 200 OK\r\n\r\n")] }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try proxy.client()
            for number in 1...3 {
                try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try client.readResponse().body == "\(number)")
            }
            #expect(backend.connections == 3)
            await proxy.stop()
        }

        @Test("Silence upstream is 504 after the response timeout, an unfinished request 408 after the client's")
        func timeouts() async throws {
            var settings = Proxy.Settings()
            settings.pool = PoolTimeouts(connect: .seconds(1), response: .milliseconds(200), idle: .seconds(5))
            settings.timeouts = HTTPListenerTimeouts(
                head: .milliseconds(200), body: .milliseconds(200), keepalive: .milliseconds(200))
            let backend = try ScriptedBackend { _, _ in [.pause(milliseconds: 5_000)] }
            let proxy = try Proxy(pools: [[backend.address]], settings: settings)
            let client = try proxy.client()
            try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            let response = try client.readResponse()
            #expect(response.head.hasPrefix("HTTP/1.1 504 ") && response.head.contains("response-timeout"))
            #expect(try client.readToEnd() == "", "an idle connection closes without a word")
            let slow = try proxy.client()
            try slow.send("GET / HTTP/1.1\r\nHo")
            #expect(try slow.readToEnd().hasPrefix("HTTP/1.1 408 "))
            let unfinished = try proxy.client()
            try unfinished.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
            #expect(try unfinished.readToEnd().hasPrefix("HTTP/1.1 408 "))
            await proxy.stop(deadline: .milliseconds(100))
        }

        @Test("Rows of failures are counted for the control plane to eject, and successes end them")
        func streaks() async throws {
            var settings = Proxy.Settings()
            settings.ejection = EjectionPolicy(failures: 2, base: .seconds(1), maximum: .seconds(2), maximumShare: 100)
            let backend = try ScriptedBackend { _, number in number == 3 ? [.send(ok())] : [.reset] }
            let proxy = try Proxy(pools: [[backend.address]], settings: settings)
            let client = try proxy.client()
            for expected in [1, 2, 0] {
                try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                _ = try client.readResponse()
                // The client may read the response before the worker has counted it.
                for _ in 0..<100 where proxy.health.endpoints.failuresInARow(0) != expected {
                    try await Task.sleep(for: .milliseconds(5))
                }
                #expect(proxy.health.endpoints.failuresInARow(0) == expected)
            }
            await proxy.stop()
        }

        @Test("A stop lets the response under way finish, says close, and frees every descriptor")
        func gracefulStop() async throws {
            let backend = try ScriptedBackend { _, _ in [.pause(milliseconds: 150), .send(ok())] }
            let proxy = try Proxy(pools: [[backend.address]])
            let idle = try proxy.client()
            let busy = try proxy.client()
            try busy.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            while proxy.health.endpoints.inFlight(0) == 0 { await Task.yield() }
            async let stopped: Void = proxy.stop()
            let answer = try busy.readToEnd()
            #expect(answer.contains("Connection: close\r\n") && answer.hasSuffix("hello"))
            #expect(try idle.readToEnd() == "")
            await stopped
            #expect(throws: RawClient.Failure.self) { _ = try proxy.client() }
            #expect(openSockets(port: proxy.address.port) == 0)
        }

        @Test("Nobody is let in before the node opens")
        func opening() async throws {
            let backend = try ScriptedBackend { _, _ in [.send(ok())] }
            let proxy = try Proxy(pools: [[backend.address]], opens: false)
            #expect(throws: RawClient.Failure.self) { _ = try proxy.client() }
            try proxy.server.open()
            let client = try proxy.client()
            try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.readResponse().body == "hello")
            await proxy.stop()
        }

        @Test("A restart whose processes overlap loses no request")
        func overlap() async throws {
            let backend = try ScriptedBackend { _, _ in [.send(ok())] }
            var settings = Proxy.Settings()
            settings.workers = 2
            var proxy = try Proxy(pools: [[backend.address]], settings: settings)
            let address = proxy.address
            let users = Crowd(4) {
                guard let client = try? RawClient(address) else { return false }
                try? client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                return (try? client.readResponse())?.body == "hello"
            }
            for _ in 1...6 {
                let next = try Proxy(pools: [[backend.address]], settings: settings, port: address.port)
                try await Task.sleep(for: .milliseconds(30))
                await proxy.stop(deadline: .seconds(5))
                proxy = next
            }
            let (served, lost) = await users.stop()
            #expect(served > 20 && lost == 0, "\(lost) of \(served + lost) lost")
            await proxy.stop()
        }

        @Test("A reload moves new requests, keeps connections and goes on counting")
        func reload() async throws {
            let first = try ScriptedBackend { _, _ in [.send(ok("first"))] }
            let second = try ScriptedBackend { _, _ in [.send(ok("second"))] }
            let proxy = try Proxy(pools: [[first.address]])
            let client = try proxy.client()
            try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.readResponse().body == "first")
            try proxy.reload(pools: [[second.address]])
            var body = ""
            for _ in 0..<100 where body != "second" {
                try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                body = try client.readResponse().body
            }
            #expect(body == "second")
            #expect(proxy.server.facts().pools.first?.operations ?? 0 >= 2)
            await proxy.stop()
        }
    }
}
