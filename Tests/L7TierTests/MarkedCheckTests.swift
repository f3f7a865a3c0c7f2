import ControlPlane
import Engine
import Federation
import Foundation
import HTTPWire
import L7Tier
import Model
import TestKit
import Testing

extension L7TierTests {
    @Suite("Checks of our own nodes") struct MarkedCheckTests {
        private static let secret = Array("a federation key for tests only".utf8)

        private static func counter(_ proxy: Proxy, _ name: String) -> UInt64 {
            var text = MetricsText()
            proxy.server.metrics(into: &text)
            return text.rendered.split(separator: "\n").first { $0.hasPrefix("meridian_l7_\(name) ") }
                .flatMap { UInt64($0.split(separator: " ")[1]) } ?? .max
        }

        /// Sends a request with `mark`, to completion.
        private static func ask(_ proxy: Proxy, _ mark: String?, _ path: String = "/") throws -> String {
            let client = try proxy.client()
            let field = mark.map { "meridian-check: \($0)\r\n" } ?? ""
            try client.send("GET \(path) HTTP/1.1\r\nHost: h\r\n\(field)Connection: close\r\n\r\n")
            return try client.readToEnd()
        }

        @Test("They are served, in no count but their own, and in no access log")
        func marked() async throws {
            let log = NSTemporaryDirectory() + "meridian-checks-\(UInt64.random(in: 0 ... .max)).log"
            defer { try? FileManager.default.removeItem(atPath: log) }
            let backend = try ScriptedBackend { head, _ in
                head.hasPrefix("GET /bad") ? [.send("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")] : [.send(ok())]
            }
            var settings = Proxy.Settings()
            settings.accessLog = log
            settings.ejection = EjectionPolicy(
                failures: 9, base: .seconds(1), maximum: .seconds(1), maximumShare: 100, on: .gateway)
            let proxy = try Proxy(pools: [[backend.address]], settings: settings)
            let mark = CheckMark(Keyring([("new", Self.secret), ("old", Self.secret + [1])]))
            // What this node knows is another object with the keys in another order.
            proxy.health.checkMark.replace(Keyring([("old", Self.secret + [1]), ("new", Self.secret)]))
            let value = try #require(mark.value(for: proxy.address, now: .now))
            let table = proxy.health.endpoints
            table.extendRow(.gateway, at: 0)

            for path in ["/", "/bad", "/user"] {
                #expect(try Self.ask(proxy, value, path).hasPrefix(path == "/bad" ? "HTTP/1.1 503" : "HTTP/1.1 200"))
            }
            #expect(Self.counter(proxy, "checks_total") == 3)
            #expect(Self.counter(proxy, "requests_total") == 0)
            #expect(proxy.server.facts().operations == 0)
            #expect((table.successes(0), table.failures(0), table.failuresInARow(0)) == (0, 0, 1))
            #expect(!backend.heads.joined().lowercased().contains("meridian-check"))

            // A user's request, and what is no mark of ours: of another address, of another time, of a stranger.
            let other = SocketAddress(proxy.address.address, port: 1)
            let strangers: [String?] = [
                nil, mark.value(for: other, now: .now), mark.value(for: proxy.address, now: .now - .seconds(120)),
                CheckMark(Keyring([("new", Array(repeating: 7, count: 32))])).value(for: proxy.address, now: .now),
                String(value.dropLast()), "", value + ", " + value,
            ]
            for stranger in strangers { #expect(try Self.ask(proxy, stranger).hasPrefix("HTTP/1.1 200")) }
            #expect(Self.counter(proxy, "checks_total") == 3)
            #expect(Self.counter(proxy, "requests_total") == UInt64(strangers.count))
            #expect(!backend.heads.joined().lowercased().contains("meridian-check"))
            await proxy.stop()
            let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
            #expect(lines.count == strangers.count, "\(lines)")
        }

        @Test("Without a key nothing is a check")
        func unkeyed() async throws {
            let backend = try ScriptedBackend { _, _ in [.send(ok())] }
            let proxy = try Proxy(pools: [[backend.address]])
            #expect(CheckMark().value(for: proxy.address, now: .now) == nil)
            _ = try Self.ask(proxy, String(repeating: "0", count: 32))
            #expect(Self.counter(proxy, "checks_total") == 0 && Self.counter(proxy, "requests_total") == 1)
            await proxy.stop()
        }
    }
}
