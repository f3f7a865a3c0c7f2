import Federation
import HTTPExchange
import Model
import TestKit
import Testing

@testable import ControlPlane

@Suite("Federation over sockets", .serialized)
struct FederationExchangeTests {
    private let pair = ["a", "b"]
    private let three = ["a", "b", "c"]

    @Test("Two nodes hear one another, and news travels through the waiting poll at once")
    func exchange() async throws {
        let a = try FleetNode("a", fleet: pair, interval: "10s")
        let b = try FleetNode("b", fleet: pair, interval: "10s")
        a.say(.serving)
        b.say(.serving)
        try a.follow([b], fleet: pair)
        try b.follow([a], fleet: pair)
        #expect(await Fleet.wait { a.hears("b", .serving) && b.hears("a", .serving) })
        // A heartbeat would take five seconds; a goodbye must not wait for one.
        #expect(await Fleet.wait { !a.hub.pollers(within: .seconds(1)).isEmpty })
        let clock = ContinuousClock()
        let took = await clock.measure {
            a.say(.leaving)
            _ = await Fleet.wait { b.hears("a", .leaving) }
        }
        #expect(b.hears("a", .leaving))
        #expect(took < .seconds(2), "the machine may be busy, but a heartbeat would be later still")
        #expect(await Fleet.wait { b.changes.value >= 2 })
        await a.stop()
        await b.stop()
    }

    @Test("1,200 silent connections do not keep a peer out", arguments: [false, true])
    func silentStrangers(fromMany: Bool) async throws {
        let (a, b) = (try FleetNode("a", fleet: pair), try FleetNode("b", fleet: pair))
        a.say(.serving)
        var silent: [RawClient] = []
        for number in UInt32(0)..<1_200 {
            silent.append(
                try RawClient(a.address, source: IPAddress(v4: fromMany ? 0x7f01_0000 + number / 8 : 0x7f00_0001)))
        }
        try b.follow([a], fleet: pair)
        #expect(await Fleet.wait { b.hears("a", .serving) })
        #expect(a.server.crowding.evicted >= 1_200 - 1_024 && a.server.crowding.refused == 0)
        await b.stop()
        await a.stop()
        withExtendedLifetime(silent) {}
    }

    @Test("A goodbye is known to be delivered when the poller came back for more")
    func delivery() async throws {
        let (a, b) = (try FleetNode("a", fleet: pair), try FleetNode("b", fleet: pair))
        a.say(.serving)
        try b.follow([a], fleet: pair)
        #expect(await Fleet.wait { b.hears("a", .serving) })
        let pollers = a.hub.pollers(within: .seconds(3))
        #expect(pollers == ["b"])
        let cursor = a.hub.publish(FederationHub.Content(state: .leaving))
        #expect(await Fleet.wait { a.hub.delivered(cursor, to: pollers) })
        #expect(b.hears("a", .leaving))
        #expect(!a.hub.delivered(cursor + 1_000_000, to: pollers))
        await b.stop()
        await a.stop()
    }

    @Test("A third node relays, verbatim, what two that cannot reach each other say")
    func relay() async throws {
        let a = try FleetNode("a", fleet: three)
        let b = try FleetNode("b", fleet: three)
        let c = try FleetNode("c", fleet: three)
        [a, b, c].forEach { $0.say(.serving) }
        // a and c only know b.
        try a.follow([b], fleet: three)
        try b.follow([a, c], fleet: three)
        try c.follow([b], fleet: three)
        #expect(await Fleet.wait { a.hears("c", .serving) && c.hears("a", .serving) })
        #expect(c.hub.entries["a"]?.signed == a.hub.entries["a"]?.signed)
        a.say(.draining)
        #expect(await Fleet.wait { c.hears("a", .draining) })
        for node in [a, b, c] { await node.stop() }
    }

    @Test("Heartbeats are batched: a quiet pair asks a few times per interval, not without end")
    func quiet() async throws {
        let (a, b) = (try FleetNode("a", fleet: pair), try FleetNode("b", fleet: pair))
        a.say(.serving)
        try b.follow([a], fleet: pair)
        #expect(await Fleet.wait { b.hears("a", .serving) })
        let before = a.hub.counters.pollsAnswered
        for _ in 0..<10 {
            try await Task.sleep(for: .milliseconds(100))
            a.say(.serving)
            a.hub.tick()
        }
        #expect(a.hub.counters.pollsAnswered - before <= 12)
        #expect(b.hub.counters.accepted >= 3, "heartbeats arrive")
        await b.stop()
        await a.stop()
    }

