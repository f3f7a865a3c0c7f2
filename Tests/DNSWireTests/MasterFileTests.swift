import DNSWire
import TestKit
import Testing

@Suite struct MasterFileTests {
    private func parse(
        _ text: String, files: [String: String] = [:]
    ) throws -> (records: [String], errors: [String]) {
        let parsed = MasterFile.parse(
            .init(file: "zone", text: Array(text.utf8)), origin: try Name("shop.test.")
        ) { name, _ in
            files[name].map { MasterFile.Source(file: name, text: Array($0.utf8)) }
        }
        return (
            parsed.records.map { "\($0.owner) \($0.ttl) \($0.type) \($0.data.description)" },
            parsed.errors.map(\.description)
        )
    }

    @Test func readsEveryForm() throws {
        let (records, errors) = try parse(
            """
            $TTL 1h ; the default
            @ IN SOA ns1 host\\.master ( 2026010101 ; serial
                2h 15m
                2w 60 )
              IN NS ns1            ; the owner of the line before
            ns1 300 IN A 192.0.2.1
            ns1 IN 600 AAAA 2001:db8::1
            $ORIGIN sub
            www CNAME web.shop.test.
            mail MX 10 mx
            "quoted" TXT "a;b (c)" d\\;e "\\"q\\"" \\065
            @ SRV 1 2 443 www
            @ CAA 128 iodef "mailto:x@shop.test"
            raw TYPE999 \\# 4 0a0b 0C0D
            known A \\# 4 c0000201
            """)
        #expect(errors == [])
        #expect(
            records == [
                "shop.test. 3600 SOA ns1.shop.test. host\\.master.shop.test. 2026010101 7200 900 1209600 60",
                "shop.test. 3600 NS ns1.shop.test.",
                "ns1.shop.test. 300 A 192.0.2.1",
                "ns1.shop.test. 600 AAAA 2001:db8::1",
                "www.sub.shop.test. 3600 CNAME web.shop.test.",
                "mail.sub.shop.test. 3600 MX 10 mx.sub.shop.test.",
                "quoted.sub.shop.test. 3600 TXT \"a;b (c)\" \"d;e\" \"\\\"q\\\"\" \"A\"",
                "sub.shop.test. 3600 SRV 1 2 443 www.sub.shop.test.",
                "sub.shop.test. 3600 CAA 128 \"iodef\" \"mailto:x@shop.test\"",
                "raw.sub.shop.test. 3600 TYPE999 \\# 4 0a0b0c0d",
                "known.sub.shop.test. 3600 A 192.0.2.1",
            ])
    }

    @Test func includesOtherFiles() throws {
        let (records, errors) = try parse(
            "$TTL 60\n$INCLUDE more sub\nweb A 192.0.2.2\n$INCLUDE missing\n",
            files: ["more": "$TTL 30\n@ A 192.0.2.3\nbad A x\n"])
        #expect(records == ["sub.shop.test. 30 A 192.0.2.3", "web.shop.test. 60 A 192.0.2.2"])
        #expect(
            errors == [
                "more:3:7: error: \"x\" is not an IPv4 address such as 192.0.2.1",
                "zone:4:10: error: \"missing\" cannot be read",
            ])
        let loop = try parse("$INCLUDE again\n", files: ["again": "$INCLUDE again\n"])
        #expect(loop.errors.count == 1)
    }

    @Test(arguments: [
        ("web A 192.0.2.1", "zone:1:5: error: no TTL is known here; put a line such as \"$TTL 1h\" in front"),
        (" 60 A 192.0.2.1", "zone:1:2: error: a record without an owner, and there is none before it"),
        ("web 60 IN", "zone:1:8: error: the type of the record is missing"),
        ("web 60 CH A 192.0.2.1", "zone:1:8: error: class CH is not served; write IN"),
        (
            "web 60 WHAT x",
            "zone:1:8: error: \"WHAT\" is not a record type; one without a name is TYPE123 \\# LENGTH HEX (RFC 3597)"
        ),
        ("web 60 ANY x", "zone:1:8: error: type ANY cannot stand in a zone"),
        ("web 60 A 192.0.2", "zone:1:10: error: \"192.0.2\" is not an IPv4 address such as 192.0.2.1"),
        ("web 60 A 192.0.2.1 5", "zone:1:20: error: nothing more belongs to a record of type A"),
        ("web 60 MX 10", "zone:1:11: error: a domain name is missing"),
        ("web 60 MX 70000 a", "zone:1:11: error: \"70000\" is not a number from 0 to 65535"),
        ("a..b 60 A 192.0.2.1", "zone:1:1: error: \"a..b\" is a name with an empty label"),
        (
            "web 3000000000 A 192.0.2.1",
            "zone:1:5: error: \"3000000000\" is not a number of seconds such as 3600 or 1h30m, below 2^31"
        ),
        ("web 60 TXT \"open", "zone:1:12: error: a quoted string without its closing quote"),
        ("web 60 A 192.0.2.1 )", "zone:1:20: error: a closing parenthesis without an opening one"),
        (
            "web 60 TYPE999 x",
            "zone:1:16: error: the data of type TYPE999 is not read; write the record as TYPE999 \\# LENGTH HEX (RFC 3597)"
        ),
        ("web 60 TYPE999 \\# 3 0a", "zone:1:19: error: 3 octets are announced, 1 are given"),
        ("$WHAT x", "zone:1:1: error: \"$WHAT\" is not a directive; $ORIGIN, $TTL, $INCLUDE and $GENERATE are"),
        ("$TTL", "zone:1:1: error: write it as $TTL SECONDS"),
    ])
    func saysWhatIsWrongAndWhere(_ text: String, _ error: String) throws {
        #expect(try parse(text).errors == [error])
    }

    @Test func findsEveryErrorOfAFile() throws {
        let (records, errors) = try parse("$TTL 60\na A x\nb A 192.0.2.1\nc MX\nd TXT \"\nopen ( A\n")
        #expect(records == ["b.shop.test. 60 A 192.0.2.1"])
        #expect(errors.count == 4)
    }

    @Test func endsOnAnyText() {
        let words = [
            "\na 60 A 192.0.2.1\n", "@", "a", "IN", "60", "A", "TXT", "MX", "SOA", "(", ")", "\"", ";", "\\", "\\#",
            "\n", "\n", " ", "\t",
            "$TTL",
            "$ORIGIN", "192.0.2.1", "4", "\\300", ".", "..",
        ]
        var random = SeededGenerator(seed: 3)
        var records = 0
        for _ in 0..<5_000 {
            let text = (0..<Int.random(in: 0...30, using: &random)).map { _ in
                (words.randomElement(using: &random) ?? "") + (Bool.random(using: &random) ? " " : "")
            }.joined()
            records +=
                MasterFile.parse(
                    .init(file: "zone", text: Array(text.utf8)), origin: .root, read: { _, _ in nil }
                ).records.count
        }
        #expect(records > 5)
    }
}
