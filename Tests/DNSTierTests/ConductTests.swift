import DNSTier
import DNSWire
import Model
import Testing

private let zone = """
    @ 300 SOA ns1 h 1 7200 900 1209600 60
    @ 300 NS ns1
    ns1 300 A 192.0.2.53
    big 300 TXT "\(String(repeating: "x", count: 200))" "\(String(repeating: "y", count: 200))"
    alias 300 DNAME target
    big.target 300 TXT "\(String(repeating: "x", count: 200))" "\(String(repeating: "y", count: 200))"
    """

/// What a server tells of itself, demands of its clients and refuses them: NSID, cookies, CHAOS, extended errors, and how
/// much it says to strangers.
@Suite struct ConductTests {
    private let server: AnsweringServer

    private static let key = SipKey(low: 1, high: 2)
    private static let clientPart: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]

    init() throws {
        var conduct = Conduct()
        conduct.identifier = Array("dns-1".utf8)
        conduct.chaosIdentity = Array("dns-1".utf8)
        conduct.chaosVersion = Array("Meridian".utf8)
        conduct.cookieKeys = [Self.key]
        server = AnsweringServer(try AnsweringServer.table(zones: [("shop.test.", zone)]), conduct: conduct)
        server.worker.time = 1_800_000_000
    }

    private func options(_ reply: Message) -> [UInt16: [UInt8]] {
        var options: [UInt16: [UInt8]] = [:]
        var rest = (reply.option?.data.wire ?? [])[...]
        while rest.count >= 4 {
            let start = rest.startIndex
            let code = UInt16(rest[start]) << 8 | UInt16(rest[start + 1])
            let length = Int(rest[start + 2]) << 8 | Int(rest[start + 3])
            options[code] = Array(rest[(start + 4)..<(start + 4 + length)])
            rest = rest[(start + 4 + length)...]
        }
        #expect(rest.isEmpty)
        return options
    }

    private func cookie(from client: String = "192.0.2.1") throws -> [UInt8] {
        let reply = try server.ask(
            "ns1.shop.test.", .a, from: client, edns: QueryText.EDNS(options: [(code: 10, data: Self.clientPart)]))
        return try #require(options(reply)[10])
    }

    @Test func tellsItsIdentityWhenAsked() throws {
        let reply = try server.ask("ns1.shop.test.", .a, edns: QueryText.EDNS(options: [(code: 3, data: [])]))
        #expect(options(reply) == [3: Array("dns-1".utf8)])
        #expect(reply.answer.count == 1)
        let both = try server.ask(
            "none.shop.test.", .a,
            edns: QueryText.EDNS(options: [
                (code: 3, data: []), (code: 8, data: [0, 1, 24, 0, 192, 0, 2]), (code: 10, data: Self.clientPart),
            ]))
        #expect(both.code == .nameError)
        #expect(Set(options(both).keys) == [3, 8, 10])
        let plain = try server.ask("ns1.shop.test.", .a, edns: .init())
        #expect(options(plain).isEmpty)
    }

    @Test func aCookieIsGivenAndTakenBack() throws {
        let cookie = try cookie()
        #expect(cookie.count == 24 && Array(cookie[..<8]) == Self.clientPart && cookie[8] == 1)
        #expect(server.worker.tally(.goodCookies) == 0)
        let again = try server.ask("ns1.shop.test.", .a, edns: QueryText.EDNS(options: [(code: 10, data: cookie)]))
        #expect(options(again)[10] == cookie, "fresh: it stays")
        #expect(server.worker.tally(.goodCookies) == 1)
        server.worker.time += 2000
        let later = try server.ask("ns1.shop.test.", .a, edns: QueryText.EDNS(options: [(code: 10, data: cookie)]))
        #expect(options(later)[10] != cookie, "renewed after half an hour")
        #expect(server.worker.tally(.goodCookies) == 2)
        _ = try server.ask(
            "ns1.shop.test.", .a, from: "192.0.2.2", edns: QueryText.EDNS(options: [(code: 10, data: cookie)]))
        #expect(server.worker.tally(.goodCookies) == 2, "another client's is none")
    }

    @Test(arguments: [0, 1, 7, 9, 15, 41]) func malformedCookiesAreFormatErrors(_ length: Int) throws {
        let option = [UInt8](repeating: 1, count: length)
        let reply = try server.ask("ns1.shop.test.", .a, edns: QueryText.EDNS(options: [(code: 10, data: option)]))
        #expect(reply.code == .formatError && reply.answer.isEmpty)
    }

    @Test func aQueryMayAskForNothingButACookie() throws {
        let whole = try QueryText("shop.test.", .a, edns: QueryText.EDNS(options: [(code: 10, data: Self.clientPart)]))
            .octets
        var query = Array(whole[..<12]) + Array(whole[27...])
        query[5] = 0
        let reply = try Message(server.reply(query).span.bytes)
        #expect(reply.code == .noError && reply.question == nil)
        #expect(options(reply)[10]?.count == 24)
    }

    @Test func aDemandedCookieIsToldAndThenSuffices() throws {
        var conduct = Conduct()
        conduct.cookieKeys = [Self.key]
        conduct.requiresCookie = true
        server.worker.use(conduct)
        let refused = try server.ask(
            "ns1.shop.test.", .a, edns: QueryText.EDNS(options: [(code: 10, data: Self.clientPart)]))
        #expect(refused.code == .badCookie && refused.answer.isEmpty)
        let cookie = try #require(options(refused)[10])
        let reply = try server.ask("ns1.shop.test.", .a, edns: QueryText.EDNS(options: [(code: 10, data: cookie)]))
        #expect(reply.code == .noError && reply.answer.count == 1)
        let plain = try server.ask("ns1.shop.test.", .a)
        #expect(plain.answer.count == 1, "who knows no cookies is answered")
        let tcp = try server.ask(
            "ns1.shop.test.", .a, over: .tcp, edns: QueryText.EDNS(options: [(code: 10, data: Self.clientPart)]))
        #expect(tcp.answer.count == 1, "over TCP the address is known")
    }

    @Test func laterVersionsStillGetCookieAndIdentity() throws {
        let edns = QueryText.EDNS(version: 1, options: [(code: 3, data: []), (code: 10, data: Self.clientPart)])
        let reply = try server.ask("shop.test.", .soa, edns: edns)
        #expect(reply.code == .badVersion)
        #expect(options(reply)[3] == Array("dns-1".utf8) && options(reply)[10]?.count == 24)
    }

    @Test func keepaliveIsToldOverTCPOnly() throws {
        let edns = QueryText.EDNS(options: [(code: 11, data: [])])
        #expect(options(try server.ask("shop.test.", .soa, over: .tcp, edns: edns))[11] == [0, 100])
        #expect(options(try server.ask("shop.test.", .soa, edns: edns)).isEmpty)
    }

    @Test func refusalsSayWhy() throws {
        #expect(options(try server.ask("other.test.", .a, edns: .init()))[15] == [0, 20])
        #expect(options(try server.ask("shop.test.", .axfr, over: .tcp, edns: .init()))[15] == [0, 18])
        let withCookie = try server.ask(
            "other.test.", .a, edns: QueryText.EDNS(options: [(code: 10, data: Self.clientPart)]))
        #expect(withCookie.code == .refused)
        #expect(options(withCookie)[15] == [0, 20] && options(withCookie)[10]?.count == 24)
        #expect(try server.ask("other.test.", .a).additional.isEmpty, "without EDNS there is no place for it")
        let made = try server.ask("ns.alias.shop.test.", .a, edns: .init())
        #expect(options(made)[15] == [0, 29], "a CNAME made of a DNAME")
        let asked = QueryText.EDNS(options: [(code: 8, data: [0, 1, 24, 0, 192, 0, 2]), (code: 3, data: [])])
        #expect(Set(options(try server.ask("ns.alias.shop.test.", .a, edns: asked)).keys) == [3, 8, 15])
    }

    @Test func chaosIsAnsweredWhereAllowed() throws {
        func ask(_ name: String, _ type: RecordType = .txt) throws -> Message {
            var octets = try QueryText(name, type).octets
            octets[octets.count - 1] = 3
            return try Message(server.reply(octets).span.bytes)
        }
        for (name, text) in [
            ("id.server.", "dns-1"), ("HOSTNAME.bind.", "dns-1"), ("version.bind.", "Meridian"),
            ("version.server.", "Meridian"),
        ] {
            let reply = try ask(name)
            #expect(reply.answer.count == 1 && reply.isAuthoritative)
            #expect(reply.answer.first?.recordClass == 3 && reply.answer.first?.ttl == 0)
            #expect(reply.answer.first?.data.wire == [UInt8(text.utf8.count)] + Array(text.utf8))
        }
        #expect(try ask("shop.test.").code == .refused)
        #expect(try ask("id.server.", .a).code == .refused)
        server.worker.use(Conduct())
        #expect(try ask("id.server.").code == .refused, "off unless the topology asks for it")
    }

    @Test(arguments: ["big.shop.test.", "big.alias.shop.test."])
    func strangersGetNoMoreThanTheFactor(_ name: String) throws {
        let query = try QueryText(name, .txt, edns: .init()).octets
        var conduct = Conduct()
        conduct.amplification = 4
        conduct.cookieKeys = [Self.key]
        server.worker.use(conduct)
        let short = server.reply(query)
        #expect(short.count + 28 <= 4 * (query.count + 28) && short[2] & 2 != 0)
        let cookie = try cookie()
        let whole = try server.ask(name, .txt, edns: QueryText.EDNS(options: [(code: 10, data: cookie)]))
        #expect(!whole.isTruncated && !whole.answer.isEmpty, "a good cookie lifts the limit")
        let stale = try server.ask(name, .txt, edns: QueryText.EDNS(options: [(code: 10, data: Self.clientPart)]))
        #expect(stale.isTruncated)
        conduct.amplification = 0
        server.worker.use(conduct)
        #expect(server.reply(query).count + 28 > 4 * (query.count + 28))
        #expect(try !server.ask(name, .txt, over: .tcp).isTruncated)
    }

    /// The TXT records of a zone's own name, as ordinary as they come: SPF, and some proofs of ownership for others' services.
    @Test(arguments: ["shop.test.", "a.test."]) func apexTextNeedsNoTCP(_ origin: String) throws {
        let proofs = (0..<13).map { "@ 300 TXT \"\($0)-site-verification=\(String(repeating: "x", count: 44))\"" }
        let spf = "v=spf1 include:_spf.mail.test include:spf.other.test ip4:192.0.2.0/24 -all"
        let zone = (["@ 300 SOA ns1 h 1 7200 900 1209600 60", "@ 300 NS ns1", "@ 300 TXT \"\(spf)\""] + proofs)
        let table = try AnsweringServer.table(zones: [(origin, zone.joined(separator: "\n") + "\n")])
        // As a server does that nobody configured further.
        let server = AnsweringServer(table, conduct: Conduct())
        let reply = try server.ask(origin, .txt, edns: .init())
        #expect(!reply.isTruncated && reply.answer.count == 14)
        let octets = server.reply(try QueryText(origin, .txt, edns: .init()).octets)
        #expect((1100...1232).contains(octets.count), "\(octets.count)")
        #expect(try server.ask(origin, .txt).isTruncated, "without EDNS 512 is the most")
    }

    @Test func ownOptionsCountTowardsTheLimit() throws {
        let edns = QueryText.EDNS(payloadSize: 512, options: [(code: 10, data: try cookie()), (code: 3, data: [])])
        for length in stride(from: 0, to: 60, by: 7) {
            let name = String(repeating: "n", count: length + 1) + ".alias.shop.test."
            let reply = server.reply(try QueryText(name, .txt, edns: edns).octets)
            #expect(reply.count <= 512)
        }
        let reply = server.reply(try QueryText("big.shop.test.", .txt, edns: edns).octets)
        #expect(reply.count <= 512)
    }
}
