import Health
import Model
import Testing

@Suite("Verdicts")
struct VerdictTests {
    @Test("No evidence is healthy, and so is a world where all is well")
    func calm() {
        var world = World()
        #expect(world.down().isEmpty)
        world.reports = [:]
        world.engine = VerdictEngine()
        let evaluation = world.judge()
        #expect(evaluation.verdicts.count == 6)
        #expect(evaluation.verdicts.allSatisfy { $0.healthy && $0.share == 1 && !$0.frozen })
        #expect(evaluation.transitions.isEmpty)
    }

    @Test("A goodbye counts at once, in spite of damping, and does not grow old")
    func goodbye() {
        var world = World(damping: Damping(rise: .seconds(3), fall: .seconds(10)))
        #expect(world.down().isEmpty)
        world.say("l7-eu", state: .leaving)
        #expect(world.down() == ["eu"])
        world.now = world.now + .seconds(60)
        world.repeatAll()
        #expect(world.down() == ["eu"])
        let reasons = world.verdict("shop", "eu", in: world.judge())?.reasons ?? []
        #expect(reasons.contains { $0.source == "l7-eu" && $0.text == "is leaving" })
    }

    @Test("Draining moves users away and back")
    func draining() {
        var world = World()
        _ = world.judge()
        world.say("l7-us", state: .draining)
        #expect(world.down() == ["us"])
        world.say("l7-us")
        #expect(world.down().isEmpty)
    }

    @Test("Too few endpoints", arguments: [(2, false), (1, false), (0, true)])
    func threshold(up: Int, isDown: Bool) {
        var world = World()
        _ = world.judge()
        world.say("l7-ap", up: up, troubles: up < 2 ? ["127.0.0.1:9: connection refused"] : [])
        #expect(world.down() == (isDown ? ["ap"] : []))
        let reasons = world.verdict("shop", "ap", in: world.judge())?.reasons ?? []
        #expect(reasons.contains { $0.text.contains("connection refused") } == isDown)
    }

