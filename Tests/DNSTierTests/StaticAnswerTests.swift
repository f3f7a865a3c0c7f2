import DNSTier
import DNSWire
import Testing

private let shopZone = """
    $TTL 300
    @       IN SOA ns1 hostmaster 2026010101 7200 900 1209600 60
    @       NS  ns1
    @       NS  ns2.elsewhere.test.
    @       MX  10 mail
    @       CAA 0 issue "ca.test"
    ns1     A   192.0.2.53
    mail    A   192.0.2.25
            AAAA 2001:db8::25
    www     CNAME web
    web     A   192.0.2.80
            A   192.0.2.81
            TXT "hello" "wor\\"ld"
    deep.empty.path A 192.0.2.90
    *.wild  A   192.0.2.99
    *.wild  MX  5 mail
    only.wild TXT "not a wildcard"
    _sip._tcp SRV 1 2 5060 web
    sub     NS  ns.sub
    sub     NS  ns1
    ns.sub  A   192.0.2.54
    sub     DS  1 8 2 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF
    old     DNAME new
    a.new   A   192.0.2.70
    out     DNAME quite-far-away.elsewhere.test.
    big     TXT "\(String(repeating: "x", count: 250))" "\(String(repeating: "y", count: 250))"
    big     TXT "\(String(repeating: "z", count: 250))" "\(String(repeating: "w", count: 250))"
    big     TXT "\(String(repeating: "v", count: 250))" "\(String(repeating: "u", count: 250))"
    strange TYPE65534 \\# 3 010203
    loop1   CNAME loop2
    loop2   CNAME loop1
    gone    CNAME nothing.here

    """

@Suite struct StaticAnswerTests {
    let server: AnsweringServer

    init() throws { server = try AnsweringServer(zones: [("shop.test.", shopZone)]) }

    @Test func answersWithTheWholeSet() throws {
        let reply = try server.ask("web.shop.test.", .a)
        #expect(reply.code == .noError)
        #expect(reply.isAuthoritative)
        #expect(Message.lines(reply.answer) == ["web.shop.test. 300 A 192.0.2.80", "web.shop.test. 300 A 192.0.2.81"])
        #expect(reply.authority.isEmpty)
        #expect(reply.option == nil)
    }

    @Test func keepsIdCaseAndRecursionDesired() throws {
        let query = try QueryText("WeB.sHop.tEst.", .a, flags: 0x0130)
        let octets = server.reply(query.octets)
        #expect(Array(octets[0..<2]) == [0x12, 0x34])
        #expect(Array(octets[12..<27]) == Array(query.octets[12..<27]))
        let reply = try Message(octets.span.bytes)
        // RD is repeated; AD and CD are not, RA is not offered.
        #expect(reply.flags == 0x8500)
        #expect(Message.lines(reply.answer).count == 2)
    }

