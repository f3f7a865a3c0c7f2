import ControlPlane
import Engine
import Glibc
import L7Tier
import Model
import TestKit
import Testing

extension L7TierTests {
    /// A body that ends with its connection is whole when the connection ends in order, so a part of one must not.
    @Suite("Responses that we cut", .timeLimit(.minutes(1)))
    struct CutResponseTests {
        struct Kind: Sendable, CustomTestStringConvertible {
            var testDescription: String
            var request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
            var head: String
            /// Written around each of the body's pieces.
            var frame = (before: "", after: "")
        }

        private static let kinds = [
            Kind(testDescription: "an HTTP/1.0 server", head: "HTTP/1.0 200 OK\r\n\r\n"),
            Kind(testDescription: "no length", head: "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"),
            Kind(
                testDescription: "an HTTP/1.0 client", request: "GET / HTTP/1.0\r\nHost: h\r\n\r\n",
                head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", frame: ("800000\r\n", "\r\n")),
            Kind(testDescription: "a length", head: "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"),
        ]

        private static func backend(_ kind: Kind) throws -> ScriptedBackend {
            try ScriptedBackend { _, _ in
                [
                    .send(kind.head + kind.frame.before), .bytes([UInt8](repeating: 0x61, count: 8 << 20)),
                    .send(kind.frame.after), .readToEnd,
                ]
            }
        }

        @Test("A client that reads too slowly sees a reset", arguments: kinds)
        func slowClient(kind: Kind) async throws {
            let backend = try Self.backend(kind)
            var settings = Proxy.Settings()
            settings.timeouts = HTTPListenerTimeouts(head: .seconds(1), body: .seconds(1), keepalive: .seconds(1))
            let proxy = try Proxy(pools: [[backend.address]], settings: settings)
            let client = try RawClient(proxy.address, timeout: 10)
            try client.send(kind.request)
            #expect(try client.readHead().hasPrefix("HTTP/1.1 200 "))
            for _ in 0..<1_000 where proxy.health.endpoints.inFlight(0) != 0 {
                try await Task.sleep(for: .milliseconds(10))
            }
            let silence = client.outwait()
            #expect(silence.ending == .reset)
            #expect(silence.text.utf8.count < 8 << 20)
            await proxy.stop(deadline: .zero)
        }

        @Test("A client that still reads when the node's time is over sees a reset", arguments: kinds)
        func drain(kind: Kind) async throws {
            let backend = try ScriptedBackend { _, _ in
                [.send(kind.head + (kind.frame.before.isEmpty ? "" : "3\r\n") + "abc"), .readToEnd]
            }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try RawClient(proxy.address, timeout: 10)
            try client.send(kind.request)
            #expect(try client.readHead().hasPrefix("HTTP/1.1 200 "))
            #expect(try client.read(count: 3) == Array("abc".utf8))
            await proxy.stop(deadline: .milliseconds(100))
            #expect(client.outwait().ending == .reset)
        }

        @Test("What is whole ends in order")
        func whole() async throws {
            let backend = try ScriptedBackend { _, _ in
                [.send("HTTP/1.0 200 OK\r\n\r\n"), .bytes([UInt8](repeating: 0x61, count: 1 << 20)), .close]
            }
            let proxy = try Proxy(pools: [[backend.address]])
            let client = try RawClient(proxy.address, timeout: 10)
            try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.readHead().hasPrefix("HTTP/1.1 200 "))
            let silence = client.outwait()
            #expect(silence.ending == .closed && silence.text.utf8.count == 1 << 20)
            await proxy.stop()
        }
    }
}
