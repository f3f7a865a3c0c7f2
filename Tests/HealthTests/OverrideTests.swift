import Health
import Model
import TestKit
import Testing

@Suite("Overrides")
struct OverrideTests {
    static let start = Timestamp(milliseconds: 1_700_000_000_000)

    static func word(
        _ id: String, _ target: Override.Target, _ action: Override.Action = .drain, at: Int64 = 0,
        lasts: Int64 = 3_600_000, released: Bool = false
    ) -> Override {
        let stamp = Timestamp(milliseconds: start.milliseconds + at)
        return Override(
            id: id, target: target, action: action, stamp: stamp, expires: stamp + .milliseconds(lasts), author: "ana",
            reason: "work", isReleased: released)
    }

    @Test(
        "Patterns",
        arguments: [
            ("eu-west", "eu-west", true), ("eu-west", "eu-wes", false), ("*", "", true), ("eu-*", "eu-", true),
            ("*-west", "eu-west", true), ("*-west", "west", false), ("?u-*t", "eu-west", true), ("?", "", false),
            ("a*b*c", "a-b-b-c-c", true), ("a*b*c", "a-b-b-c-d", false), ("**", "x", true), ("", "x", false),
        ])
    func glob(pattern: String, text: String, matches: Bool) { #expect(Glob(pattern).matches(text) == matches) }

    @Test("A pattern made to be slow is not")
    func slowGlob() {
        let pattern = Glob(String(repeating: "a*", count: 100) + "b")
        #expect(!pattern.matches(String(repeating: "a", count: 2000)))
    }

    @Test(
        "Dates",
        arguments: [
            (0, "1970-01-01 00:00:00Z"), (951_782_399_999, "2000-02-28 23:59:59Z"),
            (951_782_400_000, "2000-02-29 00:00:00Z"), (4_107_542_400_000, "2100-03-01 00:00:00Z"),
            (-1, "1969-12-31 23:59:59Z"), (1_795_338_061_004, "2026-11-22 09:01:01Z"),
        ])
    func dates(milliseconds: Int64, text: String) { #expect(Timestamp(milliseconds: milliseconds).dateText == text) }

    @Test("Names are written with or without their last dot, and in any case")
    func names() {
        #expect(Override.Target(.name, "WWW.shop.test").pattern == "www.shop.test.")
        #expect(Override.Target(.name, "www.*").pattern == "www.*")
        #expect(Override.Target(.region, "EU").pattern == "EU")
        #expect(Override.Target(.name, "a.test", region: "eu").description == "name a.test. in eu")
    }

    @Test("Of two words on one target the newer stamp counts, of equally new ones the larger id")
    func newest() {
        let eu = Override.Target(.region, "eu")
        var set = OverrideSet([Self.word("a", eu, at: 5), Self.word("b", eu, .up, at: 4)], now: Self.start)
        #expect(set.all.map(\.id) == ["a"])
        set.merge([Self.word("c", eu, .down, at: 5)], now: Self.start, clockSkew: .seconds(30))
        #expect(set[eu]?.action == .down)
        set.merge([Self.word("b", eu, .up, at: 5)], now: Self.start, clockSkew: .seconds(30))
        #expect(set[eu]?.id == "c")
    }

    @Test("A release outlives every older copy until the override would have ended, and what is over is forgotten")
    func release() {
        let eu = Override.Target(.region, "eu")
        let word = Self.word("a", eu, lasts: 60_000)
        var set = OverrideSet([word], now: Self.start)
        let later = Self.start + .seconds(10)
        let released = set.release(id: "a", by: "bo", reason: "done", now: later)
        #expect(released?.isReleased == true)
        #expect(set.live(at: later).isEmpty)
        set.merge([word], now: later, clockSkew: .seconds(30))
        #expect(set.live(at: later).isEmpty, "an old copy revives nothing")
        #expect(set.release(id: "a", by: "bo", reason: "", now: later) == nil)
        set.trim(now: Self.start + .seconds(60 + 3601))
        #expect(set.isEmpty)
        set.merge([word], now: Self.start + .seconds(4000), clockSkew: .seconds(30))
        #expect(set.isEmpty, "nor does one that is long over come back")
    }

    @Test("A stamp from the future waits until our clock is there; a new word beats a clock that was ahead")
    func future() {
        let eu = Override.Target(.region, "eu")
        var set = OverrideSet()
        let ahead = Self.word("a", eu, .up, at: 60_000)
        set.merge([ahead], now: Self.start, clockSkew: .seconds(30))
        #expect(set.isEmpty)
        set.merge([ahead], now: Self.start + .seconds(30), clockSkew: .seconds(30))
        #expect(set[eu]?.action == .up)
        let kept = set.add(Self.word("b", eu, .down, lasts: 1000), now: Self.start + .seconds(30))
        #expect(kept?.stamp == ahead.stamp + .milliseconds(1))
        #expect(kept.map { $0.expires - $0.stamp } == .seconds(1), "it lasts as long as was asked")
        #expect(set[eu]?.id == "b")
    }

    @Test("There is room for so many, and what is over makes room")
    func capacity() {
        var set = OverrideSet()
        for index in 0..<OverrideSet.capacity {
            #expect(set.add(Self.word("o\(index)", Override.Target(.name, "n\(index)")), now: Self.start) != nil)
        }
        #expect(set.add(Self.word("x", Override.Target(.name, "more")), now: Self.start) == nil)
        _ = set.release(id: "o7", by: "ana", reason: "", now: Self.start)
        #expect(set.add(Self.word("x", Override.Target(.name, "more")), now: Self.start) != nil)
        #expect(set.all.count == OverrideSet.capacity)
        let flood = (0..<500).map { Self.word("f\($0)", Override.Target(.region, "r\($0)"), at: 1) }
        set.merge(flood, now: Self.start, clockSkew: .seconds(30))
        #expect(set.all.count == OverrideSet.capacity)
    }

    private static func random(_ random: inout SeededGenerator) -> Override {
        let kinds = Override.Target.Kind.allCases
        let kind = kinds[Int.random(in: 0..<kinds.count, using: &random)]
        let pattern = ["eu", "us", "*", "e?", "www.shop.test.", "shop"][Int.random(in: 0..<6, using: &random)]
        let target = Override.Target(
            kind, pattern,
            region: kind == .name || kind == .service ? ["*", "eu", "u*"].randomElement(using: &random) ?? "*" : "*")
        return word(
            "o\(Int.random(in: 0...3, using: &random))", target,
            Override.Action.allCases.randomElement(using: &random) ?? .up, at: .random(in: 0...5, using: &random),
            lasts: .random(in: 0...20_000, using: &random), released: Bool.random(using: &random))
    }

    @Test("Merge is idempotent, commutative and associative over random histories", arguments: 0..<40)
    func merge(seed: Int) async {
        var random = SeededGenerator(seed: UInt64(seed))
        for _ in 0..<50 {
            // Tests that watch the clock run beside this one.
            await Task.yield()
            let words = (0..<Int.random(in: 0...30, using: &random)).map { _ in Self.random(&random) }
            let now = Self.start + .milliseconds(Int.random(in: 0...40_000, using: &random))
            let whole = OverrideSet(words, now: now)
            var other = OverrideSet()
            var rest = words.shuffled(using: &random)
            while !rest.isEmpty {
                let part = rest.prefix(Int.random(in: 1...rest.count, using: &random))
                other.merge(OverrideSet(part, now: now).all, now: now, clockSkew: .seconds(30))
                rest.removeFirst(part.count)
            }
            #expect(other == whole)
            other.merge(whole.all, now: now, clockSkew: .seconds(30))
            #expect(other == whole)
            #expect(whole.live(at: now).allSatisfy { !$0.isReleased && $0.expires > now })
        }
    }

    @Test(
        "The latest word that matches decides over a candidate, and without one the evidence stays", arguments: 0..<40)
    func candidate(seed: Int) async {
        var random = SeededGenerator(seed: UInt64(seed) &+ 1000)
        for _ in 0..<50 {
            await Task.yield()
            let words = (0..<Int.random(in: 0...8, using: &random)).map { _ in Self.random(&random) }
            let live = OverrideSet(words, now: Self.start).live(at: Self.start + .milliseconds(10))
            let rules = OverrideRules(live)
            let evidence = CandidateState(healthy: Bool.random(using: &random), share: 0.3)
            for region in ["eu", "us", "ap"] {
                let decisive = live.last { word in
                    let here = Glob(word.target.region).matches(region)
                    switch word.target.kind {
                    case .region: return Glob(word.target.pattern).matches(region)
                    case .service: return here && Glob(word.target.pattern).matches("shop")
                    case .name: return here && Glob(word.target.pattern).matches("www.shop.test.")
                    case .node, .gate: return false
                    }
                }
                let found = rules.candidate(name: "www.shop.test.", service: "shop", region: region)
                #expect(found == decisive)
                let state = CandidateState.merge(evidence, found)
                if let decisive {
                    #expect(state.healthy == (decisive.action == .up))
                    #expect(state.forced == decisive.action)
                    #expect(state.share == 1)
                    #expect(state.reasons.first == decisive.verdictReason)
                } else {
                    #expect(state == evidence)
                }
            }
        }
    }

    @Test("A drained region is down for every service at once, and returns over the ramp when it is released")
    func drainedRegion() {
        var world = World(damping: Damping(rise: .seconds(3), fall: .seconds(10)), ramp: .seconds(10))
        #expect(world.down().isEmpty)
        world.overrides = OverrideSet([Self.word("a", Override.Target(.region, "eu"))], now: world.now)
        let evaluation = world.judge()
        #expect(evaluation.transitions.map(\.region) == ["eu", "eu"])
        let shop = world.verdict("shop", "eu", in: evaluation)
        #expect(shop?.healthy == false)
        #expect(shop?.forced == .drain)
        #expect(shop?.reasons.first?.text.contains("drained by ana until") == true)
        #expect(world.judge().transitions.isEmpty)
        _ = world.overrides.release(id: "a", by: "ana", reason: "", now: world.now)
        world.now = world.now + .seconds(1)
        world.repeatAll()
        let back = world.verdict("shop", "eu", in: world.judge())
        #expect(back?.healthy == true)
        #expect(back?.share == 0.1)
        world.now = world.now + .seconds(11)
        world.repeatAll()
        #expect(world.verdict("shop", "eu", in: world.judge())?.share == 1)
    }

    @Test("A region that is forced up is healthy though it fails, and down again when the time is over")
    func forcedUp() {
        var world = World()
        _ = world.judge()
        world.say("l7-ap", up: 0)
        #expect(world.down() == ["ap"])
        world.overrides = OverrideSet(
            [Self.word("a", Override.Target(.service, "shop", region: "a?"), .up, lasts: 60_000)], now: world.now)
        #expect(world.down().isEmpty)
        world.now = world.now + .seconds(61)
        world.repeatAll()
        #expect(world.down() == ["ap"])
    }

    @Test("Forcing a dependency down takes down what depends on it; forcing it up is believed")
    func dependency() {
        var world = World()
        _ = world.judge()
        world.overrides = OverrideSet(
            [Self.word("a", Override.Target(.service, "db", region: "eu"), .down)], now: world.now)
        #expect(world.down() == ["eu"])
        world.say("l4-us", primaries: 0)
        #expect(world.down() == ["us", "eu"])
        world.overrides = OverrideSet([Self.word("b", Override.Target(.service, "db"), .up)], now: world.now)
        #expect(world.down().isEmpty)
    }

    @Test("A drained node counts as draining, one that is forced up as serving, whatever it says")
    func nodes() {
        var world = World()
        _ = world.judge()
        world.overrides = OverrideSet([Self.word("a", Override.Target(.node, "l7-eu"))], now: world.now)
        #expect(world.down() == ["eu"])
        world.say("l7-us", up: 0)
        #expect(world.down() == ["us", "eu"])
        world.overrides = OverrideSet([Self.word("b", Override.Target(.node, "l7-*"), .up)], now: world.now)
        #expect(world.down().isEmpty)
        // Even when it falls silent.
        world.now = world.now + .seconds(30)
        world.repeatAll(except: ["l7-us"])
        #expect(world.down().isEmpty)
        // A goodbye is a goodbye.
        world.say("l7-us", state: .leaving)
        #expect(world.down() == ["us"])
    }

    @Test("A name without a service follows this node's own checks, damped, and overrides on names")
    func loneNames() {
        var world = World(damping: Damping(rise: .seconds(3), fall: .zero))
        func sight(_ up: Bool) -> Sight {
            Sight(
                .name("lone.test."), region: "eu", address: SocketAddress(IPAddress(v4: 1), port: 80), up: up,
                reason: up ? "" : "refused")
        }
        func view() -> HealthView {
            let evaluation = world.judge()
            return HealthView(
                evaluation, in: world.snapshot, overrides: OverrideRules(world.overrides.live(at: world.now)))
        }
        world.sights = [sight(true)]
        #expect(view().candidate(name: "lone.test.", service: nil, region: "eu").healthy)
        world.sights = [sight(false)]
        let down = view().candidate(name: "lone.test.", service: nil, region: "eu")
        #expect(!down.healthy)
        #expect(down.reasons.first?.text == "refused")
        world.sights = [sight(true)]
        #expect(!view().candidate(name: "lone.test.", service: nil, region: "eu").healthy)
        world.now = world.now + .seconds(3)
        #expect(view().candidate(name: "lone.test.", service: nil, region: "eu").healthy)
        world.overrides = OverrideSet([Self.word("a", Override.Target(.name, "*.test", region: "e*"))], now: world.now)
        let drained = view()
        #expect(drained.candidate(name: "lone.test.", service: nil, region: "eu").forced == .drain)
        #expect(!drained.candidate(name: "www.shop.test.", service: "shop", region: "eu").healthy)
        #expect(drained.candidate(name: "www.shop.test.", service: "shop", region: "us").healthy)
        #expect(drained.verdict(service: "shop", region: "eu")?.healthy == true, "a name is not its service")
    }
}
