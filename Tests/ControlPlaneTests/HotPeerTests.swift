import Federation
import HTTPExchange
import Model
import Synchronization
import Testing

@testable import ControlPlane

/// Peers that answer every poll at once, with nothing to say.
@Suite("Peers that answer without end", .serialized)
struct HotPeerTests {
    /// A peer whose every answer is `body`, given at once.
    private final class Peer: Sendable {
        private let count = Mutex(0)
        private let server: Mutex<HTTPServer?> = Mutex(nil)

        init(_ body: [UInt8]) throws {
            let server = try HTTPServer(addresses: [SocketAddress(IPAddress(v4: 0x7f00_0001), port: 0)]) {
                [weak self] _, reply in
                self?.count.withLock { $0 += 1 }
                reply(HTTPServer.Response(status: 200, body: body))
            }
            self.server.withLock { $0 = server }
        }

        var polls: Int { count.withLock { $0 } }
        var address: SocketAddress? { server.withLock { $0?.addresses[0] } }
        func stop() async { await server.withLock { $0 }?.stop() }
    }

    private func report(_ sequence: UInt64) throws -> SignedReport {
        let report = Report(
            node: "b", tier: .dns, region: "eu", incarnation: 1_700_000_000_000, sequence: sequence,
            issuedAt: Timestamp(milliseconds: Timestamp.now.milliseconds), state: .serving, configuration: 1,
            pools: [], observations: [], rate: 0)
        return try #require(Fleet.keyring()).sign(try ReportCodec.encode(report))
    }

    @Test("It is asked a few times in an interval and shown as in trouble", arguments: [false, true])
    func pace(repeatsItself: Bool) async throws {
        let items = repeatsItself ? [ReportBatch.Item(signed: try report(1), age: .zero)] : []
        let peer = try Peer(try ReportCodec.encode(ReportBatch(node: "b", cursor: 1, items: items)))
        let a = try FleetNode("a", fleet: ["a", "b"])
        let address = try #require(peer.address)
        let snapshot = try Fleet.snapshot(["a", "b"], ["a": a.address, "b": address])
        let start = ContinuousClock.now
        a.polling.update(snapshot, node: try #require(snapshot.node(named: "a")))
        try await Task.sleep(for: .seconds(2))
        let halves = start.duration(to: .now) / .milliseconds(100)
        // One in half an interval, and those that news of others may take.
        #expect(Double(peer.polls) <= halves + 30)
        #expect(peer.polls > 1)
        #expect(await Fleet.wait(.seconds(20)) { a.polling.links["b"]?.trouble.contains("no current report") == true })
        #expect(try #require(a.polling.links["b"]).failuresInARow > 0)
        await a.stop()
        await peer.stop()
    }

    @Test("An answer longer than reports of all nodes can be is not read")
    func bound() async throws {
        let padding = String(repeating: "a", count: 2 << 20)
        let body = Array("{\"cursor\":1,\"node\":\"b\",\"reports\":[],\"x\":\"\(padding)\"}".utf8)
        let peer = try Peer(body)
        let a = try FleetNode("a", fleet: ["a", "b"])
        let snapshot = try Fleet.snapshot(["a", "b"], ["a": a.address, "b": try #require(peer.address)])
        a.polling.update(snapshot, node: try #require(snapshot.node(named: "a")))
        #expect(await Fleet.wait { a.polling.links["b"]?.trouble == "the answer is too long" })
        await a.stop()
        await peer.stop()
    }

    // MARK: - Pace alone

    private typealias Hearing = FederationHub.Hearing
    private let interval = Duration.seconds(1)

    private func rest(
        _ pace: inout PollPace, _ hearing: Hearing, at now: ContinuousClock.Instant, took: Duration = .zero
    ) -> Duration {
        pace.rest(after: hearing, asked: now - took, now: now, interval: interval, peers: 2)
    }

    @Test("News is followed by the next poll at once, however much there is")
    func news() {
        let start = ContinuousClock.now
        var pace = PollPace(now: start)
        for number in 0..<1000 {
            let now = start + .milliseconds(20 * number)
            let rest = rest(&pace, Hearing(accepted: 1, isOfPeer: true), at: now)
            #expect(rest <= .milliseconds(10))
            #expect(!pace.isSilent(now: now, interval: interval))
        }
    }

    @Test("Known reports are allowed for as often as honest peers repeat them")
    func echoes() {
        let start = ContinuousClock.now
        var pace = PollPace(now: start)
        let echo = Hearing(known: 1)
        for _ in 0..<18 { #expect(rest(&pace, echo, at: start) <= .milliseconds(10)) }
        #expect(rest(&pace, echo, at: start) == .milliseconds(500))
        #expect(rest(&pace, echo, at: start + .milliseconds(501)) == .milliseconds(500))
        #expect(rest(&pace, echo, at: start + .milliseconds(1001)) == .milliseconds(500))
        #expect(rest(&pace, echo, at: start + .milliseconds(2001)) <= .milliseconds(10))
        #expect(rest(&pace, echo, at: start + .seconds(3), took: .milliseconds(600)) <= .zero)
        #expect(rest(&pace, Hearing(), at: start + .seconds(100)) == .milliseconds(500))
    }

    @Test("Whoever says nothing of itself for six intervals is silent until it does")
    func silence() {
        let start = ContinuousClock.now
        var pace = PollPace(now: start)
        _ = rest(&pace, Hearing(accepted: 1), at: start + .seconds(5))
        #expect(!pace.isSilent(now: start + .seconds(5), interval: interval))
        #expect(pace.isSilent(now: start + .seconds(7), interval: interval))
        _ = rest(&pace, Hearing(known: 1, isOfPeer: true), at: start + .seconds(7))
        #expect(!pace.isSilent(now: start + .seconds(8), interval: interval))
    }
}
