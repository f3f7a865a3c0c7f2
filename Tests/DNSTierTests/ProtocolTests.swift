import DNSTier
import DNSWire
import Model
import Testing

private let zone = """
    @ 300 SOA ns1 h 1 7200 900 1209600 60
    @ 300 NS ns1
    ns1 300 A 192.0.2.53
    *.wild 300 A 192.0.2.9
    alias 300 DNAME wild
    """

/// RFC 6891, RFC 7871 and RFC 8906.
@Suite struct ProtocolTests {
    let server: AnsweringServer

    init() throws { server = try AnsweringServer(zones: [("shop.test.", zone)]) }

    @Test func speaksEDNSWhenAsked() throws {
        let reply = try server.ask("shop.test.", .soa, edns: .init(payloadSize: 4096, flags: 0x8000))
        let option = try #require(reply.option)
        #expect(option.recordClass == 1232)
        #expect(option.ttl == 0x8000, "version 0, DO as it came")
        #expect(option.data.wire.isEmpty)
        let plain = try server.ask("shop.test.", .soa, edns: .init(flags: 0x7fff))
        #expect(plain.option?.ttl == 0, "unknown flags are cleared")
    }

    @Test func refusesLaterVersions() throws {
        let reply = try server.ask("shop.test.", .soa, edns: .init(version: 1, options: [(100, [1, 2])]))
        #expect(reply.code == .badVersion)
        #expect(reply.answer.isEmpty)
        #expect(try #require(reply.option).ttl >> 16 == 0x0100, "extended code 1, version 0")
    }

    @Test func passesOverUnknownOptions() throws {
        let reply = try server.ask("shop.test.", .soa, edns: .init(options: [(100, [1, 2, 3])]))
        #expect(reply.code == .noError)
        #expect(reply.option?.data.wire.isEmpty == true)
    }

    @Test func repeatsTheSubnetWithScope0ForStaticNames() throws {
        let reply = try server.ask("shop.test.", .soa, edns: .subnet("198.51.100.0", source: 24))
        #expect(reply.option?.data.wire == [0, 8, 0, 7, 0, 1, 24, 0, 198, 51, 100])
        let none = try server.ask("shop.test.", .soa, edns: .subnet("0.0.0.0", source: 0))
        #expect(none.option?.data.wire == [0, 8, 0, 4, 0, 1, 0, 0])
        let v6 = try server.ask("shop.test.", .soa, edns: .subnet("2001:db8::", source: 33))
        #expect(v6.option?.data.wire == [0, 8, 0, 9, 0, 2, 33, 0, 0x20, 1, 0x0d, 0xb8, 0])
    }

    @Test(
        arguments: [
            [0, 1, 33, 0, 1, 2, 3, 4, 5], [0, 1, 24, 0, 1, 2], [0, 1, 24, 0, 1, 2, 3, 4], [0, 1, 24, 1, 1, 2, 3],
            [0, 1, 20, 0, 1, 2, 3], [0, 2, 129, 0], [0, 1, 24], [],
        ] as [[UInt8]])
    func refusesMalformedSubnets(_ option: [UInt8]) throws {
        let edns = QueryText.EDNS(options: [(code: 8, data: option)])
        let reply = try server.ask("shop.test.", .soa, edns: edns)
        #expect(reply.code == .formatError)
        #expect(!reply.isAuthoritative)
        #expect(reply.option?.data.wire.isEmpty == true, "a bare OPT")
    }

    @Test func unknownOpcodesAreNotImplemented() throws {
        for opcode in UInt16(1)...15 {
            let reply = try Message(
                server.reply(try QueryText("shop.test.", .soa, flags: opcode << 11).octets).span.bytes)
            #expect(reply.code == .notImplemented)
            #expect(reply.flags & HeaderFlag.opcode == opcode << 11)
            #expect(reply.flags & HeaderFlag.authoritative == 0)
        }
    }

    @Test func neverRepliesToReplies() throws {
        #expect(server.reply(try QueryText("shop.test.", .soa, flags: 0x8000).octets) == [])
        #expect(server.reply([0, 1, 0, 0]) == [])
        #expect(server.reply([]) == [])
        #expect(server.worker.tally(.dropped) == 3)
    }

    @Test func brokenQuestionsAreFormatErrors() throws {
        let good = try QueryText("shop.test.", .soa).octets
        for end in 13..<good.count {
            let reply = server.reply(Array(good[..<end]))
            #expect(reply.count == 12)
            #expect(reply[3] & 15 == 1)
        }
        // Among them counts that promise records which are not there.
        for (index, value) in [(5, UInt8(0)), (5, 2), (7, 1), (9, 1), (11, 1), (12, 0xc0), (12, 64)] {
            var bad = good
            bad[index] = value
            #expect(server.reply(bad).count >= 12)
            #expect(server.reply(bad)[3] & 15 == 1, "octet \(index) = \(value)")
        }
        let twoOptions = try QueryText("shop.test.", .soa, edns: .init()).octets
        var doubled = twoOptions + twoOptions.suffix(11)
        doubled[11] = 2
        #expect(try Message(server.reply(doubled).span.bytes).code == .formatError)
    }
}
