import ControlPlane
import DNSTier
import DNSWire
import Foundation
import Model
import Steering
import TestKit
import Testing

/// Steps beyond the simplest, as they are served.
@Suite struct SteeredAnswerTests {
    private static let names = """
                sticky:
                  service: shop
                  ttl: 31s
                  answers: {us: {A: 192.0.2.1}, eu: {A: 192.0.2.2}, ap: {A: 192.0.2.3}}
                  steps: [healthy, {weighted: {us: 2, eu: 1, ap: 1}}, hash]
                fenced:
                  ttl: 5s
                  answers: {us: {A: 192.0.2.1}, eu: {A: 192.0.2.2}}
                  steps: [{prefix: {10.0.0.0/8: [us], "*": none}}]
                nested:
                  service: shop
                  answers:
                    near: {name: sticky}
                    far: {region: ap, A: 192.0.2.9}
                  steps: [healthy, {failover: [near, far]}]
                bound:
                  service: shop
                  ttl: 20s
                  ttlDegraded: 3s
                  answers:
                    us: {A: 192.0.2.1, AAAA: "2001:db8::1", HTTPS: 1 . alpn=h2 ipv4hint=auto ipv6hint=auto}
                    eu: {A: 192.0.2.2, HTTPS: 1 . alpn=h2 ipv4hint=auto ipv6hint=auto, SRV: 1 2 443 srv.eu.test.}
                    ap: {A: 192.0.2.3, TXT: "v=1"}
                  steps: [healthy, {take: 2}]
                "@":
                  service: shop
                  answers: {us: {A: 192.0.2.1}, eu: {A: 192.0.2.2}, ap: {A: 192.0.2.3}}
                  policy: {failover: [eu, us, ap]}
        """

    let world: SteeredServer

    init() throws { world = try SteeredServer(names: Self.names) }

    private func client(_ number: Int) -> String { "10.\(number / 256).\(number % 256).7" }

    @Test func aClientKeepsItsAnswerAndOnlyThoseOfTheLostMove() throws {
        var first: [String: String] = [:]
        var counts: [String: Int] = [:]
        for number in 0..<2_000 {
            let address = try world.addresses("sticky.shop.test.", from: client(number))[0]
            first[client(number)] = address
            counts[address, default: 0] += 1
            let neighbour = "10.\(number / 256).\(number % 256).200"
            #expect(try world.addresses("sticky.shop.test.", from: neighbour)[0] == address, "one /24, one answer")
        }
        #expect((900...1_100).contains(counts["192.0.2.1"] ?? 0), "half the weight, half the clients: \(counts)")
        #expect((400...600).contains(counts["192.0.2.2"] ?? 0), "\(counts)")
        try world.declareDown(["eu"])
        for (client, before) in first {
            let now = try world.addresses("sticky.shop.test.", from: client)[0]
            if before == "192.0.2.2" { #expect(now != before) } else { #expect(now == before, "\(client) moved") }
        }
        try world.declareDown([])
        for (client, before) in first {
            #expect(try world.addresses("sticky.shop.test.", from: client)[0] == before, "\(client) did not come back")
        }
    }

    @Test func whatThePrefixChoosesIsCachedForThePrefix() throws {
        let reply = try world.server.ask("sticky.shop.test.", .a, edns: .subnet("10.1.2.0", source: 24))
        #expect(try #require(reply.option).data.wire[7] == 24)
        let v6 = try world.server.ask("sticky.shop.test.", .a, edns: .subnet("2001:db8:1::", source: 56))
        #expect(try #require(v6.option).data.wire[7] == 48)
    }

    @Test func aClientOutsideTheFenceGetsNoAddress() throws {
        #expect(try world.addresses("fenced.shop.test.", from: "10.1.1.1") == ["192.0.2.1"])
        let reply = try world.server.ask("fenced.shop.test.", .a, from: "11.1.1.1")
        #expect(reply.code == .noError && reply.answer.isEmpty)
        #expect(reply.authority.first?.type == .soa)
    }

    @Test func aNameInANameIsItsAnswerUntilItFails() throws {
        for number in 0..<50 {
            #expect(
                try world.addresses("nested.shop.test.", from: client(number))
                    == world.addresses("sticky.shop.test.", from: client(number)))
        }
        try world.declareDown(["us", "eu", "ap"])
        #expect(try world.addresses("nested.shop.test.", from: client(1)) != ["192.0.2.9"], "all down: the first again")
        try world.declareDown(["us", "eu"])
        #expect(try world.addresses("nested.shop.test.", from: client(1)) == ["192.0.2.3"])
    }

