import Engine
import TestKit
import Testing

@Suite("Timer wheel")
struct TimerWheelTests {
    private static let tick: UInt64 = 1 << 24

    @Test("Random deadlines come out once, never early and at most a tick late", arguments: 1...20)
    func randomDeadlines(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let worker = try Worker(index: 0, counters: CounterBlock(count: 0))
        var now: UInt64 = 1_000_000_000
        var wheel = TimerWheel(now: now)
        defer { wheel.tearDown() }
        let channels = (0..<200).map { _ in Ticker(worker: worker) {} }
        var fired = 0
        var expected = 0
        for _ in 0..<2_000 {
            let channel = channels[Int.random(in: 0..<channels.count, using: &random)]
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<6:
                if channel.deadline == 0 { expected += 1 }
                // Up to 200 s: three times around the wheel.
                channel.deadline = now + UInt64.random(in: 0...200_000_000_000, using: &random)
                wheel.arm(channel)
            case 6:
                if channel.deadline != 0 { expected -= 1 }
                channel.deadline = 0
                wheel.disarm(channel)
            default:
                let before = now
                now += UInt64.random(in: 0...3_000_000_000, using: &random)
                while let due = wheel.next(now: now) {
                    if due.deadline == 0 { continue }
                    if due.deadline > now {
                        wheel.arm(due)
                        continue
                    }
                    fired += 1
                    // It was not due a tick before the last time that we looked.
                    #expect(due.deadline + 2 * Self.tick > before)
                    due.deadline = 0
                }
                for channel in channels where channel.deadline != 0 { #expect(channel.deadline + 2 * Self.tick > now) }
            }
        }
        let left = channels.count { $0.deadline != 0 }
        #expect(fired + left == expected)
        #expect(fired > 100)
    }

    @Test("The loop sleeps no longer than to the next deadline")
    func timeout() throws {
        let worker = try Worker(index: 0, counters: CounterBlock(count: 0))
        var wheel = TimerWheel(now: 0)
        defer { wheel.tearDown() }
        #expect(wheel.timeout(now: 0) == -1)
        let channel = Ticker(worker: worker) {}
        channel.deadline = 100_000_000
        wheel.arm(channel)
        #expect((100...135).contains(wheel.timeout(now: 0)))
        channel.deadline = 10_000_000
        wheel.arm(channel)
        #expect((10...35).contains(wheel.timeout(now: 0)))
    }
}
