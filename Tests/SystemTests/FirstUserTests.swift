import Foundation
import Glibc
import Model
import TestKit
import Testing
import WorldKit

extension SystemTests {
    /// A node lets users in when it knows where to send them, and not much later.
    @Suite struct FirstUserTests {
        private static let address = "127.0.83.1"
        private static let users = SocketAddress(IPAddress(v4: 0x7f00_5301), port: 8380)

        private static func topology() -> String {
            """
            regions: {here: {address: \(address)}}
            nodes:
              l7:
                {tier: l7, region: here, workers: 2, admin: "\(address):9181", leaveDelay: 2s, drainTimeout: 5s}
            pools:
              web:
                kind: http
                endpoints: {here: ["\(address):9101"]}
                check: {http: {path: /healthz, statuses: [200]}, interval: 30s, timeout: 20s, rise: 3}
            http:
              listeners: {public: {port: 8380}}
              routes: [{name: web, host: www.small.test, path: {prefix: /}, pool: web}]
            """
        }

        private static let request = "GET / HTTP/1.1\r\nHost: www.small.test\r\nConnection: close\r\n\r\n"

        /// The first client that gets in after a start.
        private static func first(within limit: Duration = .seconds(15)) async throws -> RawClient {
            let start = ContinuousClock.now
            while ContinuousClock.now - start < limit {
                if let client = try? RawClient(users, timeout: 10) { return client }
                try await Task.sleep(for: .milliseconds(1))
            }
            return try RawClient(users, timeout: 10)
        }

        @Test(.timeLimit(.minutes(1)))
        func theFirstRequestAfterAStartIsServed() async throws {
            try await TemporaryWorld.run(topology: Self.topology()) { temporary in
                for round in 1...5 {
                    try await temporary.world.restart("l7")
                    let client = try await Self.first()
                    try client.send(Self.request)
                    let head = try client.readResponse().head
                    #expect(head.hasPrefix("HTTP/1.1 200"), "round \(round): \(head)")
                }
            }
        }

        /// A check may take its time to fail: users hear so much sooner.
        @Test(.timeLimit(.minutes(1)))
        func aSilentBackendDoesNotHoldTheDoorForever() async throws {
            try await TemporaryWorld.run(topology: Self.topology()) { temporary in
                let world = temporary.world
                await world.send(SIGSTOP, to: "\(Self.address):9101")
                try await world.restart("l7")
                let start = ContinuousClock.now
                let client = try await Self.first()
                let took = ContinuousClock.now - start
                #expect(took < .seconds(12), "it took \(took)")
                try client.send(Self.request)
                #expect(try client.readResponse().head.hasPrefix("HTTP/1.1 503"))
                #expect(world.log(of: "l7").contains("not waiting any longer"))
                await world.send(SIGCONT, to: "\(Self.address):9101")
            }
        }

        /// SIGTERM, and the new process at once.
        @Test(.timeLimit(.minutes(2)))
        func aRestartLosesNoRequest() async throws {
            try await TemporaryWorld.run(topology: Self.topology()) { temporary in
                let world = temporary.world
                let users = Crowd(3) {
                    guard let client = try? RawClient(Self.users, timeout: 10) else { return false }
                    try? client.send(Self.request)
                    return (try? client.readResponse().head.hasPrefix("HTTP/1.1 200")) ?? false
                }
                for _ in 1...4 {
                    let old = try #require(await world.child("l7"))
                    old.send(SIGTERM)
                    try await world.startBeside("l7")
                    try await world.waitUntilReady("l7", limit: .seconds(15))
                    #expect(await old.wait(.seconds(15)) == .status(0))
                }
                let (served, lost) = await users.stop()
                #expect(served > 100 && lost == 0, "\(lost) of \(served + lost) lost")
            }
        }
    }
}
