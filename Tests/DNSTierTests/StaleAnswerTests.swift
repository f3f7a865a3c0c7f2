import ControlPlane
import DNSTier
import DNSWire
import Model
import Testing

/// Answers by health that nothing heard now confirms say so (RFC 8914 section 4.4).
@Suite("Stale answers")
struct StaleAnswerTests {
    /// Extended error 3, without words.
    private static let stale: [UInt8] = [0, 15, 0, 2, 0, 3]

    let world: SteeredServer

    init() throws {
        let more = """

                    plain:
                      service: shop
                      answers: {us: {A: 192.0.2.1}, eu: {A: 192.0.2.2}}
                      steps: [take: 1]
            """
        world = try SteeredServer(names: SteeredServer.names + more)
    }

    private func verdict(
        _ region: String, healthy: Bool = true, stale: Bool = false, frozen: Bool = false,
        forced: Override.Action? = nil
    ) throws -> Verdict {
        let snapshot = world.preparation.snapshot
        return Verdict(
            service: try #require(snapshot.service(named: "shop")),
            region: RegionID(try #require(snapshot.regions.firstIndex { $0.name == region })), healthy: healthy,
            since: Timestamp(nanoseconds: 0), frozen: frozen, stale: stale, forced: forced, reasons: [])
    }

    private func learn(_ verdicts: [Verdict]) {
        world.publish(verdicts)
        world.compile()
    }

    private func options(_ name: String, _ type: RecordType = .a, _ edns: QueryText.EDNS = .init()) throws -> [UInt8]? {
        let reply = try world.server.ask(name, type, edns: edns)
        #expect(reply.code == .noError)
        return reply.option?.data.wire
    }

    @Test(
        "What was known before a restart, or before peers fell silent, until it is confirmed", arguments: [true, false])
    func told(isRestart: Bool) throws {
        #expect(try options("www.shop.test.") == [])
        learn([
            try verdict("us"), try verdict("ap"),
            try verdict("eu", healthy: false, stale: isRestart, frozen: !isRestart),
        ])
        #expect(try options("www.shop.test.") == Self.stale)
        let reply = try world.server.ask("www.shop.test.", .a, edns: .init())
        #expect(reply.answer.map(\.data.description) == ["192.0.2.1"], "the answer itself is as it was")
        #expect(try options("www.shop.test.", .txt) == [], "records of the zone beside it")
        #expect(try options("weighted.shop.test.", .aaaa) == Self.stale, "whoever is chosen has none")
        learn([try verdict("us"), try verdict("ap"), try verdict("eu", healthy: false)])
        #expect(try options("www.shop.test.") == [])
        #expect(world.server.worker.tally(.stale) == 3)
    }

    @Test("Only where health was asked, and nobody who spoke for himself")
    func decided() throws {
        learn([try verdict("us", stale: true)])
        #expect(try options("www.shop.test.") == Self.stale)
        #expect(try options("plain.shop.test.") == [], "no step asks for health")
        #expect(try options("alias.shop.test.") == [], "another source of health")
        #expect(try options("static.shop.test.") == [])
        learn([try verdict("us", stale: true, forced: .down)])
        #expect(try options("www.shop.test.") == [], "an operator decided")
    }

    @Test("Beside other options, and only to those who speak EDNS")
    func options() throws {
        learn([try verdict("us", stale: true)])
        let plain = try world.server.ask("www.shop.test.", .a)
        #expect(plain.option == nil && plain.answer.count == 1)
        #expect(
            try options("www.shop.test.", .a, .subnet("10.1.2.0", source: 24))
                == [0, 8, 0, 7, 0, 1, 24, 16, 10, 1, 2] + Self.stale)
        let keepalive = QueryText.EDNS(options: [(code: 11, data: [])])
        let reply = try world.server.ask("www.shop.test.", .a, over: .tcp, edns: keepalive)
        #expect(reply.option?.data.wire == [0, 11, 0, 2, 0, 100] + Self.stale)
        #expect(try world.server.ask("www.shop.test.", .a, edns: .init(version: 1)).option?.data.wire == [])
    }

    @Test("The limit of a reply counts before what is told beside it")
    func room() throws {
        var conduct = Conduct()
        conduct.amplification = 1
        let table = AnswerTable(
            zones: world.preparation.zones,
            dynamics: HealthState(world.preparation.names, board: world.board).dynamics, generation: 1)
        learn([try verdict("us", stale: true)])
        let stale = AnswerTable(
            zones: world.preparation.zones,
            dynamics: HealthState(world.preparation.names, board: world.board).dynamics, generation: 2)
        // The query pays for its own length: 16 octets of padding pay for the address, not for six more.
        let padded = QueryText.EDNS(options: [(code: 100, data: Array(repeating: 0, count: 12))])
        for (table, expected) in [(table, []), (stale, [] as [UInt8])] {
            let server = AnsweringServer(table, conduct: conduct)
            let reply = try server.ask("www.shop.test.", .a, edns: padded)
            #expect(!reply.isTruncated && reply.answer.count == 1)
            #expect(reply.option?.data.wire == expected)
        }
        let ample = QueryText.EDNS(options: [(code: 100, data: Array(repeating: 0, count: 18))])
        let reply = try AnsweringServer(stale, conduct: conduct).ask("www.shop.test.", .a, edns: ample)
        #expect(reply.option?.data.wire == Self.stale)
    }
}
