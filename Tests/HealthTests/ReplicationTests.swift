import Health
import Model
import Testing

@Suite("Replication facts") struct ReplicationFactsTests {
    private func row(_ texts: String?...) -> ReplicationFacts.Row { texts.map { $0.map { Array($0.utf8) } } }

    @Test("A primary and a replica as PostgreSQL 15 answers") func honest() throws {
        let primary = try #require(
            ReplicationFacts(answers: [
                [row("f", "16/B374D848", "0000000200000016000000B3", nil, nil, "1795507796.8", nil)],
                [row("1", "7711647256397477686")], [],
            ]))
        // The name of the file beats the checkpoint, which comes late after a promotion.
        #expect(!primary.isReplica && primary.timeline == 2 && primary.system == 7_711_647_256_397_477_686)
        #expect(primary.written == 0x16_B374_D848)
        let replica = try #require(
            ReplicationFacts(answers: [
                [row("t", nil, nil, "0/3000000", "0/2000000", "100.5", "98")], [row("1", "1")], [row("4711", nil)],
            ]))
        #expect(replica.isReplica && replica.received == 0x300_0000 && replica.replayed == 0x200_0000)
        #expect(replica.sinceReplay == .milliseconds(2500) && replica.receiver == .connected(end: nil))
        let alone = ReplicationFacts(answers: [[row("t", nil, nil, nil, "0/1", "1", "1")], nil, []])
        #expect(alone?.receiver == .gone && alone?.timeline == nil)
    }

    @Test(
        "Numbers that are none, beyond every bound, or missing end nothing",
        arguments: [
            "nan", "-nan", "inf", "-inf", "1e17", "-1e17", "1e400", "9223372036854775808", "", " ", "0x1p3", "infinity",
            "t", "\u{0}", String(repeating: "9", count: 400), "ffffffff/ffffffff", "1/2/3", "/", "100000000/0", "-1/0",
        ])
    func absurd(text: String) {
        for column in 1...6 {
            var texts: [String?] = ["t", nil, nil, nil, nil, "5", "5"]
            texts[column] = text
            let facts = ReplicationFacts(answers: [
                [texts.map { $0.map { Array($0.utf8) } }], [row(text, text)], [row(text, text)],
            ])
            #expect(facts?.isReplica == true)
            var lag = ReplicaLag()
            if let facts { _ = lag.record(facts, primary: nil, now: Timestamp(nanoseconds: 0)) }
        }
    }

    @Test("No number is no lag, not a lag of nothing") func noNumber() {
        for (now, last) in [("nan", "5"), ("5", "nan"), ("inf", "inf"), ("-inf", "5")] {
            let facts = ReplicationFacts(answers: [[row("t", nil, nil, nil, "0/1", now, last)]])
            #expect(facts?.isReplica == true && facts?.sinceReplay == nil)
        }
    }

    @Test(
        "Without the role there are no facts",
        arguments: [
            [], [nil], [[]], [[[]]], [[[nil]]], [[[Array("true".utf8)]]], [[[[]]]],
        ] as [[[ReplicationFacts.Row]?]])
    func shapeless(answers: [[ReplicationFacts.Row]?]) { #expect(ReplicationFacts(answers: answers) == nil) }
}

