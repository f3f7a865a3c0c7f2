import DNSWire
import Testing

/// SVCB and HTTPS: the vectors of RFC 9460 appendix D, and what a zone may not say.
@Suite struct ServiceBindingTests {
    private func data(_ text: String, type: RecordType = .svcb) throws(RecordTextError) -> RecordData {
        try RecordData(type: type, tokens: MasterFile.words(text) ?? [], origin: Name.root)
    }

    private static let fooExampleCom: [UInt8] =
        [3] + Array("foo".utf8) + [7] + Array("example".utf8) + [3] + Array("com".utf8) + [0]
    private static let fooExampleOrg: [UInt8] =
        [3] + Array("foo".utf8) + [7] + Array("example".utf8) + [3] + Array("org".utf8) + [0]

    @Test func vectorsOfTheStandard() throws {
        let com = Self.fooExampleCom
        #expect(try data("0 foo.example.com.", type: .https).wire == [0, 0] + com)
        #expect(try data("1 .").wire == [0, 1, 0])
        #expect(try data("16 foo.example.com. port=53").wire == [0, 16] + com + [0, 3, 0, 2, 0, 53])
        #expect(
            try data("1 foo.example.com. key667=hello").wire
                == [0, 1] + com + [2, 0x9b, 0, 5] + Array("hello".utf8))
        #expect(
            try data(#"1 foo.example.com. key667="hello\210qoo""#).wire
                == [0, 1] + com + [2, 0x9b, 0, 9] + Array("hello".utf8) + [0xd2] + Array("qoo".utf8))
        let hints: [UInt8] = [
            0, 6, 0, 32, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0x53, 0, 1,
        ]
        #expect(
            try data(#"1 foo.example.com. (ipv6hint="2001:db8::1,2001:db8::53:1")"#).wire == [0, 1] + com + hints)
        let sorted: [UInt8] =
            [0, 0, 0, 4, 0, 1, 0, 4, 0, 1, 0, 9, 2] + Array("h2".utf8) + [5] + Array("h3-19".utf8)
            + [0, 4, 0, 4, 192, 0, 2, 1]
        #expect(
            try data("16 foo.example.org. (alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1)").wire
                == [0, 16] + Self.fooExampleOrg + sorted)
        let escaped: [UInt8] =
            [0, 16] + Self.fooExampleOrg + [0, 1, 0, 12, 8] + Array(#"f\oo,bar"#.utf8) + [2] + Array("h2".utf8)
        #expect(try data(#"16 foo.example.org. alpn="f\\\\oo\\,bar,h2""#).wire == escaped)
        #expect(try data(#"16 foo.example.org. alpn=f\\\092oo\092,bar,h2"#).wire == escaped)
    }

    @Test(
        arguments: [
            "1 . alpn=h2 no-default-alpn port=8443 ipv4hint=192.0.2.1,192.0.2.2 ech=\"AEP+DQ==\" ipv6hint=2001:db8::1",
            "1 svc.test. mandatory=alpn,key667 alpn=\"h2,h3\" key667=\"a \\\"b\\\" c\\000\"",
            "3 doh.test. alpn=\"h2\" dohpath=\"/dns-query{?dns}\" ohttp",
            "0 alias.test.", "1 . key65000",
        ])
    func presentationIsReadBack(_ text: String) throws {
        let first = try data(text, type: .https)
        #expect(try data(first.description, type: .https) == first)
        let generic = try RecordData(type: .https, wire: first.wire)
        #expect(generic == first)
    }

    @Test(
        arguments: [
            ("1 . port=1 port=2", "twice"), ("1 . port", "needs a value"),
            ("1 . mandatory=port", "mandatory and not given"), ("1 . mandatory=mandatory", "no key"),
            ("1 . mandatory=port,port port=1", "twice"), ("1 . no-default-alpn", "without alpn"),
            ("1 . alpn=h2 no-default-alpn=x", "takes no value"), ("1 . alpn=,h2", "1 to 255"),
            ("1 . ipv4hint=2001:db8::1", "not an IPv4"), ("1 . ipv6hint=192.0.2.1", "not an IPv6"),
            ("1 . ech=###", "Base64"), ("1 . key65535=x", "no parameter"), ("1 . key007=x", "no parameter"),
            ("0 foo. alpn=h2", "alias"), ("1 . port=65536", "not a port"), ("1 . unheard=1", "no parameter"),
            ("1 . ALPN=h2", "no parameter"), (#"1 . alpn="a\\b""#, "backslash"),
        ])
    func refusesWhatTheStandardRefuses(_ text: String, _ reason: String) throws {
        do {
            _ = try data(text)
            Issue.record("\(text) was taken")
        } catch {
            #expect(error.message.contains(reason), "\(text): \(error.message)")
        }
    }

    @Test(
        arguments: [
            [0, 1, 0, 0, 3, 0, 2, 0, 53, 0, 1, 0, 3, 2, 0x68, 0x32], [0, 1, 0, 0, 3, 0, 2, 0, 53, 0, 3, 0, 2, 0, 53],
            [0, 1, 0, 0, 3, 0, 1, 53], [0, 1, 0, 0, 3, 0, 9, 53], [0, 1, 0, 0, 1, 0, 0], [0, 1, 0, 0, 1, 0, 2, 5, 65],
            [0, 1, 0, 0, 2, 0, 0], [0, 1, 0, 0, 0, 0, 2, 0, 3], [0, 0, 0, 0, 3, 0, 2, 0, 53],
            [0, 1, 0, 0, 4, 0, 3, 1, 2, 3],
        ] as [[UInt8]])
    func refusesWireFormOutOfOrder(_ wire: [UInt8]) {
        #expect(throws: WireError.badRecordData) { try RecordData(type: .svcb, wire: wire) }
    }

    @Test func base64KeysAreReadAndWritten() throws {
        let key = try RecordData(
            type: .dnskey, tokens: MasterFile.words("257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=") ?? [],
            origin: nil)
        #expect(key.wire.count == 36)
        #expect(key.description == "257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=")
    }
}
