import Health
import Model
import TestKit
import Testing

@Suite("Safety rules")
struct SafetyCheckTests {
    private static func rule(_ kind: SafetyRule.Kind, regions: [Int] = [0, 1, 2], services: [Int] = []) -> SafetyRule {
        SafetyRule(
            name: "r", kind: kind, regions: regions.map(RegionID.init), services: services.map(ServiceID.init),
            names: [])
    }

    private static func snapshot(_ world: World, _ rules: [SafetyRule]) -> Snapshot {
        let old = world.snapshot
        return Snapshot(
            fingerprint: old.fingerprint, regions: old.regions, nodes: old.nodes, services: old.services,
            pools: old.pools, endpoints: old.endpoints, dns: old.dns, http: old.http, tcp: old.tcp,
            federation: old.federation, safety: rules)
    }

    /// What the rules say to `change`, on top of what the world has.
    private static func ask(_ world: World, _ rules: [SafetyRule], _ change: Override) -> [SafetyViolation] {
        var after = world.overrides
        _ = after.add(change, now: world.now)
        return SafetyCheck(snapshot(world, rules)).violations(
            before: view(world, world.overrides), after: view(world, after), change: change)
    }

    private static func view(_ world: World, _ overrides: OverrideSet) -> HealthView {
        var world = world
        world.overrides = overrides
        let evaluation = world.judge()
        return HealthView(evaluation, in: world.snapshot, overrides: OverrideRules(overrides.live(at: world.now)))
    }

    private static func drain(_ kind: Override.Target.Kind, _ pattern: String, region: String = "*") -> Override {
        OverrideTests.word("new", Override.Target(kind, pattern, region: region))
    }

    @Test(
        "A change that leaves too few regions on is refused, with what would be left",
        arguments: [
            ("region", "eu", false), ("region", "*", true), ("region", "e*", false), ("region", "??", true),
            ("service", "shop", true), ("service", "db", true), ("name", "www.shop.test", true), ("node", "l7-*", true),
            ("node", "l7-eu", false), ("node", "dns-*", false),
        ])
    func assertion(kind: String, pattern: String, isRefused: Bool) throws {
        var world = World()
        _ = world.judge()
        let kind = try #require(Override.Target.Kind(rawValue: kind))
        let found = Self.ask(world, [Self.rule(.atLeast(2))], Self.drain(kind, pattern))
        #expect(found.map(\.rule) == (isRefused ? ["r"] : []))
        if isRefused {
            #expect(found[0].text == "at least 2 of ap, eu, us must stay on for www.shop.test.; none would be")
        }
    }

    @Test("What evidence has down counts, a region that is down already may be drained, and forcing up is always well")
    func evidence() {
        var world = World()
        _ = world.judge()
        world.say("l7-ap", up: 0)
        let rules = [Self.rule(.atLeast(2))]
        let found = Self.ask(world, rules, Self.drain(.region, "eu"))
        #expect(found.map(\.text) == ["at least 2 of ap, eu, us must stay on for www.shop.test.; us would be"])
        #expect(Self.ask(world, rules, Self.drain(.region, "ap")).isEmpty)
        #expect(Self.ask(world, rules, OverrideTests.word("n", Override.Target(.region, "ap"), .up)).isEmpty)
        let check = SafetyCheck(Self.snapshot(world, rules))
        #expect(check.broken(Self.view(world, world.overrides)).isEmpty)
        world.say("l7-eu", up: 0)
        #expect(check.broken(Self.view(world, world.overrides)).map(\.rule) == ["r"])
        // Broken by evidence: what makes it no worse goes on.
        #expect(Self.ask(world, rules, Self.drain(.region, "eu")).isEmpty)
        #expect(!Self.ask(world, rules, Self.drain(.region, "us")).isEmpty)
    }

    @Test("A rule about services and some regions looks at nothing else")
    func scope() {
        var world = World()
        _ = world.judge()
        let rule = Self.rule(.atLeast(1), regions: [0, 1], services: [1])
        #expect(Self.ask(world, [rule], Self.drain(.service, "shop")).isEmpty)
        #expect(Self.ask(world, [rule], Self.drain(.service, "db", region: "us")).isEmpty)
        #expect(!Self.ask(world, [rule], Self.drain(.service, "db")).isEmpty)
        #expect(Self.ask(world, [rule], Self.drain(.region, "ap")).isEmpty)
    }

    @Test("A closed gate refuses every change to what it guards until it is opened, and nothing else")
    func gate() {
        var world = World()
        _ = world.judge()
        let closed = Self.rule(.gate(isOpen: false), regions: [1])
        #expect(
            Self.ask(world, [closed], Self.drain(.region, "eu")).map(\.text).first?.contains("gate r is closed") == true
        )
        #expect(!Self.ask(world, [closed], Self.drain(.node, "l7-eu")).isEmpty)
        #expect(!Self.ask(world, [closed], OverrideTests.word("n", Override.Target(.name, "*"), .up)).isEmpty)
        #expect(Self.ask(world, [closed], Self.drain(.region, "us")).isEmpty)
        let opening = OverrideTests.word("g", Override.Target(.gate, "r"), .up)
        #expect(Self.ask(world, [closed], opening).isEmpty, "a gate does not guard itself")
        world.overrides = OverrideSet([opening], now: world.now)
        #expect(Self.ask(world, [closed], Self.drain(.region, "eu")).isEmpty)
        let open = Self.rule(.gate(isOpen: true))
        world.overrides = OverrideSet()
        #expect(Self.ask(world, [open], Self.drain(.region, "eu")).isEmpty)
        world.overrides = OverrideSet([OverrideTests.word("g", Override.Target(.gate, "r"), .down)], now: world.now)
        #expect(!Self.ask(world, [open], Self.drain(.region, "eu")).isEmpty)
    }

    @Test("Random operators who heed the refusals never take the last two healthy regions away", arguments: 0..<30)
    func heeded(seed: Int) async {
        var random = SeededGenerator(seed: UInt64(seed))
        var world = World()
        _ = world.judge()
        let rules = [Self.rule(.atLeast(2))]
        let check = SafetyCheck(Self.snapshot(world, rules))
        for step in 0..<60 {
            await Task.yield()
            world.now = world.now + .milliseconds(100)
            world.repeatAll()
            let pattern = ["us", "eu", "ap", "*", "?u"].randomElement(using: &random) ?? "us"
            let action = Override.Action.allCases.randomElement(using: &random) ?? .drain
            var change = OverrideTests.word("o\(step)", Override.Target(.region, pattern), action)
            change.stamp = world.now
            change.expires = world.now + .seconds(3600)
            if Self.ask(world, rules, change).isEmpty {
                _ = world.overrides.add(change, now: world.now)
            } else {
                #expect(action != .up)
            }
            #expect(check.broken(Self.view(world, world.overrides)).isEmpty)
        }
    }
}