@Suite("Replication lag") struct ReplicaLagTests {
    private func at(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: 1_000_000 + seconds * 1000) }

    private func replica(_ received: UInt64, _ replayed: UInt64, _ receiver: ReplicationFacts.Receiver)
        -> ReplicationFacts
    {
        ReplicationFacts(
            isReplica: true, received: received, replayed: replayed, sinceReplay: .seconds(500), receiver: receiver)
    }

    @Test("An idle primary makes no lag, however old its last transaction") func idle() {
        var (lag, primary) = (ReplicaLag(), PositionHistory())
        for second in 0..<60 {
            primary.record(1000, at: at(Int64(second)))
            let seen = lag.record(replica(1000, 1000, .connected(end: 1000)), primary: primary, now: at(Int64(second)))
            #expect(seen == Lag(time: .zero, octets: 0))
        }
    }

    @Test("A replica whose receiver is gone lags from the moment at which the primary went on") func receiverGone() {
        var (lag, primary) = (ReplicaLag(), PositionHistory())
        var seen: Lag?
        for second in 0..<30 {
            primary.record(second < 10 ? 1000 : UInt64(1000 + second), at: at(Int64(second)))
            seen = lag.record(
                replica(1000, 1000, second < 5 ? .connected(end: 1000) : .gone), primary: primary,
                now: at(Int64(second)))
            if second < 10 { #expect(seen == Lag(time: .zero, octets: 0)) }
        }
        #expect(seen == Lag(time: .seconds(19), octets: 29))
    }

    @Test("Without a primary in sight, a lost receiver is lag from when it was last seen") func nobodyInSight() {
        var lag = ReplicaLag()
        #expect(lag.record(replica(9, 9, .connected(end: 9)), primary: nil, now: at(0)) == Lag(time: .zero, octets: 0))
        #expect(lag.record(replica(9, 9, .gone), primary: nil, now: at(7)) == Lag(time: .seconds(7), octets: nil))
        // Back again.
        #expect(lag.record(replica(9, 9, .connected(end: nil)), primary: nil, now: at(8))?.time == .zero)
        var other = ReplicaLag()
        // Never seen connected: its last transaction is all that is known.
        #expect(other.record(replica(9, 9, .gone), primary: nil, now: at(0))?.time == .seconds(500))
    }

    @Test("A busy replica that keeps up is level; one that is ten seconds late says ten seconds") func busy() throws {
        var (level, late, primary) = (ReplicaLag(), ReplicaLag(), PositionHistory())
        var (first, second): (Lag?, Lag?)
        for step in 0..<1000 {
            let now = at(Int64(step))
            let end = UInt64(step * 1000)
            primary.record(end, at: now)
            first = level.record(replica(end + 10, end + 5, .connected(end: end + 10)), primary: primary, now: now)
            let behind = UInt64(max(0, step - 10) * 1000)
            second = late.record(replica(end, behind, .connected(end: end)), primary: primary, now: now)
        }
        #expect(first?.time == .zero)
        let seconds = try #require(second?.time)
        #expect((.seconds(9) ... .seconds(12)).contains(seconds))
        #expect(second?.octets == 10_000)
    }

    @Test("A paused replay lags although all is received") func paused() {
        var lag = ReplicaLag()
        _ = lag.record(replica(10, 10, .connected(end: 10)), primary: nil, now: at(0))
        _ = lag.record(replica(20, 10, .connected(end: 20)), primary: nil, now: at(1))
        #expect(
            lag.record(replica(30, 10, .connected(end: 30)), primary: nil, now: at(5))
                == Lag(time: .seconds(4), octets: 20))
    }

    @Test("The history stays small and keeps its oldest samples") func thinning() {
        var history = PositionHistory()
        for step in 0..<100_000 { history.record(UInt64(step), at: at(Int64(step))) }
        #expect(history.sinceBeyond(0, now: at(100_000)) > .seconds(90_000))
        #expect(history.sinceBeyond(99_990, now: at(100_000)) <= .seconds(10))
    }
}

@Suite("Databases of a pool") struct ReplicationGroupTests {
    private let now = Timestamp(milliseconds: 5000)

    private func primary(_ timeline: UInt32?, system: UInt64? = 7) -> ReplicationFacts {
        ReplicationFacts(isReplica: false, written: 100, timeline: timeline, system: system)
    }

    private func group(_ count: Int = 2, maximumLag: Duration? = nil) -> ReplicationGroup {
        var group = ReplicationGroup()
        group.keep(Array(0..<count), maximumLag: maximumLag)
        return group
    }

    @Test("Of two primaries the highest timeline is written to, whoever was first") func timelines() {
        var group = group()
        #expect(group.record(0, isUp: true, role: .primary, facts: primary(1), now: now) == [0])
        #expect(group.standing(0) == .writer)
        #expect(group.record(1, isUp: true, role: .primary, facts: primary(2), now: now) == [0, 1])
        #expect(group.standing(0) == .fenced(.olderTimeline(1, than: 2)) && group.standing(1) == .writer)
        #expect(group.primaries == 2)
    }

    @Test("A leftover is not written to even when the later primary is down") func leftover() {
        var group = group()
        _ = group.record(1, isUp: true, role: .primary, facts: primary(2), now: now)
        _ = group.record(1, isUp: false, role: nil, facts: nil, now: now)
        _ = group.record(0, isUp: true, role: .primary, facts: primary(1), now: now)
        #expect(group.standing(0) == .fenced(.pastTimeline(1, than: 2)) && group.writer == nil)
        // The other one was made anew from it, and nobody remembers more.
        _ = group.record(
            1, isUp: true, role: .replica,
            facts: ReplicationFacts(isReplica: true, replayed: 1, timeline: 1, system: 7),
            now: now)
        #expect(group.standing(0) == .writer)
    }

    @Test("A leftover is not written to when the later primary was never seen, or has left the topology") func gone() {
        var alone = group(1)
        alone.remembered = [7: 2]
        _ = alone.record(0, isUp: true, role: .primary, facts: primary(1), now: now)
        #expect(alone.standing(0) == .fenced(.pastTimeline(1, than: 2)) && alone.writer == nil)
        // An operator's word.
        alone.remembered = [7: 1]
        let moved = alone.decideAnew()
        #expect(moved == [0] && alone.standing(0) == .writer)

        var left = group(2)
        _ = left.record(1, isUp: true, role: .primary, facts: primary(2), now: now)
        left.remembered = [7: 2]
        left.keep([0], maximumLag: nil)
        _ = left.record(0, isUp: true, role: .primary, facts: primary(1), now: now)
        #expect(left.writer == nil)
    }

