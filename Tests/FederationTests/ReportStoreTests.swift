import Federation
import Model
import TestKit
import Testing

@Suite("Merging reports")
struct ReportStoreTests {
    private func store() -> ReportStore { ReportStore(own: "me", start: 1000) }

    @Test("Newer wins, older and equal change nothing")
    func order() {
        var store = store()
        let second = Fixture.report("a", sequence: 2)
        #expect(store.take(second) == .accepted(second, previous: nil))
        #expect(store.take(second) == .duplicate)
        #expect(store.take(Fixture.report("a", sequence: 1)) == .superseded)
        let third = Fixture.report("a", sequence: 3)
        #expect(store.take(third) == .accepted(third, previous: second))
        #expect(store.entries["a"]?.report == third)
    }

    @Test("A restarted node wins over its past, whatever the past's numbers and its last words")
    func restart() {
        var store = store()
        let born = UInt64(Fixture.start.milliseconds) - 5000
        _ = store.take(Fixture.report("b", incarnation: born, sequence: 9000, state: .leaving))
        let reborn = Fixture.report("b", incarnation: born + 1, sequence: 1)
        #expect(store.take(reborn) != .superseded)
        #expect(store.take(Fixture.report("b", incarnation: born, sequence: 9001, state: .leaving)) == .superseded)
        #expect(store.entries["b"]?.report == reborn)
    }

    @Test("Hearing the same again makes nobody fresh")
    func freshness() {
        var store = store()
        let report = Fixture.report("a")
        _ = store.take(report)
        let later = Fixture.start + .seconds(20)
        #expect(store.take(report, wall: later, heardAt: later) == .duplicate)
        let entry = store.entries["a"]
        #expect(entry?.heardAt == Fixture.start)
        #expect(Voice(entry, staleAfter: .seconds(5), now: Fixture.start + .seconds(5)) == .fresh)
        #expect(Voice(entry, staleAfter: .seconds(5), now: later) == .silent)
        #expect(Voice(nil, staleAfter: .seconds(5), now: later) == .unheard)
        _ = store.take(Fixture.report("a", sequence: 2, state: .leaving))
        #expect(Voice(store.entries["a"], staleAfter: .seconds(5), now: later) == .left)
    }

    @Test("Who passes on a newer report late, or lies about its age, makes nobody silent who was heard")
    func lateRelays() {
        var store = store()
        _ = store.take(Fixture.report("a"))
        let hourAgo = Fixture.start - .seconds(3600)
        #expect(store.take(Fixture.report("a", sequence: 2), heardAt: hourAgo) != .superseded)
        #expect(store.entries["a"]?.report.sequence == 2)
        #expect(store.entries["a"]?.heardAt == Fixture.start)
        #expect(Voice(store.entries["a"], staleAfter: .seconds(5), now: Fixture.start + .seconds(1)) == .fresh)
    }

    @Test("After a standstill what was heard is awaited, passed on to nobody, and as old as it is when it comes again")
    func doubt() {
        var store = store()
        _ = store.take(Fixture.report("a"))
        _ = store.take(Fixture.report("b", state: .leaving))
        let own = Fixture.report("me")
        store.publish(Fixture.signed(own), own, now: Fixture.start)
        let end = Fixture.start + .seconds(20)
        store.doubt(before: end)
        #expect(store.changes(since: 0).map(\.report.node) == ["me"])
        #expect(Voice(store.entries["a"], staleAfter: .seconds(5), now: end + .seconds(1)) == .unheard)
        #expect(Voice(store.entries["a"], staleAfter: .seconds(5), now: end + .seconds(6)) == .silent)
        #expect(store.entries["b"]?.report.state == .leaving, "a goodbye does not grow old")
        _ = store.take(Fixture.report("a"), wall: end, heardAt: Fixture.start)
        #expect(Voice(store.entries["a"], staleAfter: .seconds(5), now: end) == .silent)
        _ = store.take(Fixture.report("a", sequence: 2), wall: end, heardAt: end)
        #expect(Voice(store.entries["a"], staleAfter: .seconds(5), now: end) == .fresh)
        store.doubt(before: end)
        #expect(store.entries["a"]?.isRestored == false, "it was heard since")
    }

    @Test("Replays and wrong clocks are refused")
    func time() {
        var store = store()
        let report = Fixture.report("a")
        #expect(store.take(report, wall: Fixture.start + .seconds(31)) == .refused(.outOfTime))
        #expect(store.take(report, wall: Fixture.start - .seconds(31)) == .refused(.outOfTime))
        let fromTheFuture = Fixture.report("a", incarnation: UInt64(Fixture.start.milliseconds) + 31_000)
        #expect(store.take(fromTheFuture) == .refused(.outOfTime))
        #expect(store.entries.isEmpty)
        #expect(store.take(report, wall: Fixture.start + .seconds(30)) == .accepted(report, previous: nil))
    }

    @Test("Strangers, wrong tiers and our own name are refused, so that nobody grows our memory")
    func strangers() {
        var store = store()
        #expect(store.take(Fixture.report("stranger")) == .refused(.unknownNode))
        var wrong = Fixture.report("a")
        wrong.tier = .l4
        #expect(store.take(wrong) == .refused(.wrongTier))
        #expect(store.take(Fixture.report("me")) == .refused(.impostor))
        let own = Fixture.report("me", sequence: 5)
        store.publish(Fixture.signed(own), own, now: Fixture.start)
        #expect(store.take(own) == .duplicate, "what relays bring back to us is no news")
        #expect(store.take(Fixture.report("me", sequence: 4)) == .duplicate)
        #expect(store.take(Fixture.report("me", sequence: 6)) == .refused(.impostor))
        #expect(store.entries.count == 1)
    }