    @Test("A database without a primary takes its region's shop down, and the chain says who saw what")
    func chain() {
        var world = World()
        _ = world.judge()
        world.say("l4-eu", up: 1, primaries: 0, troubles: ["127.0.2.1:6432: connection refused"])
        let evaluation = world.judge()
        #expect(world.verdict("db", "eu", in: evaluation)?.healthy == false)
        let shop = world.verdict("shop", "eu", in: evaluation)
        #expect(shop?.healthy == false)
        #expect(
            shop?.reasons == [
                Verdict.Reason(source: "db", text: "depends on db, which is down in eu", depth: 0),
                Verdict.Reason(source: "l4-eu", text: "db: no primary among the endpoints", depth: 1),
                Verdict.Reason(source: "l4-eu", text: "127.0.2.1:6432: connection refused", depth: 1),
            ])
        #expect(evaluation.transitions.map(\.service).sorted() == ["db", "shop"])
        #expect(world.verdict("shop", "us", in: evaluation)?.healthy == true)
    }

    @Test("A region's own word on a dependency counts for those who do not hear the dependency")
    func statement() {
        var world = World()
        _ = world.judge()
        world.reports["l4-eu"] = nil
        let word = Observation(service: "shop", region: "eu", up: false, reason: "depends on db: no primary")
        world.say("l7-eu", stating: [word])
        #expect(world.down() == ["eu"])
        let fresh = world.engine.evaluate(
            Known(reports: world.reports), own: "l7-us", snapshot: world.snapshot, map: world.map,
            trustStatements: false,
            now: world.now)
        #expect(world.verdict("shop", "eu", in: fresh)?.healthy == true, "others than DNS nodes go by facts")
    }

    @Test("Two of three remote regions die at once: a third that speaks and answers tells it from our own isolation")
    func witness() {
        // The DNS node's own region is us: ap is the witness when eu and us' own balancers fall silent.
        for (dead, witnessed) in [(["us", "eu"], true), (["eu", "ap"], false)] {
            var world = World(failStaticShare: 60)
            _ = world.judge()
            let silent = Set(dead.flatMap { ["l7-\($0)", "l4-\($0)"] })
            for step in 1...8 {
                world.now = world.now + .seconds(1)
                world.repeatAll(except: silent)
                // The checks fail only after the silence was noticed: sooner, they would have decided by themselves.
                world.say("dns-1", seesDown: step > 6 ? Set(dead) : [])
                _ = world.judge()
            }
            let evaluation = world.judge()
            #expect(evaluation.frozen)
            #expect(world.down() == (witnessed ? Set(dead) : []), "\(dead)")
        }
    }

    @Test("Votes: the majority of fresh vantage points decides, a tie does not")
    func votes() {
        var world = World(vantages: 3)
        _ = world.judge()
        world.say("dns-1", seesDown: ["eu"])
        #expect(world.down().isEmpty)
        world.say("dns-2", seesDown: ["eu"])
        #expect(world.down() == ["eu"])
        world.say("dns-2")
        #expect(world.down().isEmpty)
    }

    @Test("A minority of vantage points cannot contradict a region that speaks for itself")
    func minority() {
        var world = World(vantages: 3)
        _ = world.judge()
        world.now = world.now + .seconds(6)
        world.repeatAll(except: ["dns-2", "dns-3"])
        world.say("dns-1", seesDown: ["eu"])
        #expect(world.down().isEmpty)
        // Once the region itself is silent, nobody speaks against the one who looks.
        world.now = world.now + .seconds(6)
        world.repeatAll(except: ["dns-2", "dns-3", "l7-eu"])
        #expect(world.down() == ["eu"])
    }

    @Test("A killed region is down as soon as the only vantage point says so, while its last report is still fresh")
    func killed() {
        var world = World()
        _ = world.judge()
        world.now = world.now + .seconds(2)
        world.repeatAll(except: ["l7-us", "l4-us"])
        world.say("dns-1", seesDown: ["us"])
        #expect(world.down() == ["us"])
    }

    @Test("Silence alone takes a region down after staleAfter")
    func silence() {
        var world = World()
        world.reports["dns-1"] = nil
        _ = world.judge()
        world.now = world.now + .seconds(5)
        world.repeatAll(except: ["l7-us"])
        #expect(world.down().isEmpty)
        world.now = world.now + .milliseconds(1)
        #expect(world.down() == ["us"])
    }

    @Test("Too many peers lost at once: verdicts stand, and goodbyes still count")
    func failStatic() {
        var world = World(vantages: 3)
        world.say("l7-ap", up: 0)
        #expect(world.down() == ["ap"])
        world.now = world.now + .seconds(6)
        world.say("dns-1", seesDown: ["us", "eu", "ap"])
        let evaluation = world.judge()
        #expect(evaluation.frozen)
        #expect(world.verdict("shop", "us", in: evaluation)?.healthy == true)
        #expect(world.verdict("shop", "us", in: evaluation)?.frozen == true)
        #expect(world.verdict("shop", "ap", in: evaluation)?.healthy == false)
        world.say("l7-eu", state: .leaving)
        #expect(world.down() == ["eu", "ap"])
        // The world comes back and everything moves again.
        world.now = world.now + .seconds(1)
        for name in world.reports.keys.sorted() { world.say(name) }
        #expect(!world.judge().frozen)
        #expect(world.down().isEmpty)
    }

    @Test("All regions down is fail-open, for services that names answer with")
    func failOpen() {
        var world = World()
        #expect(world.judge().failOpen.isEmpty)
        for region in World.regions { world.say("l4-\(region)", up: 0) }
        #expect(world.judge().failOpen == ["shop"])
        world.say("l4-ap")
        #expect(world.judge().failOpen.isEmpty)
    }

    @Test("Damping: evidence must last, a contrary moment starts it anew, the first evidence decides")
    func damping() {
        var world = World(damping: Damping(rise: .seconds(3), fall: .seconds(2)))
        world.say("l7-eu", up: 0)
        #expect(world.down() == ["eu"], "first evidence")
        world.say("l7-eu")
        #expect(world.down().isEmpty, "first proof of health")
        world.say("l7-eu", up: 0)
        #expect(world.down().isEmpty)
        world.now = world.now + .seconds(1)
        world.say("l7-eu")
        #expect(world.down().isEmpty)
        world.say("l7-eu", up: 0)
        _ = world.down()
        world.now = world.now + .seconds(2)
        world.repeatAll()
        #expect(world.down() == ["eu"])
        world.say("l7-eu")
        #expect(world.down() == ["eu"])
        world.now = world.now + .milliseconds(2999)
        world.repeatAll()
        #expect(world.down() == ["eu"])
        world.now = world.now + .milliseconds(1)
        #expect(world.down().isEmpty)
    }

    @Test("A returning region ramps up in steps; one that was never lost has its full share")
    func ramp() throws {
        var world = World(ramp: .seconds(9))
        _ = world.judge()
        world.say("l7-eu", up: 0)
        _ = world.judge()
        world.say("l7-eu")
        var shares: [Double] = []
        for _ in 0...10 {
            world.repeatAll()
            let evaluation = world.judge()
            shares.append(try #require(world.verdict("shop", "eu", in: evaluation)).share)
            #expect(world.verdict("shop", "us", in: evaluation)?.share == 1)
            world.now = world.now + .seconds(1)
        }
        #expect(shares == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1])
    }

    @Test("While all of a region's nodes start, the last verdict stands")
    func starting() {
        var world = World()
        world.say("l7-eu", up: 0)
        #expect(world.down() == ["eu"])
        world.say("l7-eu", state: .starting, up: 0)
        #expect(world.down() == ["eu"])
        world.say("l7-us", state: .starting, up: 0)
        #expect(world.down() == ["eu"])
        world.say("l7-eu")
        #expect(world.down().isEmpty)
    }
}
