import DNSTier
import DNSWire
import Model
import Testing

@Suite struct DynamicAnswerTests {
    let world: SteeredServer

    init() throws { world = try SteeredServer() }

    @Test func answersByTheClientsPrefix() throws {
        #expect(try world.addresses("www.shop.test.", from: "10.2.3.4") == ["192.0.2.1"])
        #expect(try world.addresses("www.shop.test.", from: "10.1.3.4").sorted() == ["192.0.2.2", "192.0.2.22"])
        #expect(try world.addresses("www.shop.test.", from: "2001:db8::5") == ["192.0.2.3"])
        #expect(try world.addresses("www.shop.test.", from: "::ffff:10.1.3.4").sorted() == ["192.0.2.2", "192.0.2.22"])
        #expect(try world.addresses("www.shop.test.", .aaaa, from: "10.2.3.4") == ["2001:db8::1"])
        let reply = try world.server.ask("www.shop.test.", .a)
        #expect(reply.answer.first?.ttl == 5)
        #expect(reply.isAuthoritative)
    }

    @Test func aTypeThatTheChosenLackIsNoData() throws {
        let reply = try world.server.ask("www.shop.test.", .aaaa, from: "10.1.3.4")
        #expect(reply.code == .noError)
        #expect(reply.answer.isEmpty)
        #expect(reply.authority.first?.type == .soa)
        #expect(try world.server.ask("www.shop.test.", .mx).authority.first?.type == .soa)
        #expect(try world.addresses("www.shop.test.", .txt) == ["\"beside the dynamic addresses\""])
    }

    @Test func scopeIsTheWidthThatDecided() throws {
        func scope(_ name: String, _ subnet: String, _ source: Int) throws -> UInt8 {
            let reply = try world.server.ask(name, .a, edns: .subnet(subnet, source: source))
            return try #require(reply.option).data.wire[7]
        }
        #expect(try scope("www.shop.test.", "10.1.2.0", 24) == 16)
        #expect(try scope("www.shop.test.", "2001:db8:1::", 48) == 32)
        // 10.1.0.0/16 is cut out of 10.0.0.0/8: 10.2.0.0 shares 14 bits with it.
        #expect(try scope("www.shop.test.", "10.2.2.0", 24) == 15)
        #expect(try scope("weighted.shop.test.", "10.1.2.0", 24) == 0, "nothing about the client decides")
        #expect(try scope("static.shop.test.", "10.1.2.0", 24) == 0)
        let subnet = try world.server.ask("www.shop.test.", .a, from: "10.9.9.9", edns: .subnet("10.1.2.0", source: 24))
        #expect(subnet.answer.count == 2, "the subnet decides, not the resolver")
        let blank = try world.server.ask("www.shop.test.", .a, from: "10.1.9.9", edns: .subnet("0.0.0.0", source: 0))
        #expect(blank.answer.count == 2, "a subnet of length 0 leaves the resolver's address")
        #expect(try #require(blank.option).data.wire[7] == 0)
    }

    @Test func drawsByWeight() throws {
        var counts: [String: Int] = [:]
        for _ in 0..<10_000 { counts[try world.addresses("weighted.shop.test.")[0], default: 0] += 1 }
        #expect((5700...6300).contains(counts["192.0.2.1"] ?? 0))
        #expect((2700...3300).contains(counts["192.0.2.2"] ?? 0))
        #expect((850...1150).contains(counts["192.0.2.3"] ?? 0))
    }

    @Test func followsHealth() throws {
        try world.declareDown(["us"])
        #expect(try world.addresses("weighted.shop.test.") != ["192.0.2.1"])
        #expect(try world.addresses("www.shop.test.", from: "10.2.3.4") != ["192.0.2.1"])
        try world.declareDown(["us", "eu", "ap"])
        #expect(try world.addresses("www.shop.test.", from: "10.2.3.4") == ["192.0.2.1"], "fail-open")
        let state = HealthState(world.preparation.names, board: world.board)
        let index = try #require(world.preparation.names.firstIndex { $0.settings.name == "www.shop.test." })
        #expect(state.failOpen[index])
        try world.declareDown([])
        #expect(try world.addresses("www.shop.test.", from: "10.2.3.4") == ["192.0.2.1"])
    }

    @Test func aReturningRegionTakesItsShare() throws {
        try world.declareDown([], shares: ["us": 0.25])
        var returned = 0
        for _ in 0..<4_000 where try world.addresses("www.shop.test.", from: "10.2.3.4") == ["192.0.2.1"] {
            returned += 1
        }
        #expect((850...1150).contains(returned))
    }

    @Test func wildcardsAndAliasesAreSteeredToo() throws {
        #expect(try world.addresses("a.b.any.shop.test.") == ["192.0.2.5"])
        #expect(try world.addresses("*.any.shop.test.") == ["192.0.2.5"])
        #expect(try world.addresses("alias.shop.test.") == ["us.elsewhere.test."])
        #expect(try world.addresses("alias.shop.test.", .mx) == ["us.elsewhere.test."])
        #expect(try world.server.ask("alias.shop.test.", .any).answer.first?.type == .hinfo)
    }
}
