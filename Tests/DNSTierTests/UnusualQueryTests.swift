import DNSTier
import DNSWire
import Model
import Testing

/// Queries with more in them than a question and an OPT record.
@Suite struct UnusualQueryTests {
    private let server: AnsweringServer

    init() throws {
        let zone = """
            @ 300 SOA ns1 h 1 7200 900 1209600 60
            @ 300 NS ns1
            ns1 300 A 192.0.2.53
            """
        var conduct = Conduct()
        conduct.identifier = Array("dns-1".utf8)
        server = AnsweringServer(try AnsweringServer.table(zones: [("shop.test.", zone)]), conduct: conduct)
    }

    /// A record whose owner is the question's name.
    private func record(_ type: UInt16, _ data: [UInt8]) -> [UInt8] {
        [0xc0, 12, UInt8(type >> 8), UInt8(type & 0xff), 0, 1, 0, 0, 0, 60, 0, UInt8(data.count)] + data
    }

    /// `name A` with further records; `edns` puts its OPT record last.
    private func query(
        _ name: String, _ type: RecordType = .a, answer: [[UInt8]] = [], authority: [[UInt8]] = [],
        additional: [[UInt8]] = [], edns: QueryText.EDNS? = nil
    ) throws -> [UInt8] {
        let plain = try QueryText(name, type).octets
        let whole = try QueryText(name, type, edns: edns).octets
        var octets = plain + (answer + authority + additional).flatMap { $0 } + whole[plain.count...]
        octets[7] = UInt8(answer.count)
        octets[9] = UInt8(authority.count)
        octets[11] = UInt8(additional.count + (edns == nil ? 0 : 1))
        return octets
    }

    private func ask(_ query: [UInt8]) throws -> Message { try Message(server.reply(query).span.bytes) }

    @Test func recordsInOtherSectionsArePassedOver() throws {
        let a = record(1, [192, 0, 2, 1])
        let odd = record(65_280, [])
        for (answer, authority, additional) in [
            ([a], [], []), ([], [a, odd], []), ([], [], [odd, a]), ([a], [odd], [a]),
        ] as [([[UInt8]], [[UInt8]], [[UInt8]])] {
            let plain = try ask(
                query("ns1.shop.test.", answer: answer, authority: authority, additional: additional))
            #expect(plain.code == .noError && plain.isAuthoritative)
            #expect(Message.lines(plain.answer) == ["ns1.shop.test. 300 A 192.0.2.53"])
            #expect(plain.authority.isEmpty && plain.additional.isEmpty)
            let extended = try ask(
                query(
                    "ns1.shop.test.", answer: answer, authority: authority, additional: additional,
                    edns: .init(flags: 0x8000, options: [(code: 3, data: [])])))
            #expect(extended.answer.count == 1)
            #expect(extended.option?.ttl == 0x8000)
            #expect(
                extended.option?.data.wire == [0, 3, 0, 5] + Array("dns-1".utf8), "options behind them are found")
        }
    }

    @Test func anIncrementalTransferIsRefused() throws {
        // As secondaries send it: the SOA that they have in the authority section (RFC 1995 section 3).
        let name = try Name("shop.test.").wire
        let soa = record(6, name + name + [0, 0, 0, 1] + [UInt8](repeating: 0, count: 16))
        for transport in [Responder.Transport.udp, .tcp] {
            let reply = server.reply(
                try query("shop.test.", RecordType(rawValue: 251), authority: [soa]), over: transport)
            let message = try Message(reply.span.bytes)
            #expect(message.code == .refused)
            #expect(message.question?.type == .ixfr && message.answer.isEmpty && message.authority.isEmpty)
        }
        #expect(try ask(query("shop.test.", .axfr)).code == .refused)
    }

    @Test func brokenRecordsAndMisplacedOnesAreFormatErrors() throws {
        let good = try query("ns1.shop.test.", answer: [record(1, [192, 0, 2, 1])], authority: [record(1, [1])])
        let question = try QueryText("ns1.shop.test.", .a).octets.count
        for end in question..<good.count {
            #expect(server.reply(Array(good[..<end]))[3] & 15 == 1, "\(end) octets")
        }
        let option: [UInt8] = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]
        #expect(try ask(query("ns1.shop.test.", answer: [option])).code == .formatError)
        #expect(try ask(query("ns1.shop.test.", authority: [option])).code == .formatError)
        #expect(try ask(query("ns1.shop.test.", authority: [signature()])).code == .formatError)
        #expect(
            try ask(query("ns1.shop.test.", additional: [signature(), record(1, [])])).code == .formatError,
            "a signature comes last")
        #expect(
            try ask(query("ns1.shop.test.", additional: [signature(cut: 1)])).code == .formatError)
    }

    // MARK: Signatures

    private static let key = "\u{7}Example\u{3}key\0".utf8
    private static let algorithm = "\u{b}hmac-sha256\0".utf8
    private static let time: [UInt8] = [0, 0, 0x6b, 0x49, 0xd2, 0x00, 1, 0x2c]

    private func signature(cut: Int = 0, code: [UInt8] = [UInt8](repeating: 7, count: 32)) -> [UInt8] {
        let data =
            Array(Self.algorithm) + Self.time + [0, UInt8(code.count)] + code + [0x12, 0x34, 0, 0, 0, 0]
        return Array(Self.key) + [0, 250, 0, 255, 0, 0, 0, 0, 0, UInt8(data.count - cut)] + data.dropLast(cut)
    }

    /// RFC 8945 section 5.2.1: NOTAUTH, and a TSIG record with BADKEY and no code.
    @Test(arguments: [false, true]) func aSignedQueryIsToldThatItsKeyIsUnknown(_ hasEDNS: Bool) throws {
        for type in [RecordType.a, .axfr] {
            var octets = try QueryText("ns1.shop.test.", type, edns: hasEDNS ? .init() : nil).octets + signature()
            octets[11] += 1
            let reply = server.reply(octets)
            let message = try Message(reply.span.bytes)
            #expect(message.code == ResponseCode(rawValue: 9))
            #expect(message.question?.type == type && message.answer.isEmpty && message.authority.isEmpty)
            #expect(message.additional.count == (hasEDNS ? 2 : 1))
            let told = try #require(message.additional.last)
            #expect(told.type == .tsig && told.recordClass == 255 && told.ttl == 0)
            #expect(told.owner.wire == Array(Self.key), "as it came")
            #expect(
                told.data.wire == Array(Self.algorithm) + Self.time + [0, 0, 0x12, 0x34, 0, 17, 0, 0],
                "no code, the query's id, BADKEY")
            #expect(reply.count < octets.count)
        }
    }

    @Test func aSignatureWithAHugeKeyNameIsRefusedWithoutOne() throws {
        let label = [UInt8(60)] + [UInt8](repeating: 0x78, count: 60)
        let long = label + label + label + label + [0]
        let data = long + Self.time + [0, 0, 0x12, 0x34, 0, 0, 0, 0]
        var octets = try QueryText("ns1.shop.test.", .a).octets
        octets += long + [0, 250, 0, 255, 0, 0, 0, 0, UInt8(data.count >> 8), UInt8(data.count & 0xff)] + data
        octets[11] = 1
        let reply = server.reply(octets)
        let message = try Message(reply.span.bytes)
        #expect(message.code == ResponseCode(rawValue: 9) && message.additional.isEmpty)
    }
}
