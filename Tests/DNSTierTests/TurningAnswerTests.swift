import DNSWire
import Model
import Testing

@testable import DNSTier

private let zone = """
    $TTL 300
    @ SOA ns1 h 1 7200 900 1209600 60
    @ NS ns1
    ns1 A 192.0.2.53
    three A 192.0.2.1
    three A 192.0.2.2
    three A 192.0.2.3
    six AAAA 2001:db8::1
    six AAAA 2001:db8::2
    one A 192.0.2.9
    chain CNAME three
    *.wild A 192.0.2.1
    *.wild A 192.0.2.2
    *.wild A 192.0.2.3
    old DNAME wild
    mail MX 10 a.mail
    mail MX 10 b.mail
    mail MX 20 mx.far.example.
    text TXT "a" "b"
    text TXT "longer than the other"
    """

/// Records of a set take turns in coming first.
@Suite struct TurningAnswerTests {
    private func count(
        _ server: AnsweringServer, _ name: String, _ type: RecordType, _ times: Int = 3000,
        over transport: Responder.Transport = .udp
    ) throws -> (first: [String: Int], sets: Set<[String]>) {
        var first: [String: Int] = [:]
        var sets: Set<[String]> = []
        for _ in 0..<times {
            let reply = try server.ask(name, type, over: transport, edns: .init())
            #expect(!reply.isTruncated)
            let data = reply.answer.filter { $0.type == type }.map(\.data.description)
            first[data.first ?? "", default: 0] += 1
            sets.insert(Message.lines(reply.answer))
        }
        return (first, sets)
    }

    @Test(
        arguments: [
            ("three.shop.test.", RecordType.a, 3), ("chain.shop.test.", .a, 3), ("six.shop.test.", .aaaa, 2),
            ("x.y.wild.shop.test.", .a, 3), ("some-name.old.shop.test.", .a, 3), ("mail.shop.test.", .mx, 3),
            ("text.shop.test.", .txt, 2),
        ])
    func eachComesFirstEquallyOften(_ name: String, _ type: RecordType, _ records: Int) throws {
        let server = try AnsweringServer(zones: [("shop.test.", zone)])
        for transport in [Responder.Transport.udp, .tcp] {
            let (first, sets) = try count(server, name, type, over: transport)
            #expect(sets.count == 1, "always the same set: \(sets)")
            #expect(first.count == records)
            let expected = 3000.0 / Double(records)
            let chiSquare = first.values.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
            #expect(chiSquare < 14, "\(first)")
        }
    }

    /// Names that are asked for by turns do not step together.
    @Test func namesThatAreAskedByTurnsAreEvenToo() throws {
        let server = try AnsweringServer(zones: [("shop.test.", zone)])
        var first: [String: Int] = [:]
        for _ in 0..<2000 {
            _ = try server.ask("three.shop.test.", .a)
            let reply = try server.ask("six.shop.test.", .aaaa)
            first[reply.answer[0].data.description, default: 0] += 1
        }
        #expect(first.count == 2 && first.values.allSatisfy { (880...1120).contains($0) }, "\(first)")
    }

    @Test func chainsKeepTheirOrder() throws {
        let server = try AnsweringServer(zones: [("shop.test.", zone)])
        for _ in 0..<50 {
            #expect(try server.ask("chain.shop.test.", .a).answer.map(\.type) == [.cname, .a, .a, .a])
            #expect(try server.ask("x.old.shop.test.", .a).answer.map(\.type) == [.dname, .cname, .a, .a, .a])
        }
    }

    @Test func aSetIsOneForTheRateLimitInWhateverOrder() throws {
        let server = try AnsweringServer(zones: [("shop.test.", zone)])
        var settings = DNSConduct.RateLimit()
        settings.responses = 10
        let limiter = RateLimiter(settings, seed: 1)
        defer { limiter.deallocate() }
        let query = try QueryText("three.shop.test.", .a).octets
        let sent = (0..<300).count { _ in
            server.reply(query).withUnsafeBytes {
                unsafe limiter.decide($0, to: IPAddress(v4: 0x0a00_0001), now: 1_000_000_000)
            } == .send
        }
        #expect(sent <= 11, "\(sent) sent")
    }

    @Test func dynamicAddressesTurn() throws {
        let world = try SteeredServer()
        let first = try (0..<1000).map { _ in
            try world.addresses("www.shop.test.", from: "10.1.2.3")[0]
        }
        let counts = Dictionary(first.map { ($0, 1) }, uniquingKeysWith: +)
        #expect(counts.count == 2 && counts.values.allSatisfy { (420...580).contains($0) }, "\(counts)")
    }

    /// Which of the regions comes first is for the steps to say; the addresses of that region take turns.
    @Test func theBestStaysFirst() throws {
        let world = try SteeredServer(
            names: """
                ranked:
                  ttl: 5s
                  answers: {us: {A: [192.0.2.1, 192.0.2.11]}, eu: {A: [192.0.2.2, 192.0.2.22]}, ap: {A: 192.0.2.3}}
                  steps: [{prefix: {10.0.0.0/8: [eu, us]}}]
                """.split(separator: "\n").map { "        " + $0 }.joined(separator: "\n"))
        var starts: Set<[String]> = []
        for _ in 0..<200 {
            let all = try world.addresses("ranked.shop.test.", from: "10.0.0.1")
            #expect(all.count == 4 && Set(all.suffix(2)) == ["192.0.2.1", "192.0.2.11"])
            starts.insert(Array(all.prefix(2)))
        }
        #expect(starts == [["192.0.2.2", "192.0.2.22"], ["192.0.2.22", "192.0.2.2"]])
    }
}
