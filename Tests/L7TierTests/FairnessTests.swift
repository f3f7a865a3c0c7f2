import ControlPlane
import Engine
import L7Tier
import Model
import Synchronization
import TestKit
import Testing

extension L7TierTests {
    /// One worker, and a client that keeps it busy for as long as it is let.
    @Suite("Turns on a busy worker", .timeLimit(.minutes(2)))
    struct FairnessTests {
        enum Load: Sendable {
            case download
            case upload
            /// Requests that we answer ourselves, one behind the other.
            case requests
        }

        /// One end writes and the other reads, each on a thread of its own.
        private final class Pipe: @unchecked Sendable {
            let client: RawClient
            private let count = Atomic<Int>(0)
            private let isOver = Atomic<Bool>(false)

            init(_ client: RawClient) { self.client = client }

            var read: Int { count.load(ordering: .relaxed) }
            var hasEnded: Bool { isOver.load(ordering: .relaxed) }

            func pour(_ bytes: [UInt8]) throws {
                try Thread.start(name: "pour") {
                    do {
                        while true { try self.client.send(bytes) }
                    } catch { self.isOver.store(true, ordering: .relaxed) }
                }
            }

            func swallow() throws {
                try Thread.start(name: "swallow") {
                    while let more = try? self.client.discard(), more > 0 { self.count.add(more, ordering: .relaxed) }
                    self.isOver.store(true, ordering: .relaxed)
                }
            }
        }

        @Test(
            "Whoever moves octets without end leaves the others their turns, and is not cut itself",
            arguments: [Load.download, .upload, .requests])
        func turns(load: Load) async throws {
            let backend = try ScriptedBackend { head, _ in
                if head.hasPrefix("GET /endless") {
                    return [.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000000000\r\n\r\n"), .pour]
                }
                return head.hasPrefix("POST") ? [.swallow] : [.send(ok())]
            }
            var settings = Proxy.Settings()
            settings.routes = [(.exact("h"), .prefix("/"), 0)]
            // Shorter than the transfer lasts, long for a machine that is busy.
            settings.timeouts = HTTPListenerTimeouts(head: .seconds(20), body: .seconds(3), keepalive: .seconds(20))
            settings.pool = PoolTimeouts(connect: .seconds(5), response: .seconds(3), idle: .seconds(30))
            let proxy = try Proxy(pools: [[backend.address]], settings: settings)
            let pipe = Pipe(try RawClient(proxy.address, timeout: 60))
            switch load {
            case .download:
                try pipe.client.send("GET /endless HTTP/1.1\r\nHost: h\r\n\r\n")
            case .upload:
                try pipe.client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000000000\r\n\r\n")
                try pipe.pour([UInt8](repeating: 0x78, count: 1 << 20))
            case .requests:
                try pipe.pour(Array(String(repeating: "GET / HTTP/1.1\r\nHost: x\r\n\r\n", count: 10_000).utf8))
            }
            try pipe.swallow()
            func moved() -> Int { load == .upload ? backend.swallowed : pipe.read }
            while moved() < 4 << 20, !pipe.hasEnded { try await Task.sleep(for: .milliseconds(5)) }
            // What moves while a small request, over a connection of its own, is answered. Some of it moves while this
            // thread waits for a processor, hence the middle of many.
            var between: [Int] = []
            for _ in 0..<15 {
                let before = moved()
                let client = try RawClient(proxy.address, timeout: 20)
                try client.send("GET /small HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try client.readResponse().body == "hello")
                between.append(moved() - before)
                try await Task.sleep(for: .milliseconds(200))
            }
            between.sort()
            #expect(between[between.count / 2] < 64 << 20, "\(between)")
            #expect(!pipe.hasEnded, "a transfer that never paused goes on")
            #expect(proxy.health.endpoints.failures(0) == 0)
            await proxy.stop(deadline: .zero)
        }
    }
}
