import DNSWire
import Testing

/// `$GENERATE` as BIND reads it.
@Suite struct GenerateTests {
    private func parse(_ text: String, generated: Int = MasterFile.maximumGenerated) throws
        -> (lines: [String], errors: [String])
    {
        let parsed = MasterFile.parse(
            .init(file: "zone", text: Array("$TTL 60\n\(text)\n".utf8)), origin: try Name("shop.test."),
            generated: generated, read: { _, _ in nil })
        return (
            parsed.records.map { "\($0.owner) \($0.ttl) \($0.type) \($0.data.description)" },
            parsed.errors.map(\.description)
        )
    }

    @Test func oneLineForEachNumber() throws {
        #expect(
            try parse("$GENERATE 1-3 host$ A 192.0.2.$").lines == [
                "host1.shop.test. 60 A 192.0.2.1", "host2.shop.test. 60 A 192.0.2.2", "host3.shop.test. 60 A 192.0.2.3",
            ])
        #expect(
            try parse("$GENERATE 0-8/4 $ 300 IN CNAME $.0").lines == [
                "0.shop.test. 300 CNAME 0.0.shop.test.", "4.shop.test. 300 CNAME 4.0.shop.test.",
                "8.shop.test. 300 CNAME 8.0.shop.test.",
            ])
    }

    @Test(
        arguments: [
            ("${0,3}", "007"), ("${10}", "17"), ("${-7,2,d}", "00"), ("${0,0,o}", "7"), ("${20,4,x}", "001b"),
            ("${20,0,X}", "1B"), ("${248,0,n}", "f.f"), ("${248,7,N}", "F.F.0.0"), ("${0,1,n}", "7"),
            ("${0,2,n}", "7."),
            ("a$$b", "a$b"), ("a\\$b", "a$b"), ("${0,3}x$", "007x7"),
        ])
    func modifiers(_ form: String, _ expected: String) throws {
        let found = try parse("$GENERATE 7-7 x TXT \"\(form)\"")
        #expect(found.errors == [])
        #expect(found.lines == ["x.shop.test. 60 TXT \"\(expected)\""])
    }

    @Test func quotesAndEscapesStay() throws {
        #expect(
            try parse(#"$GENERATE 1-1 a\.b$ TXT "x y \"$\"" "\036""#).lines == [
                #"a\.b1.shop.test. 60 TXT "x y \"1\"" "$""#
            ])
    }

    @Test(
        arguments: [
            ("$GENERATE 1-2 a$", "zone:2:1: error: write it as $GENERATE"),
            ("$GENERATE 2-1 a$ A 192.0.2.$", "zone:2:11: error: \"2-1\" is not a range"),
            ("$GENERATE 1-9/0 a$ A 192.0.2.$", "is not a range"), ("$GENERATE 1 a$ A 192.0.2.$", "is not a range"),
            ("$GENERATE 1-2 a${x} A 192.0.2.$", "zone:2:15: error: write a number as"),
            ("$GENERATE 1-2 a${0,256} A 192.0.2.$", "write a number as"),
            ("$GENERATE 1-2 a${0,1,z} A 192.0.2.$", "write a number as"),
            ("$GENERATE 1-2 a${0 A 192.0.2.1", "write a number"),
            ("$GENERATE 1-2 a${-5} A 192.0.2.$", "below zero"),
            ("$GENERATE 1-2 a$ A 192.0.2", "is not an IPv4 address"),
            ("$GENERATE 0-4294967295 a$ A 192.0.2.1", "is not a range"),
            ("$GENERATE 0-2000000000 a$ A 192.0.2.1", "may make"),
        ])
    func saysWhatIsWrong(_ text: String, _ expected: String) throws {
        let found = try parse(text)
        #expect(found.errors.count == 1)
        #expect(found.errors.first?.contains(expected) == true, "\(found.errors)")
    }

    @Test func theNumberOfRecordsIsLimitedOverAllLines() throws {
        let found = try parse("$GENERATE 1-6 a$ A 192.0.2.$\n$GENERATE 1-6 b$ A 192.0.2.$", generated: 10)
        #expect(found.lines.count == 6)
        #expect(found.errors == ["zone:3:11: error: $GENERATE may make 4 more records here"])
    }

    @Test func genericTypesAndClasses() throws {
        #expect(
            try parse("x CLASS1 TYPE1 \\# 4 c0000201\ny IN TYPE731 \\# 6 abcd ( ef 01 23 45 )").lines == [
                "x.shop.test. 60 A 192.0.2.1", "y.shop.test. 60 TYPE731 \\# 6 abcdef012345",
            ])
        #expect(try parse("x CLASS3 A 192.0.2.1").errors.count == 1)
        #expect(try parse("x A \\# 3 c00002").errors.count == 1)
    }
}