    @Test func hintsFollowTheChoiceAndTypesStandBesideEachOther() throws {
        let both = try world.server.ask("bound.shop.test.", .https)
        #expect(
            both.answer.map(\.data.description)
                == ["1 . alpn=\"h2\" ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1"]
                || both.answer.map(\.data.description)
                    == ["1 . alpn=h2 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1"],
            "\(both.answer)")
        #expect(both.answer.first?.ttl == 20)
        try world.declareDown(["us"])
        let one = try world.server.ask("bound.shop.test.", .https)
        #expect(one.answer.count == 1)
        #expect(one.answer.first?.data.description.contains("ipv4hint=192.0.2.2") == true, "\(one.answer)")
        #expect(one.answer.first?.data.description.contains("ipv6hint") == false)
        #expect(try world.addresses("bound.shop.test.", .srv) == ["1 2 443 srv.eu.test."])
        #expect(try world.addresses("bound.shop.test.", .txt) == ["\"v=1\""])
    }

    @Test func aDegradedNameIsForgottenSooner() throws {
        #expect(try world.server.ask("bound.shop.test.", .a).answer.first?.ttl == 20)
        #expect(try world.server.ask("sticky.shop.test.", .a).answer.first?.ttl == 31)
        try world.declareDown(["ap"])
        #expect(try world.server.ask("bound.shop.test.", .a).answer.first?.ttl == 3)
        #expect(try world.server.ask("sticky.shop.test.", .a).answer.first?.ttl == 16, "half, rounded up")
        try world.declareDown([])
        #expect(try world.server.ask("bound.shop.test.", .a).answer.first?.ttl == 20)
    }

    @Test func theApexIsSteeredBesideItsZone() throws {
        #expect(try world.addresses("shop.test.") == ["192.0.2.2"])
        #expect(try world.addresses("shop.test.", .ns) == ["ns1.shop.test."])
        try world.declareDown(["eu"])
        #expect(try world.addresses("shop.test.") == ["192.0.2.1"])
    }

    @Test("What is explained is what is served", arguments: [[], ["us"], ["eu", "ap"], ["us", "eu", "ap"]])
    func explained(_ down: [String]) throws {
        try world.declareDown(Set(down))
        let state = HealthState(world.preparation.names, board: world.board)
        var generator = SeededGenerator(seed: 7)
        for (index, name) in world.preparation.names.enumerated() {
            let leaves = name.settings.leaves
            for _ in 0..<40 {
                let client = IPAddress(v4: UInt32.random(in: 9 << 24..<12 << 24, using: &generator))
                let found = name.plan.explain(client, state.health(of: index))
                let served = Set(try world.addresses(name.settings.name, from: client.description))
                func addresses(_ chosen: [Int]) -> Set<String> {
                    Set(chosen.flatMap { leaves[$0].records.filter { $0.type == "A" }.map(\.data) })
                }
                if found.answer.isHashed {
                    #expect(served == addresses(found.answer.pick(client: client)), "\(name.settings.name) \(client)")
                } else {
                    let possible = found.answer.variants.map { addresses($0.candidates) }
                    #expect(possible.contains(served), "\(name.settings.name) \(client) \(served)")
                }
            }
        }
    }
}