    @Test("Without a key, with another key, out of time or as a stranger nobody is answered")
    func authorization() async throws {
        let a = try FleetNode("a", fleet: pair)
        a.say(.serving)
        let target = "\(FederationServer.path)?since=0&wait=0"
        let keyring = try #require(Fleet.keyring())
        let other = try #require(Fleet.keyring(Array("some other secret of length".utf8)))
        func status(_ header: String?, _ target: String = target) async throws -> Int {
            try await a.get(target, authorization: header).status
        }
        #expect(try await status(nil) == 401)
        #expect(try await status("k1 b 1 00") == 401)
        #expect(try await status(other.authorization(node: "b", target: target, now: .now)) == 401)
        #expect(
            try await status(keyring.authorization(node: "b", target: target, now: .now - .seconds(31))) == 401)
        #expect(try await status(keyring.authorization(node: "b", target: target + "1", now: .now)) == 401)
        #expect(try await status(keyring.authorization(node: "x", target: target, now: .now)) == 403)
        #expect(a.hub.counters.pollsRefused == 6)
        let response = try await a.get(
            target, authorization: keyring.authorization(node: "b", target: target, now: .now))
        #expect(response.status == 200)
        #expect(try ReportCodec.decodeBatch(response.body).items.count == 1)
        let bad = "\(FederationServer.path)?since=x"
        #expect(try await status(keyring.authorization(node: "b", target: bad, now: .now), bad) == 400)
        #expect(try await status(nil, "/other") == 404)
        await a.stop()
    }

    @Test("Tampered, replayed and foreign reports are refused and counted")
    func refusals() async throws {
        let a = try FleetNode("a", fleet: three)
        let keyring = try #require(Fleet.keyring())
        func item(_ node: String, tier: Tier = .dns, issuedAt: Timestamp = .now, sequence: UInt64 = 1) throws
            -> SignedReport
        {
            let report = Report(
                node: node, tier: tier, region: "eu", incarnation: 1_700_000_000_000, sequence: sequence,
                issuedAt: Timestamp(milliseconds: issuedAt.milliseconds), state: .serving, configuration: 1, pools: [],
                observations: [], rate: 0)
            return keyring.sign(try ReportCodec.encode(report))
        }
        func deliver(_ signed: SignedReport) {
            a.hub.receive(ReportBatch(node: "b", cursor: 1, items: [.init(signed: signed, age: .zero)]))
        }
        let good = try item("b")
        var changed = good.bytes
        changed[changed.count / 2] ^= 1
        deliver(SignedReport(key: good.key, bytes: changed, signature: good.signature))
        #expect(a.hub.entries.isEmpty)
        #expect(a.hub.counters.refused == [.signature: 1])
        deliver(try item("b", issuedAt: .now - .seconds(40)))
        deliver(try item("stranger"))
        deliver(try item("c", tier: .l4))
        deliver(keyring.sign(Array("no report".utf8)))
        deliver(keyring.sign([UInt8](repeating: 0x20, count: 300 << 10)))
        #expect(
            a.hub.counters.refused == [
                .signature: 1, .outOfTime: 1, .unknownNode: 1, .wrongTier: 1, .malformed: 1, .tooLarge: 1,
            ])
        deliver(good)
        deliver(good)
        deliver(try item("b", sequence: 0))
        #expect(a.hub.counters.accepted == 1)
        #expect(a.hub.counters.duplicates == 1)
        #expect(a.hub.counters.superseded == 1)
        #expect(a.hub.entries.keys.sorted() == ["b"])
        await a.stop()
    }

    @Test("A node outlives a report in its own name from an earlier life whose clock was ahead")
    func refutation() async throws {
        let a = try FleetNode("a", fleet: pair)
        a.say(.serving)
        let own = try #require(a.hub.published)
        var past = own
        past.incarnation += 20_000
        past.sequence = 99
        past.state = .leaving
        let keyring = try #require(Fleet.keyring())
        let signed = keyring.sign(try ReportCodec.encode(past))
        a.hub.receive(ReportBatch(node: "b", cursor: 1, items: [.init(signed: signed, age: .zero)]))
        let answer = try #require(a.hub.published)
        #expect(answer.state == .serving)
        #expect(answer.incarnation > past.incarnation)
        await a.stop()
    }

    @Test("A peer that was away is heard again as soon as it is back, with all that it has to say")
    func comeback() async throws {
        let b = try FleetNode("b", fleet: pair)
        let first = try FleetNode("a", fleet: pair)
        first.say(.serving)
        try b.follow([first], fleet: pair)
        #expect(await Fleet.wait { b.hears("a", .serving) })
        let address = first.address
        await first.stop()
        let hub = FederationHub(
            name: "a", tier: .dns, region: "eu",
            settings: FederationHub.Settings(try Fleet.snapshot(pair, [:]), keyring: Fleet.keyring())
        ) {}
        let server = try FederationServer(address: address, hub: hub)
        hub.publish(FederationHub.Content(state: .draining))
        #expect(await Fleet.wait { b.hears("a", .draining) })
        hub.release()
        await server.stop()
        await b.stop()
    }
}