    @Test func followsAliasesInTheZone() throws {
        #expect(
            Message.lines(try server.ask("www.shop.test.", .a).answer) == [
                "web.shop.test. 300 A 192.0.2.80", "web.shop.test. 300 A 192.0.2.81",
                "www.shop.test. 300 CNAME web.shop.test.",
            ])
        #expect(try server.ask("www.shop.test.", .cname).answer.count == 1)
        let noData = try server.ask("www.shop.test.", .mx)
        #expect(Message.lines(noData.answer) == ["www.shop.test. 300 CNAME web.shop.test."])
        #expect(noData.authority.first?.type == .soa)
        let loop = try server.ask("loop1.shop.test.", .a)
        #expect(
            Message.lines(loop.answer) == [
                "loop1.shop.test. 300 CNAME loop2.shop.test.", "loop2.shop.test. 300 CNAME loop1.shop.test.",
            ])
        let gone = try server.ask("gone.shop.test.", .a)
        #expect(gone.code == .nameError)
        #expect(gone.answer.count == 1)
    }

    @Test func saysNoWithTheSmallerTTL() throws {
        let missing = try server.ask("nothing.shop.test.", .a)
        #expect(missing.code == .nameError)
        #expect(missing.isAuthoritative)
        let soa = "shop.test. 60 SOA ns1.shop.test. hostmaster.shop.test. 2026010101 7200 900 1209600 60"
        #expect(Message.lines(missing.authority) == [soa])
        let noData = try server.ask("web.shop.test.", .aaaa)
        #expect(noData.code == .noError)
        #expect(noData.answer.isEmpty)
        #expect(Message.lines(noData.authority) == [soa])
    }

    @Test func knowsEmptyNonTerminals() throws {
        for name in ["empty.path.shop.test.", "path.shop.test.", "wild.shop.test.", "_tcp.shop.test."] {
            #expect(try server.ask(name, .a).code == .noError, "\(name)")
        }
        #expect(try server.ask("x.path.shop.test.", .a).code == .nameError)
    }

    @Test func wildcardsStandForWhatIsMissing() throws {
        #expect(
            Message.lines(try server.ask("a.b.wild.shop.test.", .a).answer)
                == ["a.b.wild.shop.test. 300 A 192.0.2.99"])
        #expect(
            Message.lines(try server.ask("some-long-name.wild.shop.test.", .mx).answer)
                == ["some-long-name.wild.shop.test. 300 MX 5 mail.shop.test."])
        #expect(try server.ask("*.wild.shop.test.", .a).answer.count == 1)
        #expect(try server.ask("x.wild.shop.test.", .txt).authority.first?.type == .soa)
        // A name that exists blocks the wildcard, and so does everything below it (RFC 4592 section 2.2.1).
        #expect(try server.ask("only.wild.shop.test.", .a).answer.isEmpty)
        #expect(try server.ask("x.only.wild.shop.test.", .a).code == .nameError)
    }

    @Test func refersToTheServersOfZonesBelow() throws {
        for name in ["sub.shop.test.", "deep.down.sub.shop.test.", "ns.sub.shop.test."] {
            let reply = try server.ask(name, .a)
            #expect(!reply.isAuthoritative)
            #expect(reply.answer.isEmpty)
            #expect(
                Message.lines(reply.authority) == [
                    "sub.shop.test. 300 NS ns.sub.shop.test.", "sub.shop.test. 300 NS ns1.shop.test.",
                ])
            #expect(
                Message.lines(reply.additional) == [
                    "ns.sub.shop.test. 300 A 192.0.2.54", "ns1.shop.test. 300 A 192.0.2.53",
                ])
        }
        let signer = try server.ask("sub.shop.test.", .ds)
        #expect(signer.isAuthoritative)
        #expect(signer.answer.count == 1)
    }

    @Test func rewritesBelowDNAME() throws {
        let reply = try server.ask("a.old.shop.test.", .a)
        #expect(
            reply.answer.map { "\($0.owner) \($0.type) \($0.data.description)" } == [
                "old.shop.test. DNAME new.shop.test.", "a.old.shop.test. CNAME a.new.shop.test.",
                "a.new.shop.test. A 192.0.2.70",
            ])
        #expect(try server.ask("b.old.shop.test.", .a).code == .nameError)
        let outside = try server.ask("x.y.out.shop.test.", .a)
        #expect(outside.answer.count == 2)
        #expect(outside.code == .noError)
        let long = (0..<4).map { _ in String(repeating: "n", count: 56) }.joined(separator: ".")
        let tooLong = try server.ask(long + ".out.shop.test.", .a)
        #expect(tooLong.code == .nameTooLong)
    }

    @Test func carriesEveryType() throws {
        #expect(
            Message.lines(try server.ask("_sip._tcp.shop.test.", .srv).answer)
                == ["_sip._tcp.shop.test. 300 SRV 1 2 5060 web.shop.test."])
        #expect(
            Message.lines(try server.ask("shop.test.", .caa).answer) == ["shop.test. 300 CAA 0 \"issue\" \"ca.test\""])
        #expect(
            Message.lines(try server.ask("strange.shop.test.", RecordType(rawValue: 65534)).answer)
                == ["strange.shop.test. 300 TYPE65534 \\# 3 010203"])
        #expect(
            Message.lines(try server.ask("web.shop.test.", .txt).answer)
                == ["web.shop.test. 300 TXT \"hello\" \"wor\\\"ld\""])
    }

    @Test func answersANYWithOneSet() throws {
        let reply = try server.ask("mail.shop.test.", .any)
        #expect(reply.answer.map(\.type) == [.a])
        #expect(try server.ask("www.shop.test.", .any).answer.map(\.type) == [.cname])
    }

    @Test func truncatesOverUDPAndNotOverTCP() throws {
        let small = try server.ask("big.shop.test.", .txt)
        #expect(small.isTruncated)
        #expect(small.answer.isEmpty)
        let large = try server.ask("big.shop.test.", .txt, edns: .init(payloadSize: 4096))
        #expect(large.isTruncated, "1232 is the most that is sent")
        #expect(large.option != nil)
        let stream = try server.ask("big.shop.test.", .txt, over: .tcp)
        #expect(stream.answer.count == 3)
        #expect(!stream.isTruncated)
        #expect(server.worker.tally(.truncated) == 2)
    }

    @Test func refusesWhatIsNotOurs() throws {
        for (name, type) in [("other.test.", RecordType.a), (".", .ns), ("test.", .soa), ("shop.test.", .axfr)] {
            let reply = try server.ask(name, type, edns: .init())
            #expect(reply.code == .refused, "\(name)")
            #expect(!reply.isAuthoritative)
            #expect(reply.option != nil)
        }
        var chaos = try QueryText("version.bind.", .txt).octets
        chaos[chaos.count - 1] = 3
        #expect(try Message(server.reply(chaos).span.bytes).code == .refused)
    }

    @Test func innerZonesAnswerForThemselves() throws {
        let inner = "@ 60 SOA ns1 h 7 1 1 1 30\n@ 60 NS ns1\nns1 60 A 192.0.2.2\n"
        let server = try AnsweringServer(zones: [("shop.test.", shopZone), ("a.inner.shop.test.", inner)])
        #expect(try server.ask("ns1.a.inner.shop.test.", .a).answer.count == 1)
        #expect(try server.ask("inner.shop.test.", .a).code == .noError, "an empty non-terminal above the inner zone")
        let missing = try server.ask("x.a.inner.shop.test.", .a)
        #expect(missing.authority.first.map { $0.owner.description } == "a.inner.shop.test.")
    }

    /// RFC 4035 section 3.1.4.1: where we serve both, the DS records of the inner zone are the outer one's.
    @Test func signersOfAnInnerZoneAreTheOuterOnes() throws {
        let inner = "@ 60 SOA ns1 h 7 1 1 1 30\n@ 60 NS ns1\nns1 60 A 192.0.2.2\n"
        let server = try AnsweringServer(zones: [
            ("shop.test.", shopZone), ("sub.shop.test.", inner), ("plain.shop.test.", inner),
        ])
        let signed = try server.ask("SUB.shop.test.", .ds)
        #expect(signed.code == .noError && signed.isAuthoritative && signed.answer.map(\.type) == [.ds])
        let plain = try server.ask("plain.shop.test.", .ds)
        #expect(plain.code == .noError && plain.answer.isEmpty)
        #expect(plain.authority.map(\.owner.description) == ["shop.test."], "the outer zone says that there are none")
        #expect(try server.ask("sub.shop.test.", .soa).answer.first?.data.serial == 7, "all else is the inner one's")
        #expect(try server.ask("shop.test.", .ds).authority.map(\.owner.description) == ["shop.test."])
        #expect(try server.ask("ns1.sub.shop.test.", .ds).authority.map(\.owner.description) == ["sub.shop.test."])
    }
}
