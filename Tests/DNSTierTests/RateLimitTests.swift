import DNSTier
import DNSWire
import Model
import TestKit
import Testing

private let zone = """
    @ 300 SOA ns1 h 1 7200 900 1209600 60
    @ 300 NS ns1
    ns1 300 A 192.0.2.53
    a 300 A 192.0.2.1
    b 300 A 192.0.2.2
    *.wild 300 A 192.0.2.3
    """

/// Response-rate limiting, under a simulated clock.
@Suite struct RateLimitTests {
    private final class Limited {
        let server: AnsweringServer
        let desk: DatagramGuard
        private let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 64)
        /// Nanoseconds.
        var now: UInt64 = 1_000_000_000_000

        init(_ change: (inout DNSConduct.RateLimit) -> Void = { _ in }) throws {
            var settings = DNSConduct.RateLimit()
            settings.responses = 10
            settings.negatives = 5
            settings.errors = 5
            settings.tableSize = 1024
            change(&settings)
            server = try AnsweringServer(zones: [("shop.test.", zone)])
            desk = unsafe DatagramGuard(responder: server.worker.responder, limits: settings, seed: 7)
        }

        deinit { unsafe room.deallocate() }

        enum Outcome { case answer, slip, none }

        func ask(
            _ name: String, _ type: RecordType = .a, from client: String = "198.51.100.1",
            edns: QueryText.EDNS? = nil
        ) throws -> Outcome {
            let query = try QueryText(name, type, edns: edns).octets
            let address = SocketAddress(try #require(IPAddress(client)), port: 5353)
            let count = unsafe query.withUnsafeBytes {
                unsafe desk.answer($0, from: address, into: room, now: now)
            }
            guard count > 0 else { return .none }
            let reply = try Message(unsafe Array(room.prefix(count)).span.bytes)
            if reply.isTruncated || reply.code == .badCookie {
                #expect(reply.answer.isEmpty && count <= query.count + 40)
                return .slip
            }
            return .answer
        }

        func count(_ rounds: Int, _ ask: () throws -> Outcome) rethrows -> [Outcome: Int] {
            var counts: [Outcome: Int] = [:]
            for _ in 0..<rounds { counts[try ask(), default: 0] += 1 }
            return counts
        }
    }

    @Test func alikeAnswersAreLimitedAndEverySecondSlips() throws {
        let limited = try Limited()
        let counts = try limited.count(110) { try limited.ask("a.shop.test.") }
        #expect(counts == [.answer: 10, .none: 50, .slip: 50])
        #expect(limited.server.worker.tally(.rateSlipped) == 50)
        #expect(try limited.ask("b.shop.test.") == .answer, "other data is another matter")
        #expect(try limited.ask("a.shop.test.", from: "198.51.101.1") == .answer, "and so is another network")
        #expect(try limited.ask("a.shop.test.", from: "198.51.100.254") != .answer, "the same /24")
    }

    @Test func theRateComesBackWithTime() throws {
        let limited = try Limited()
        _ = try limited.count(12) { try limited.ask("a.shop.test.") }
        limited.now += 1_000_000_000
        #expect(try limited.count(20) { try limited.ask("a.shop.test.") }[.answer] == 8, "two were owed")
        // Who never stops is limited for the window, and no longer.
        _ = try limited.count(1000) { try limited.ask("a.shop.test.") }
        limited.now += 14_000_000_000
        #expect(try limited.ask("a.shop.test.") != .answer)
        limited.now += 2_500_000_000
        #expect(try limited.ask("a.shop.test.") == .answer)
    }

    @Test func namesOfAWildcardAndMissingNamesCountTogether() throws {
        let limited = try Limited()
        var number = 0
        let wild = try limited.count(60) {
            number += 1
            return try limited.ask("x\(number).wild.shop.test.")
        }
        #expect(wild[.answer] == 10)
        let missing = try limited.count(60) {
            number += 1
            return try limited.ask("x\(number).shop.test.")
        }
        #expect(missing[.answer] == 5)
        #expect(try limited.count(60) { try limited.ask("other.test.") }[.answer] == 5)
    }

    @Test func slipIsConfigurable() throws {
        let none = try Limited { $0.slip = 0 }
        #expect(try none.count(30) { try none.ask("a.shop.test.") } == [.answer: 10, .none: 20])
        let all = try Limited { $0.slip = 1 }
        #expect(try all.count(30) { try all.ask("a.shop.test.") } == [.answer: 10, .slip: 20])
    }

    @Test func theExemptAndTheKnownAreNotLimited() throws {
        let limited = try Limited {
            $0.exempt = [IPPrefix("198.51.100.0/25")].compactMap(\.self)
            $0.slip = 1
        }
        #expect(try limited.count(50) { try limited.ask("a.shop.test.") } == [.answer: 50])
        var conduct = Conduct()
        conduct.cookieKeys = [SipKey(low: 1, high: 2)]
        limited.server.worker.use(conduct)
        let client = "203.0.113.9"
        let edns = QueryText.EDNS(options: [(code: 10, data: [1, 2, 3, 4, 5, 6, 7, 8])])
        #expect(
            try limited.count(30) { try limited.ask("a.shop.test.", from: client, edns: edns) }
                == [.answer: 10, .slip: 20], "a cookie that is not ours earns BADCOOKIE")
        let reply = try limited.server.ask("a.shop.test.", .a, from: client, edns: edns)
        let cookie = Array(try #require(reply.option).data.wire[4...])
        let known = QueryText.EDNS(options: [(code: 10, data: cookie)])
        #expect(
            try limited.count(50) { try limited.ask("a.shop.test.", from: client, edns: known) } == [.answer: 50])
    }

    @Test func v6IsLimitedByItsPrefix() throws {
        let limited = try Limited()
        let counts = try limited.count(50) {
            try limited.ask("a.shop.test.", from: "2001:db8::\(Int.random(in: 1...9999))")
        }
        #expect(counts[.answer] == 10)
        #expect(try limited.ask("a.shop.test.", from: "2001:db8:0:100::1") == .answer)
    }

    @Test func aFloodOfSourcesLeavesTheTableAsItIs() throws {
        let limited = try Limited { $0.tableSize = 4 }
        var random = SeededGenerator(seed: 5)
        for _ in 0..<20_000 {
            let client = IPAddress(v4: UInt32.random(in: 0...UInt32.max, using: &random)).description
            limited.now += 1_000_000
            #expect(try limited.ask("a.shop.test.", from: client) == .answer)
        }
    }
}
