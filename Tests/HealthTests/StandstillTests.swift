import Health
import Model
import Testing

@Suite("What is known after a standstill")
struct StandstillTests {
    /// The world's node did not run for `seconds`; it has looked at nothing and heard nobody since.
    private static func stoodStill(_ world: World, seconds: Int) -> World {
        var next = world
        next.now = next.now + .seconds(seconds)
        next.engine.doubt(after: .seconds(seconds))
        for (name, heard) in next.reports {
            next.reports[name] = HeardReport(report: heard.report, heardAt: next.now, isRestored: name != "dns-1")
        }
        // Its own report says nothing of what it saw before.
        next.say("dns-1", state: .starting, watching: [])
        return next
    }

    @Test("Verdicts stand, stale, whatever time has passed; nobody is silent for it, and nothing freezes")
    func stands() {
        var world = World()
        world.say("l7-eu", up: 0)
        #expect(world.down() == ["eu"])
        var next = Self.stoodStill(world, seconds: 3600)
        let first = next.judge()
        #expect(first.transitions.isEmpty && !first.frozen)
        #expect(first.verdicts.allSatisfy { $0.stale })
        let reasons = next.verdict("shop", "us", in: first)?.reasons ?? []
        #expect(reasons.contains { $0.text.contains("stood still for 3600 s") }, "\(reasons)")
        next.now = next.now + .seconds(2)
        #expect(next.down() == ["eu"])

        next.say("l7-us")
        next.say("l4-us")
        let confirmed = next.judge()
        #expect(next.verdict("shop", "us", in: confirmed)?.stale == false)
        #expect(next.verdict("shop", "eu", in: confirmed)?.stale == true)
    }

    @Test("What changed meanwhile is found as it always is: by evidence that lasts, and stale until then")
    func refuted() {
        var world = World(damping: Damping(rise: .seconds(1), fall: .seconds(2)))
        _ = world.judge()
        // Evidence against eu had begun just before.
        world.say("l7-eu", up: 0)
        #expect(world.down().isEmpty)
        var next = Self.stoodStill(world, seconds: 60)
        #expect(next.down().isEmpty)
        next.say("l7-eu", up: 0)
        next.say("l4-eu")
        let doubtful = next.verdict("shop", "eu", in: next.judge())
        #expect(doubtful?.healthy == true, "the minute in which nobody looked counts as nothing")
        #expect(doubtful?.stale == true)
        next.now = next.now + .seconds(2)
        next.say("l7-eu", up: 0)
        let down = next.verdict("shop", "eu", in: next.judge())
        #expect(down?.healthy == false && down?.stale == false)
    }

    @Test("Peers that do not come back are silent after staleAfter from then on")
    func silence() {
        var world = World()
        _ = world.judge()
        var next = Self.stoodStill(world, seconds: 600)
        for name in next.reports.keys where !name.hasSuffix("-eu") { next.say(name) }
        #expect(next.down().isEmpty)
        next.now = next.now + .seconds(6)
        next.repeatAll(except: ["l7-eu", "l4-eu"])
        for name in next.reports.keys where !name.hasSuffix("-eu") {
            next.say(name, watching: [])
        }
        #expect(next.down() == ["eu"])
    }

    @Test("One failed look after a standstill confirms nothing and takes nothing down")
    func threshold() {
        var threshold = Threshold(rise: 2, fall: 2)
        _ = threshold.record(passed: true)
        #expect(threshold.record(passed: false) == nil)
        threshold.doubt()
        #expect(threshold.isDoubtful)
        #expect(threshold.record(passed: false) == nil, "the failure before does not count")
        #expect(threshold.isDoubtful && threshold.up == true)
        #expect(threshold.record(passed: false) == .fell)
        #expect(!threshold.isDoubtful)
        threshold.doubt()
        #expect(threshold.record(passed: false) == nil)
        #expect(!threshold.isDoubtful, "it is down as before")
    }
}
