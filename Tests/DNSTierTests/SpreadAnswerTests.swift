import DNSWire
import Foundation
import Model
import Steering
import Testing

@testable import DNSTier

/// Clients that nothing tells apart, and answers of which only some are told.
@Suite struct SpreadAnswerTests {
    private func world(_ names: String) throws -> SteeredServer {
        try SteeredServer(names: names.split(separator: "\n").map { "        " + $0 }.joined(separator: "\n"))
    }

    @Test func multivalueDrawsFromAll() throws {
        let addresses = (1...12).map { "a\($0): {region: us, A: 192.0.2.\($0)}" }.joined(separator: ", ")
        let world = try world("many:\n  ttl: 5s\n  answers: {\(addresses)}\n  policy: multivalue\n")
        var told: [String: Int] = [:]
        var first: [String: Int] = [:]
        let times = 6000
        for _ in 0..<times {
            let all = try world.addresses("many.shop.test.")
            #expect(all.count == 8 && Set(all).count == 8)
            for address in all { told[address, default: 0] += 1 }
            first[all[0], default: 0] += 1
        }
        #expect(told.count == 12 && first.count == 12)
        func chiSquare(_ counts: [String: Int], _ expected: Double) -> Double {
            counts.values.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        }
        // Eleven degrees of freedom: 31 is passed once in a thousand.
        #expect(chiSquare(first, Double(times) / 12) < 40, "\(first)")
        #expect(chiSquare(told, Double(times) * 8 / 12) < 40, "\(told)")
    }

    /// `names` with `10.0.0.0/8` known to a step of either kind.
    @Test(arguments: [true, false]) func unknownClientsAreSpreadAndStay(_ isLatency: Bool) throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).csv")
        try Data("10.0.0.0/8,eu,10\n10.0.0.0/8,us,90\n10.0.0.0/8,ap,90\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let step = isLatency ? "latency: {file: \(file.path)}" : "prefix: {10.0.0.0/8: [eu]}"
        let world = try world(
            """
            near:
              ttl: 5s
              answers: {us: {A: 192.0.2.1}, eu: {A: 192.0.2.2}, ap: {A: 192.0.2.3}}
              steps: [healthy, {\(step)}, {take: 1}]
            """)
        #expect(try world.addresses("near.shop.test.", from: "10.1.2.3") == ["192.0.2.2"])
        var counts: [String: Int] = [:]
        for network in 0..<3000 {
            let client = "172.\(16 + network / 256).\(network % 256)."
            let found = try world.addresses("near.shop.test.", from: client + "1")
            #expect(found.count == 1)
            #expect(try world.addresses("near.shop.test.", from: client + "200") == found, "a client keeps its answer")
            counts[found[0], default: 0] += 1
        }
        #expect(counts.count == 3 && counts.values.allSatisfy { (880...1120).contains($0) }, "\(counts)")
        // What decides is told to caches, and to whoever asks why.
        let subnet = QueryText.EDNS.subnet("172.16.5.0", source: 24)
        let reply = try world.server.ask("near.shop.test.", .a, edns: subnet)
        #expect(reply.option?.data.wire[7] == 24)
        let plan = try #require(world.preparation.names.first).plan
        let health = Array(repeating: CandidateHealth(healthy: true), count: 3)
        let explained = plan.explain(IPAddress(v4: 0xac10_0501), health)
        #expect(explained.answer.isHashed)
        #expect(
            explained.steps.last?.fact
                == "nothing tells them apart for the client: prefix 172.16.5.0/24 chooses 1 of 3")
    }

    /// RFC 7871: of a client known by 16 bits, a rule for 24 says nothing.
    @Test func aRuleLongerThanTheSourceDoesNotMatch() throws {
        let world = try world(
            """
            byprefix:
              ttl: 5s
              answers: {us: {A: 192.0.2.1}, eu: {A: 192.0.2.2}, ap: {A: 192.0.2.3}}
              policy: {ip-based: {10.1.0.0/24: [eu], 10.0.0.0/8: [ap], "2001:db8::/48": [eu], "*": [us]}}
            """)
        func ask(_ address: String, _ source: Int) throws -> (address: String?, scope: UInt8?) {
            let reply = try world.server.ask("byprefix.shop.test.", .a, edns: .subnet(address, source: source))
            return (reply.answer.first?.data.description, reply.option?.data.wire[7])
        }
        #expect(try ask("10.1.0.0", 24) == ("192.0.2.2", 24))
        #expect(try ask("10.1.0.0", 32) == ("192.0.2.2", 24))
        #expect(try ask("10.1.0.0", 16) == ("192.0.2.3", 24), "the scope says how much more would tell")
        #expect(try ask("10.0.0.0", 8).address == "192.0.2.3")
        #expect(try ask("10.0.0.0", 7).address == "192.0.2.1")
        #expect(try ask("2001:db8::", 48) == ("192.0.2.2", 48))
        #expect(try ask("2001:db8::", 32).address == "192.0.2.1")
        // IPv4 inside IPv6: the same behind 96 bits.
        #expect(try ask("::ffff:10.1.0.0", 120).address == "192.0.2.2")
        #expect(try ask("::ffff:10.1.0.0", 112).address == "192.0.2.3")
        #expect(try world.addresses("byprefix.shop.test.", from: "10.1.0.7") == ["192.0.2.2"])
    }

    @Test func namesInAnswersAreRelativeToTheZone() throws {
        let world = try world(
            """
            relative:
              ttl: 5s
              answers: {us: {CNAME: web}, eu: {CNAME: "web.other.test."}}
              steps: [{failover: [us, eu]}]
            post:
              ttl: 5s
              answers: {us: {MX: 10 mail}}
              steps: [healthy]
            """)
        #expect(try world.addresses("relative.shop.test.") == ["web.shop.test."])
        #expect(try world.addresses("post.shop.test.", .mx) == ["10 mail.shop.test."])
    }
}