    @Test("Limits hold")
    func limits() {
        var limits = ReportLimits()
        limits.size = 4
        var store = store()
        let admission = store.admit(
            Fixture.signed(Fixture.report("a")), Fixture.report("a"), tiers: Fixture.tiers, limits: limits,
            clockSkew: .seconds(30), heardAt: Fixture.start, wall: Fixture.start)
        #expect(admission == .refused(.tooLarge))
        let bad: [(String, (inout Report) -> Void)] = [
            ("up over total", { $0.pools[0].up = 3 }), ("negative", { $0.pools[0].total = -1 }),
            ("more primaries than up", { $0.pools[0].primaries = 2 }),
            ("infinite", { $0.rate = .infinity }), ("not a number", { $0.pools[0].errorRate = .nan }),
            ("more than there can be", { $0.pools[0].ratePerSecond = 1e300 }),
            ("crowded", { $0.pools[0].inFlight = .max }),
            ("unborn", { $0.incarnation = 0 }),
            ("long text", { $0.pools[0].pool = String(repeating: "x", count: 513) }),
            ("troubles", { $0.pools[0].troubles = Array(repeating: "t", count: 9) }),
            ("pools", { $0.pools = Array(repeating: $0.pools[0], count: 1025) }),
            (
                "observations",
                { $0.observations = Array(repeating: Observation(service: "s", region: "r", up: true), count: 4097) }
            ),
            (
                "addresses",
                {
                    let trouble = AddressTrouble(address: SocketAddress(IPAddress(v4: 1), port: 1), reason: "")
                    let seen = Observation(
                        service: "s", region: "r", up: true, down: Array(repeating: trouble, count: 257))
                    $0.observations = [seen, seen]
                }
            ),
        ]
        for (name, spoil) in bad {
            var report = Fixture.report("a")
            #expect(report.isAcceptable(ReportLimits()))
            spoil(&report)
            #expect(!report.isAcceptable(ReportLimits()), "\(name)")
        }
        var spoilt = Fixture.report("a")
        spoilt.pools[0].up = 9
        #expect(store.take(spoilt) == .refused(.malformed))
        #expect(store.entries.isEmpty)
    }

    @Test("A cursor gives what changed after it; one from another life gives everything")
    func cursors() {
        var store = store()
        #expect(store.cursor == 1000)
        _ = store.take(Fixture.report("a"))
        _ = store.take(Fixture.report("b"))
        #expect(store.changes(since: 0).map(\.report.node) == ["a", "b"])
        #expect(store.changes(since: 1001).map(\.report.node) == ["b"])
        #expect(store.changes(since: 1002).isEmpty)
        _ = store.take(Fixture.report("a", sequence: 2))
        #expect(store.changes(since: 1001).map(\.report.node) == ["b", "a"])
        #expect(store.changes(since: 99_999).count == 2)
        store.keep(["b"])
        #expect(store.entries.keys.sorted() == ["b"])
    }

    /// All that may be said of three nodes: some incarnations, some sequences, and now and then two contents by a broken
    /// node under one number.
    private func history(_ random: inout SeededGenerator) -> [Report] {
        let born = UInt64(Fixture.start.milliseconds)
        return (0..<Int.random(in: 1...40, using: &random)).map { _ in
            Fixture.report(
                ["a", "b", "c"].randomElement(using: &random) ?? "a",
                incarnation: born - UInt64.random(in: 0...3, using: &random),
                sequence: UInt64.random(in: 1...6, using: &random),
                up: Int.random(in: 0...10, using: &random) == 0 ? 2 : 1)
        }
    }

    private func outcome(_ reports: [Report]) -> [String: Report] {
        var store = store()
        for report in reports { _ = store.take(report) }
        return store.entries.mapValues(\.report)
    }

    @Test("Any order, any repetition and any grouping ends alike, over thousands of histories", arguments: 0..<20)
    func algebra(seed: Int) async {
        var random = SeededGenerator(seed: UInt64(seed) &* 7919)
        for round in 0..<100 {
            // Tests that watch the clock run beside this one.
            await Task.yield()
            let history = history(&random)
            let expected = outcome(history)
            #expect(outcome(history.shuffled(using: &random)) == expected, "order, seed \(seed) round \(round)")
            let repeated = (history + history.filter { _ in Bool.random(using: &random) }).shuffled(using: &random)
            #expect(outcome(repeated) == expected, "repetition, seed \(seed) round \(round)")
            // Two stores hear a part each and tell each other what they ended up with.
            let cut = Int.random(in: 0...history.count, using: &random)
            let (left, right) = (outcome(Array(history[..<cut])), outcome(Array(history[cut...])))
            #expect(outcome(Array(left.values) + Array(right.values)) == expected, "grouping, seed \(seed)")
            for (node, report) in expected {
                let newest = history.filter { $0.node == node }.map { ($0.incarnation, $0.sequence) }.max(by: <)
                #expect(newest ?? (0, 0) == (report.incarnation, report.sequence))
            }
        }
    }
}
