import Health
import Model
import TestKit
import Testing

@Suite("Hold-down")
struct HoldDownTests {
    private static let start = Timestamp(milliseconds: 1_700_000_000_000)
    private static let policy = HoldDownPolicy(
        failures: 3, window: .seconds(60), base: .seconds(10), maximum: .seconds(70))

    @Test("The third failure within the window holds, each further one twice as long, up to the limit")
    func doubles() {
        var hold = HoldDown()
        var now = Self.start
        var lengths: [Int64] = []
        for _ in 0..<8 {
            hold.failed(Self.policy, now: now)
            let until = hold.until ?? now
            lengths.append((until - now).milliseconds / 1000)
            #expect(hold.holds(at: now) == (until > now))
            now = max(until, now + .seconds(1))
            #expect(!hold.holds(at: now))
            hold.returned(now: now)
            now = now + .seconds(1)
        }
        #expect(lengths == [0, 0, 10, 20, 40, 70, 70, 70])
    }

    @Test("Failures that are further apart than the window hold nothing")
    func rare() {
        var hold = HoldDown()
        for index in 0..<100 {
            let now = Self.start + .seconds(31 * index)
            hold.failed(Self.policy, now: now)
            #expect(!hold.holds(at: now))
            hold.returned(now: now + .seconds(1))
        }
    }

    @Test("A policy that is off holds nothing and forgets")
    func off() {
        var hold = HoldDown()
        for second in 0..<10 { hold.failed(Self.policy, now: Self.start + .seconds(second)) }
        #expect(hold.until != nil)
        hold.failed(.off, now: Self.start + .seconds(11))
        #expect(hold.until == nil)
        #expect(hold.count == 0)
    }

    @Test("Random histories: never held for longer than the limit, and one calm window forgets all", arguments: 0..<50)
    func histories(seed: Int) async {
        var random = SeededGenerator(seed: UInt64(seed))
        var hold = HoldDown()
        var now = Self.start
        for _ in 0..<200 {
            await Task.yield()
            now = now + .milliseconds(Int.random(in: 1...20_000, using: &random))
            hold.failed(Self.policy, now: now)
            if let until = hold.until { #expect(until - now <= Self.policy.maximum) }
            #expect(hold.count <= 64)
            // It may be down for longer than it is held.
            let end = max(hold.until ?? now, now) + .milliseconds(Int.random(in: 0...5000, using: &random))
            #expect(!hold.holds(at: end))
            hold.returned(now: end)
            now = end
        }
        now = now + Self.policy.window + .milliseconds(1)
        hold.failed(Self.policy, now: now)
        #expect(hold.count == 1)
        #expect(hold.until == nil)
    }

    @Test("A flapping region is kept out longer and longer, a goodbye is no failure")
    func region() {
        let damping = Damping(rise: .zero, fall: .zero, holdDown: Self.policy)
        var world = World(damping: damping)
        _ = world.judge()
        var outages: [Int64] = []
        for _ in 0..<6 {
            world.repeatAll()
            world.say("l7-eu", up: 0)
            #expect(world.down() == ["eu"])
            let from = world.now
            world.now = world.now + .seconds(1)
            world.say("l7-eu", up: 2)
            while true {
                world.repeatAll()
                let evaluation = world.judge()
                guard let verdict = world.verdict("shop", "eu", in: evaluation), !verdict.healthy else { break }
                #expect(verdict.heldUntil != nil)
                #expect(verdict.reasons.contains { $0.text.contains("held down until") })
                world.now = world.now + .seconds(1)
            }
            outages.append((world.now - from).milliseconds / 1000)
            world.now = world.now + .seconds(1)
        }
        #expect(outages == [1, 1, 10, 20, 40, 70])

        var calm = World(damping: damping)
        _ = calm.judge()
        for _ in 0..<10 {
            calm.say("l7-eu", state: .leaving)
            #expect(calm.down() == ["eu"])
            calm.now = calm.now + .seconds(1)
            calm.repeatAll()
            calm.say("l7-eu")
            #expect(calm.down().isEmpty)
        }
    }
}
