import DNSTier
import DNSWire
import Foundation
import Model
import TestKit
import Testing

/// Random packets made of honest ones. `MERIDIAN_PACKETS` says how many; 10,000,000 take some minutes, optimised.
@Suite struct MutatedPacketTests {
    private static let amplification = 20

    @Test func whateverComesTheReplyIsReadableAndSmall() throws {
        let count = ProcessInfo.processInfo.environment["MERIDIAN_PACKETS"].flatMap(Int.init) ?? 200_000
        let world = try SteeredServer(
            zone: SteeredServer.zone
                + "\nbig IN TXT \(String(repeating: "\"\(String(repeating: "x", count: 200))\" ", count: 8))\n")
        let worker = world.server.worker
        var conduct = Conduct()
        conduct.amplification = Self.amplification
        conduct.identifier = Array("dns-1".utf8)
        conduct.chaosIdentity = Array("dns-1".utf8)
        conduct.cookieKeys = [SipKey(low: 1, high: 2)]
        worker.use(conduct)
        let given = try world.server.ask(
            "static.shop.test.", .a, edns: QueryText.EDNS(options: [(code: 10, data: [1, 2, 3, 4, 5, 6, 7, 8])]))
        let cookie = Array(try #require(given.option).data.wire[4...])
        var chaos = try QueryText("id.server.", .txt).octets
        chaos[chaos.count - 1] = 3
        let seeds = [
            try QueryText("static.shop.test.", .a).octets,
            try QueryText("www.shop.test.", .a, edns: .subnet("10.1.2.0", source: 24)).octets,
            try QueryText("x.old.shop.test.", .a, edns: QueryText.EDNS(options: [(code: 8, data: [0, 1, 0, 0])]))
                .octets,
            try QueryText("nothing.shop.test.", .any, edns: .init(payloadSize: 100)).octets,
            try QueryText("big.shop.test.", .txt, edns: QueryText.EDNS(options: [(code: 10, data: cookie)])).octets,
            try QueryText(
                "big.shop.test.", .txt, edns: QueryText.EDNS(payloadSize: 4096, options: [(code: 3, data: [])])
            ).octets,
            try QueryText(
                "weighted.shop.test.", .a, edns: QueryText.EDNS(version: 1, options: [(code: 10, data: cookie)])
            )
            .octets,
            chaos,
        ]
        var mutation = PacketMutation(seeds: seeds, seed: 20_261_122)
        var answered = 0
        for _ in 0..<count {
            let packet = mutation.next()
            let trusted = worker.tally(.goodCookies)
            let overTCP = packet.count & 7 == 0
            let reply = world.server.reply(packet, over: overTCP ? .tcp : .udp)
            guard packet.count >= 12, packet[2] & 0x80 == 0 else {
                if !reply.isEmpty { Issue.record("a reply to no query: \(packet)") }
                continue
            }
            guard !reply.isEmpty else {
                Issue.record("no reply to \(packet)")
                continue
            }
            answered += 1
            if let trouble = Self.trouble(
                packet, reply, overTCP: overTCP, isTrusted: worker.tally(.goodCookies) > trusted)
            {
                Issue.record("\(trouble): \(packet) -> \(reply)")
            }
        }
        #expect(answered > count / 4)
    }

    private static func trouble(_ packet: [UInt8], _ reply: [UInt8], overTCP: Bool, isTrusted: Bool) -> String? {
        guard reply.count >= 12, reply[0..<2] == packet[0..<2], reply[2] & 0xf8 == 0x80 | packet[2] & 0x78 else {
            return "another header"
        }
        if !overTCP {
            let hasRecords = packet[10] != 0 || packet[11] != 0
            if reply.count > (hasRecords ? 1232 : 512) { return "larger than asked for" }
            if !isTrusted, reply.count > Conduct.allowance(packet.count, times: amplification) { return "amplified" }
        }
        guard let message = try? Message(reply.span.bytes) else { return "unreadable" }
        if message.additional.filter({ $0.type == .opt }).count > 1 { return "two OPT records" }
        return nil
    }
}

/// Packets with a few octets changed, cut, added or taken out.
private struct PacketMutation {
    let seeds: [[UInt8]]
    private var random: SeededGenerator

    init(seeds: [[UInt8]], seed: UInt64) {
        self.seeds = seeds
        random = SeededGenerator(seed: seed)
    }

    mutating func next() -> [UInt8] {
        var packet = seeds[Int.random(in: 0..<seeds.count, using: &random)]
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let kind = Int.random(in: 0..<6, using: &random)
            guard packet.count > 1 else { break }
            let index = Int.random(in: 0..<packet.count, using: &random)
            switch kind {
            case 0: packet.removeLast(packet.count - index)
            case 1: packet.insert(UInt8.random(in: 0...255, using: &random), at: index)
            case 2: packet.remove(at: index)
            default:
                packet[index] =
                    [0, 1, 3, 8, 10, 11, 41, 0xff, 0xc0, 0x3f, .random(in: 0...255, using: &random)]
                    .randomElement(using: &random) ?? 0
            }
        }
        return packet
    }
}
