import DNSWire
import Testing

/// The record types of common zone files: presentation form against the wire form that dnspython 2.3 makes of it.
@Suite struct RecordTypeTests {
    private static func hex(_ octets: [UInt8]) -> String {
        octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func read(_ line: String) throws -> (data: RecordData?, errors: [String]) {
        let parsed = MasterFile.parse(
            .init(file: "zone", text: Array(line.utf8)), origin: try Name("shop.test."), read: { _, _ in nil })
        return (parsed.records.first?.data, parsed.errors.map(\.description))
    }

    // swift-format-ignore
    static let vectors: [(type: String, text: String, wire: String)] = [
        ("SOA", #"a. b. 4294967295 4294967295 2147483648 3221225472 4294967295"#, "016100016200ffffffffffffffff80000000c0000000ffffffff"),
        ("X25", #""311061700956""#, "0c333131303631373030393536"),
        ("ISDN", #""150862028003217" "004""#, "0f31353038363230323830303332313703303034"),
        ("ISDN", #""150862028003217""#, "0f313530383632303238303033323137"),
        ("RT", #"10 relay.shop.test."#, "000a0572656c61790473686f70047465737400"),
        ("NSAP", #"0x47.0005.80.005a00.0000.0001.e133.ffffff000161.00"#, "47000580005a0000000001e133ffffff00016100"),
        ("NSAP-PTR", #"foo.shop.test."#, "03666f6f0473686f70047465737400"),
        ("PX", #"10 map822.shop.test. mapx400.shop.test."#, "000a066d61703832320473686f70047465737400076d6170783430300473686f70047465737400"),
        ("GPOS", #""-32.6882" "116.8652" "10.0""#, "082d33322e36383832083131362e383635320431302e30"),
        ("LOC", #"52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m"#, "000016138b3cf018810cbce0009895b8"),
        ("LOC", #"42 21 54 N 71 06 18 W -24m 30m"#, "0033161389172dd070be15f000988d20"),
        ("LOC", #"32 7 S 116 2 E 10m"#, "00121613791bc76098e5e6c000989a68"),
        ("LOC", #"90 N 180 W 42849672.95m 90000000m 1m 2.5m"#, "00991222934fd90059604e00ffffffff"),
        ("KX", #"10 kx.shop.test."#, "000a026b780473686f70047465737400"),
        ("CERT", #"PKIX 12345 RSASHA256 MIIBszCCAV2gAwIBAgIBADANBgkqhkiG9w0BAQQFADA="#, "0001303908308201b33082015da003020102020100300d06092a864886f70d010104050030"),
        ("CERT", #"254 0 0 AQID"#, "00fe000000010203"),
        ("APL", #"1:192.168.32.0/21 !1:192.168.38.0/28"#, "00011503c0a82000011c83c0a826"),
        ("APL", #"1:224.0.0.0/4 2:ff00::/8"#, "00010401e000020801ff"),
        ("APL", #"2:::/0"#, "00020000"),
        ("IPSECKEY", #"10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="#, "0a0102c0000226010351537986ed35533b6064478eeeb27b5bd74dae149b6e81ba3a0521af82ab7801"),
        ("IPSECKEY", #"10 0 2 . AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="#, "0a0002010351537986ed35533b6064478eeeb27b5bd74dae149b6e81ba3a0521af82ab7801"),
        ("IPSECKEY", #"10 2 2 2001:db8:0:8002::2000:1 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="#, "0a020220010db8000080020000000020000001010351537986ed35533b6064478eeeb27b5bd74dae149b6e81ba3a0521af82ab7801"),
        ("IPSECKEY", #"10 3 2 mygateway.shop.test. AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="#, "0a0302096d79676174657761790473686f70047465737400010351537986ed35533b6064478eeeb27b5bd74dae149b6e81ba3a0521af82ab7801"),
        ("AMTRELAY", #"10 0 0 ."#, "0a00"),
        ("AMTRELAY", #"10 0 1 203.0.113.15"#, "0a01cb00710f"),
        ("AMTRELAY", #"10 1 2 2001:db8::15"#, "0a8220010db8000000000000000000000015"),
        ("AMTRELAY", #"128 1 3 amtrelays.shop.test."#, "808309616d7472656c6179730473686f70047465737400"),
        ("DHCID", #"AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="#, "000201636fc0b8271c82825bb1ac5c41cf5351aa69b4febd94e8f17cdb95000da48c40"),
        ("DS", #"60485 RSASHA1 1 2bb183af5f22588179a53b0a98631fad1a292118"#, "ec4505012bb183af5f22588179a53b0a98631fad1a292118"),
        ("DLV", #"60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118"#, "ec4505012bb183af5f22588179a53b0a98631fad1a292118"),
        ("DNSKEY", #"257 3 ECDSAP256SHA256 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ=="#, "0101030d99db2cc14cabdc33d6d77da63a2f15f71112584f234e8d1dc428e39e8a4a97e1aa271a555dc90701e17e2a4c4b6f120b7c32d44f4ac02bd894cf2d4be7778a19"),
        ("CDS", #"0 0 0 00"#, "0000000000"),
        ("CDNSKEY", #"0 3 0 AA=="#, "0000030000"),
        ("NSEC3PARAM", #"1 0 12 aabbccdd"#, "0100000c04aabbccdd"),
        ("NSEC3PARAM", #"1 0 0 -"#, "0100000000"),
        ("CSYNC", #"66 3 A NS AAAA"#, "000000420003000460000008"),
        ("CSYNC", #"1 0 A TYPE1234 CAA"#, "000000010000000140010140041b000000000000000000000000000000000000000000000000000020"),
        ("ZONEMD", #"2018031900 1 1 62e6cf51b02e54b9b5f967d547ce43136792901f9f88e637493daaf401c92c279dd10f0edb1c56f8080211f8480ee306"#, "7848b91c010162e6cf51b02e54b9b5f967d547ce43136792901f9f88e637493daaf401c92c279dd10f0edb1c56f8080211f8480ee306"),
        ("NINFO", #""status" "ok""#, "06737461747573026f6b"),
        ("AVC", #""app-name:x""#, "0a6170702d6e616d653a78"),
        ("NID", #"10 0014:4fff:ff20:ee64"#, "000a00144fffff20ee64"),
        ("L32", #"10 10.1.2.0"#, "000a0a010200"),
        ("L64", #"10 2001:0db8:1140:1000"#, "000a20010db811401000"),
        ("LP", #"10 l64-subnet.shop.test."#, "000a0a6c36342d7375626e65740473686f70047465737400"),
        ("EUI48", #"00-00-5e-00-53-2a"#, "00005e00532a"),
        ("EUI64", #"00-00-5e-ef-10-00-00-2a"#, "00005eef1000002a"),
        ("RP", #"admin.shop.test. text.shop.test."#, "0561646d696e0473686f7004746573740004746578740473686f70047465737400"),
        ("AFSDB", #"1 afs.shop.test."#, "0001036166730473686f70047465737400"),
        ("NAPTR", #"100 50 "s" "z3950+I2L+I2C" "" _z3950._tcp.shop.test."#, "0064003201730d7a333935302b49324c2b49324300065f7a33393530045f7463700473686f70047465737400"),
        ("SSHFP", #"2 1 123456789abcdef67890123456789abcdef67890"#, "0201123456789abcdef67890123456789abcdef67890"),
        ("TLSA", #"3 1 1 d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971"#, "030101d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971"),
        ("SMIMEA", #"3 0 0 d2abde"#, "030000d2abde"),
        ("OPENPGPKEY", #"AQID"#, "010203"),
        ("URI", #"10 1 "ftp://ftp1.shop.test/public""#, "000a00016674703a2f2f667470312e73686f702e746573742f7075626c6963"),
        ("HINFO", #""PC" "Linux""#, "025043054c696e7578"),
        ("SPF", #""v=spf1 -all""#, "0b763d73706631202d616c6c"),
        ("MB", #"mb.shop.test."#, "026d620473686f70047465737400"),
        ("MINFO", #"owner.shop.test. errors.shop.test."#, "056f776e65720473686f70047465737400066572726f72730473686f70047465737400"),
        ("KEY", #"512 3 1 AQMFD5raczCJHViKtLYhWGz8hMY9UGRuniJDBzC7w0aR"#, "020003010103050f9ada7330891d588ab4b621586cfc84c63d50646e9e22430730bbc34691"),
        ("KEY", #"49152 3 1"#, "c0000301"),
    ]

    @Test(arguments: vectors) func isReadWrittenAndReadAgain(_ type: String, _ text: String, _ wire: String) throws {
        let (data, errors) = try read("x 60 IN \(type) \(text)\n")
        #expect(errors == [])
        let read = try #require(data)
        #expect(Self.hex(read.wire) == wire)
        #expect(read.type.description == type)
        let again = try self.read("x 60 IN \(type) \(read.description)\n")
        #expect(again.errors == [] && again.data == read, "\(read.description)")
        // The same as octets of a type of which only the number is known (RFC 3597 section 5).
        let raw = try self.read("x 60 IN TYPE\(read.type.rawValue) \\# \(read.wire.count) \(wire)\n")
        #expect(raw.errors == [] && raw.data == read)
        #expect(try RecordData(type: read.type, wire: read.wire) == read)
        // Cut short it is nothing, unless the rest is optional.
        let optional: Set<String> = [
            "KEY", "IPSECKEY", "APL", "CSYNC", "NINFO", "AVC", "SPF", "URI", "ISDN", "ZONEMD", "DS", "DLV", "CDS",
            "SSHFP", "TLSA", "SMIMEA", "CERT", "DHCID", "DNSKEY", "CDNSKEY", "OPENPGPKEY", "NSAP",
        ]
        for count in read.wire.indices where !optional.contains(type) {
            #expect(throws: WireError.self) { try RecordData(type: read.type, wire: Array(read.wire[..<count])) }
        }
    }

    @Test func relativeNamesAreCompleted() throws {
        #expect(try read("x 60 IPSECKEY 10 3 2 gw AQID\n").data?.description == "10 3 2 gw.shop.test. AQID")
        #expect(try read("x 60 AMTRELAY 10 0 3 @\n").data?.description == "10 0 3 shop.test.")
        #expect(try read("x 60 KX 1 @\n").data?.description == "1 shop.test.")
        #expect(try read("x 60 MINFO a b\n").data?.description == "a.shop.test. b.shop.test.")
    }

    @Test(arguments: [
        ("LOC 91 N 0 E 0m", "a place such as 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m"),
        ("LOC 1 N 2 E", "a place such as"), ("LOC 1 60 N 2 E 0m", "a place"), ("LOC 1 N 2 E 0m 1 1 1 1", "a place"),
        ("LOC 1 N 2 E 42849672.96m", "a place"), ("LOC 1 N 2 E -100000.01m", "a place"),
        ("CERT WHAT 1 2 AQID", "\"WHAT\" is not a number or a type of certificate such as PKIX"),
        ("CERT PKIX 1 NONE AQID", "\"NONE\" is not a number or an algorithm such as ECDSAP256SHA256"),
        ("APL 1:192.0.2.0/33", "\"1:192.0.2.0/33\" is not a prefix such as 1:192.0.2.0/24"),
        ("APL 3:1/1", "is not a prefix"), ("APL 1:2001:db8::/32", "is not a prefix"),
        ("EUI48 00-00-5e-00-53", "\"00-00-5e-00-53\" is not 6 octets such as 00-00-5e-00-53-2a"),
        ("EUI64", "8 octets such as 00-00-5e-00-53-2a is missing"),
        ("NID 10 0014:4fff:ff20", "is not four groups of hexadecimal digits"),
        ("CSYNC 1 3 A WHAT", "\"WHAT\" is not a record type"),
        ("IPSECKEY 10 1 2 2001:db8::1 AQID", "is not a gateway of the type before it"),
        ("IPSECKEY 10 4 2 . AQID", "is not a gateway"),
        ("AMTRELAY 10 2 1 192.0.2.1", "is not 0 or 1, a type from 0 to 3"),
        ("AMTRELAY 10 0 1", "and a relay of that type is missing"),
        ("NSEC3PARAM 1 0 1 abc", "is not hexadecimal data, or - for none"),
        ("NSAP 47.0005", "is not hexadecimal data behind 0x"),
    ])
    func saysWhatIsWrong(_ record: String, _ message: String) throws {
        let (data, errors) = try read("x 60 IN \(record)\n")
        #expect(data == nil)
        #expect(errors.count == 1 && errors[0].contains(message), "\(errors)")
    }

    /// What is not read names the form in which it can be written, and of signed zones it is said that they are not served.
    @Test func whatIsNotReadNamesItsOtherForm() throws {
        let unread = try read("x 60 IN WKS 192.0.2.1 6 25\n").errors
        #expect(unread.count == 1)
        #expect(
            unread[0].hasSuffix(
                "the data of type WKS is not read; write the record as TYPE11 \\# LENGTH HEX (RFC 3597)"))
        #expect(try read("x 60 IN TYPE11 \\# 5 c000020106\n").data?.wire == [192, 0, 2, 1, 6])
        #expect(try read("x 60 IN WKS \\# 5 c000020106\n").data?.type == RecordType(rawValue: 11))
        for (record, number) in [
            ("RRSIG A 13 2 60 20300101000000 20200101000000 1 shop.test. AQID", 46), ("NSEC y.shop.test. A RRSIG", 47),
            ("NSEC3 1 1 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A", 50),
        ] {
            let errors = try read("x 60 IN \(record)\n").errors
            #expect(errors.count == 1 && errors[0].contains("pre-signed zones are not served yet"), "\(errors)")
            #expect(errors.allSatisfy { $0.contains("TYPE\(number) \\# LENGTH HEX (RFC 3597)") }, "\(errors)")
        }
        let unknown = try read("x 60 IN FOO bar\n").errors
        #expect(
            unknown == [
                "zone:1:9: error: \"FOO\" is not a record type; one without a name is TYPE123 \\# LENGTH HEX (RFC 3597)"
            ])
    }
}