    @Test("What is remembered of another cluster says nothing; a server of no known cluster goes by its pool")
    func remembered() {
        var group = group(2)
        group.remembered = [1: 9]
        _ = group.record(0, isUp: true, role: .primary, facts: primary(1, system: 2), now: now)
        #expect(group.standing(0) == .writer, "made anew with initdb")
        group.remembered = [0: 3]
        _ = group.record(0, isUp: false, role: nil, facts: nil, now: now)
        _ = group.record(1, isUp: true, role: .primary, facts: primary(2, system: nil), now: now)
        #expect(group.standing(1) == .fenced(.pastTimeline(2, than: 3)))
        _ = group.record(1, isUp: true, role: .primary, facts: primary(3, system: nil), now: now)
        #expect(group.standing(1) == .writer)
    }

    @Test("What an operator accepted is not undone by what a server that is down told before") func forgotten() {
        var group = group(2)
        _ = group.record(1, isUp: true, role: .primary, facts: primary(2), now: now)
        _ = group.record(1, isUp: false, role: nil, facts: nil, now: now)
        _ = group.record(0, isUp: true, role: .primary, facts: primary(1), now: now)
        group.forget(above: 1, of: 8)
        _ = group.decideAnew()
        #expect(group.writer == nil, "another cluster")
        group.forget(above: 1, of: 7)
        let moved = group.decideAnew()
        #expect(moved == [0] && group.standing(0) == .writer)
        // It is back, and was not made anew.
        _ = group.record(1, isUp: true, role: .primary, facts: primary(2), now: now)
        #expect(group.writer == 1 && group.standing(0) == .fenced(.olderTimeline(1, than: 2)))
    }

    @Test("A replica's timeline speaks against a leftover as well") func replicaKnows() {
        var group = group()
        _ = group.record(
            1, isUp: true, role: .replica,
            facts: ReplicationFacts(isReplica: true, replayed: 1, timeline: 2, system: 7),
            now: now)
        _ = group.record(0, isUp: true, role: .primary, facts: primary(1), now: now)
        #expect(group.writer == nil)
    }

    @Test("Another cluster's timeline says nothing") func systems() {
        var group = group()
        _ = group.record(1, isUp: true, role: .primary, facts: primary(9, system: 1), now: now)
        _ = group.record(1, isUp: false, role: nil, facts: nil, now: now)
        _ = group.record(0, isUp: true, role: .primary, facts: primary(1, system: 2), now: now)
        #expect(group.standing(0) == .writer)
    }

    @Test("With equal or unknown timelines the one known first stays, never two", arguments: [UInt32?.none, 3])
    func equals(timeline: UInt32?) {
        var group = group(3)
        _ = group.record(2, isUp: true, role: .primary, facts: primary(timeline), now: now)
        for id in [0, 1] { _ = group.record(id, isUp: true, role: .primary, facts: primary(timeline), now: now) }
        #expect(group.writer == 2)
        #expect(group.standing(0) == .fenced(.second(timeline: timeline)))
        _ = group.record(2, isUp: false, role: nil, facts: nil, now: now)
        #expect(group.writer == 0 && group.standing(1) == .fenced(.second(timeline: timeline)))
    }

    @Test("Whatever is reported, never two are written to and never one with an older timeline than the other")
    func random() {
        var generator = SystemRandomNumberGenerator()
        var group = group(4)
        for step in 0..<20_000 {
            let id = Int.random(in: 0..<4, using: &generator)
            let (isUp, isPrimary) = (Int.random(in: 0..<4, using: &generator) > 0, Bool.random(using: &generator))
            let facts = ReplicationFacts(
                isReplica: !isPrimary, written: 5, received: 5, replayed: 5,
                timeline: Bool.random(using: &generator) ? .random(in: 1...3, using: &generator) : nil, system: 1)
            _ = group.record(
                id, isUp: isUp, role: isUp ? (isPrimary ? .primary : .replica) : nil, facts: isUp ? facts : nil,
                now: Timestamp(milliseconds: Int64(step)))
            let writers = (0..<4).filter { group.standing($0) == .writer }
            #expect(writers.count <= 1 && writers.first == group.writer)
            if let writer = writers.first, let own = group.timeline(writer) {
                #expect((0..<4).allSatisfy { (group.timeline($0) ?? 0) <= own })
            }
        }
    }

    @Test("A replica beyond the lag, or of no known lag, is late and not gone") func late() {
        var group = group(2, maximumLag: .seconds(5))
        _ = group.record(0, isUp: true, role: .replica, facts: ReplicationFacts(isReplica: true), now: now)
        #expect(group.standing(0) == .replica(nil, isLate: true))
        _ = group.record(
            1, isUp: true, role: .replica,
            facts: ReplicationFacts(isReplica: true, replayed: 1, sinceReplay: .seconds(6), receiver: .gone), now: now)
        #expect(group.standing(1) == .replica(Lag(time: .seconds(6), octets: nil), isLate: true))
    }
}
