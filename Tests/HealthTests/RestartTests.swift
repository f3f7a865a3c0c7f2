import Health
import Model
import TestKit
import Testing

@Suite("What is known after a restart")
struct RestartTests {
    /// The world's node restarts: it has what it saved, and reports of peers only as far as it saved them.
    private static func restarted(_ world: World, heard: Bool) -> World {
        var next = world
        next.engine = VerdictEngine(remembering: world.engine.remembered)
        next.reports = [:]
        for (name, report) in world.reports where heard && name != "dns-1" {
            next.reports[name] = HeardReport(report: report.report, heardAt: world.now, isRestored: true)
        }
        return next
    }

    @Test("The last verdict stands, stale, until evidence confirms or refutes it", arguments: [false, true])
    func stands(heard: Bool) {
        var world = World(ramp: .seconds(10))
        _ = world.judge()
        world.say("l7-eu", up: 0)
        #expect(world.down() == ["eu"])
        var next = Self.restarted(world, heard: heard)
        let first = next.judge()
        #expect(first.transitions.isEmpty)
        #expect(first.verdicts.allSatisfy { $0.stale })
        #expect(next.verdict("shop", "eu", in: first)?.healthy == false)
        #expect(
            next.verdict("shop", "eu", in: first)?.reasons.contains { $0.text.contains("before the restart") } == true)
        // An address that answers is not enough while the region's own nodes have not spoken again.
        next.say("dns-1")
        if heard { #expect(next.down() == ["eu"]) }
        next.say("l7-us")
        next.say("l4-us")
        let confirmed = next.judge()
        #expect(next.verdict("shop", "us", in: confirmed)?.stale == false)
        next.say("l4-eu")
        next.say("l7-eu", up: 0)
        #expect(next.verdict("shop", "eu", in: next.judge())?.stale == false)
        #expect(next.down() == ["eu"])
        next.say("l7-eu", up: 2)
        let back = next.verdict("shop", "eu", in: next.judge())
        #expect(back?.healthy == true)
        #expect(back?.share == 0.1, "it returns over the ramp, as if there had been no restart")
    }

    @Test(
        "Peers that stay silent after the restart are silent after staleAfter; all of them at once freeze the verdicts")
    func silence() {
        var world = World()
        _ = world.judge()
        world.say("l4-eu", primaries: 0)
        #expect(world.down() == ["eu"])
        var next = Self.restarted(world, heard: true)
        _ = next.judge()
        next.now = next.now + .seconds(6)
        let evaluation = next.judge()
        #expect(evaluation.frozen)
        #expect(next.verdict("shop", "eu", in: evaluation)?.healthy == false)
        #expect(next.verdict("shop", "us", in: evaluation)?.healthy == true)
    }

    @Test("A hold-down goes on after a restart")
    func holdDown() {
        let policy = HoldDownPolicy(failures: 1, window: .seconds(60), base: .seconds(60), maximum: .seconds(600))
        var world = World(damping: Damping(rise: .zero, fall: .zero, holdDown: policy))
        _ = world.judge()
        world.say("l7-eu", up: 0)
        _ = world.judge()
        var next = Self.restarted(world, heard: false)
        World.regions.forEach { next.say("l7-\($0)") }
        World.regions.forEach { next.say("l4-\($0)") }
        let held = next.verdict("shop", "eu", in: next.judge())
        #expect(held?.healthy == false)
        #expect(held?.heldUntil == world.now + .seconds(60))
        #expect(held?.stale == false)
        next.now = next.now + .seconds(60)
        next.repeatAll()
        #expect(next.down().isEmpty)
    }

    private static let address = SocketAddress(IPAddress(v4: 1), port: 80)

    @Test("A name that this node alone judges is remembered until it is looked at")
    func names() {
        var world = World()
        // The snapshot of these tests has no such name, so its state is dropped as that of a name that a reload removed.
        world.sights = [
            Sight(.name("lone.test."), region: "eu", address: Self.address, up: false, reason: "refused")
        ]
        _ = world.judge()
        #expect(
            world.engine.remembered.contains {
                $0.site == VerdictSite(.address(Self.address, of: .name("lone.test.")), in: "eu") && !$0.healthy
            })
        var next = Self.restarted(world, heard: false)
        next.sights = []
        #expect(next.judge().addresses.isEmpty)
    }

    @Test("A restart at any moment of a random history changes no verdict by itself", arguments: 0..<30)
    func anyMoment(seed: Int) async {
        var random = SeededGenerator(seed: UInt64(seed) &+ 4242)
        var world = World(vantages: 2, ramp: .seconds(3))
        _ = world.judge()
        for _ in 0..<100 {
            await Task.yield()
            world.now = world.now + .milliseconds(Int.random(in: 50...900, using: &random))
            world.repeatAll()
            for region in World.regions where Int.random(in: 0...5, using: &random) == 0 {
                world.say("l7-\(region)", up: Int.random(in: 0...2, using: &random))
                world.say("l4-\(region)", primaries: Int.random(in: 0...1, using: &random))
            }
            let before = world.down()
            var next = Self.restarted(world, heard: true)
            #expect(next.down() == before)
            next.now = next.now + .milliseconds(Int.random(in: 0...4000, using: &random))
            #expect(next.down() == before, "awaited peers say nothing yet")
            #expect(VerdictEngine(remembering: world.engine.remembered).remembered == world.engine.remembered)
        }
    }
}
