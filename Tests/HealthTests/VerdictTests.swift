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

    @Test("A goodbye counts at once, in spite of damping, and lasts while the address does not answer")
    func goodbye() {
        var world = World(damping: Damping(rise: .seconds(3), fall: .seconds(10)))
        #expect(world.down().isEmpty)
        world.say("l7-eu", state: .leaving)
        #expect(world.down() == ["eu"])
        world.look(down: ["eu"])
        world.now = world.now + .seconds(60)
        world.repeatAll()
        #expect(world.down() == ["eu"])
        let reasons = world.verdict("shop", "eu", in: world.judge())?.reasons ?? []
        #expect(reasons.contains { $0.source == "l7-eu" && $0.text == "is leaving" })
    }

    @Test("A goodbye ends when most who look find that it answers, once the node that left must be gone")
    func goodbyeEnds() {
        var world = World()
        #expect(world.down().isEmpty)
        world.say("l7-eu", state: .leaving)
        for second in 1...5 {
            world.now = world.now + .seconds(1)
            world.repeatAll()
            #expect(world.down() == ["eu"], "\(second) s: it may still serve those who came before")
        }
        world.now = world.now + .seconds(1)
        world.repeatAll()
        // It came back with a wrong clock, so that nobody hears it.
        world.look(["us"], down: ["eu"])
        #expect(world.down() == ["eu"], "one of two")
        world.look(["us"], down: [])
        #expect(world.down().isEmpty)
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

    @Test("Two of three regions die at once: who hears the third knows, who hears nobody holds")
    func witness() {
        // The DNS node's own region is us.
        for (dead, isKnown) in [(["us", "eu"], true), (["eu", "ap"], false)] {
            var world = World()
            _ = world.judge()
            let silent = Set(dead.flatMap { ["l7-\($0)", "l4-\($0)"] })
            for step in 1...8 {
                world.now = world.now + .seconds(1)
                world.repeatAll(except: silent)
                world.say("dns-1", seesDown: step > 1 ? Set(dead) : [])
                for name in ["l7-us", "l7-ap"] where !silent.contains(name) {
                    world.say(name, seesDown: step > 1 ? Set(dead) : [])
                }
                _ = world.judge()
            }
            #expect(world.judge().frozen == !isKnown)
            #expect(world.down() == (isKnown ? Set(dead) : []), "\(dead)")
        }
    }

    @Test("Votes: each region has one, the majority decides, a tie does not")
    func votes() {
        var world = World(vantages: 3)
        _ = world.judge()
        world.look(["us"], down: ["eu"])
        #expect(world.down().isEmpty, "one of three")
        world.look(["ap"], down: ["eu"])
        #expect(world.down() == ["eu"])
        world.look(["ap"], down: [])
        #expect(world.down().isEmpty)
        // One node of a region is not the region.
        world.look(down: [])
        world.say("dns-1", seesDown: ["eu"])
        world.say("dns-2", seesDown: ["eu"])
        world.say("dns-3", seesDown: ["eu"])
        #expect(world.down().isEmpty, "the L7 nodes beside two of them reach it")
    }

    @Test("One region's word takes nothing down while another that could look is heard, heard or not what it is about")
    func loneVote() {
        var world = World()
        _ = world.judge()
        for name in ["l7-eu", "l7-ap"] { world.say(name, watching: []) }
        world.look(["us"], down: ["eu"])
        #expect(world.down().isEmpty)
        for _ in 1...5 {
            world.now = world.now + .seconds(1)
            world.repeatAll(except: ["l7-eu", "l4-eu"])
            #expect(world.down().isEmpty)
        }
        // What more than half of the regions have not heard for long is gone.
        world.now = world.now + .seconds(1)
        world.repeatAll(except: ["l7-eu", "l4-eu"])
        #expect(world.down() == ["eu"])
    }

    @Test("Silent vantage points leave the count: with one of two DNS nodes dead, the other decides with who is left")
    func deadVantage() {
        var world = World(vantages: 2)
        _ = world.judge()
        let dead: Set<String> = ["dns-2", "l7-ap"]
        for _ in 1...7 {
            world.now = world.now + .seconds(1)
            world.repeatAll(except: dead)
            _ = world.judge()
        }
        // l7-eu takes no client and says that all is well; l4-eu and l4-ap are heard.
        world.look(["us"], down: ["eu"])
        _ = world.judge()
        world.now = world.now + .seconds(1)
        world.repeatAll(except: dead)
        #expect(world.down().isEmpty, "ap is heard, and has nobody who looks: one region's word is not enough")
        world.reports["l7-ap"]?.heardAt = world.now
        world.look(["ap"], down: ["eu"])
        #expect(world.down() == ["eu"])
    }

    @Test("Votes against count together only if they were so at one time")
    func oldVotes() {
        var world = World()
        _ = world.judge()
        // ap cannot reach eu, and says so.
        world.look(["ap"], down: ["eu"])
        #expect(world.down().isEmpty)
        // Then us is cut off, and hears no more; its own checks fail only now.
        world.now = world.now + .seconds(2)
        world.say("dns-1", seesDown: ["us", "eu", "ap"])
        world.reports["l7-us"]?.heardAt = world.now
        #expect(world.down().isEmpty)
        for name in ["l7-us", "dns-1"] { world.say(name, seesDown: ["eu"]) }
        #expect(world.down().isEmpty)
        // It was not cut off: ap says so now.
        world.look(["ap"], down: ["eu"])
        #expect(world.down() == ["eu"])
    }

    @Test("A killed region is down as soon as those who look say so, while its last report is still fresh")
    func killed() {
        var world = World()
        _ = world.judge()
        world.now = world.now + .seconds(2)
        world.repeatAll(except: ["l7-us", "l4-us"])
        world.look(["eu", "ap"], down: ["us"])
        world.say("dns-1", seesDown: ["us"])
        #expect(world.down() == ["us"])
    }

    @Test("Silence alone takes a region down after staleAfter and an interval, if nobody reaches it")
    func silence() {
        var world = World()
        _ = world.judge()
        for name in ["dns-1", "l7-eu", "l7-ap"] { world.say(name, watching: []) }
        _ = world.judge()
        world.now = world.now + .milliseconds(5999)
        world.repeatAll(except: ["l7-us"])
        #expect(world.down().isEmpty)
        world.now = world.now + .milliseconds(1)
        world.repeatAll(except: ["l7-us"])
        #expect(world.down() == ["us"])
        for name in ["l7-eu", "l7-ap"] { world.say(name) }
        #expect(world.down().isEmpty, "they reach it: what carries its words broke")
    }

    @Test("Of two L7 nodes one left and the other's federation path broke: the region answers checks, and stays")
    func leftAndUnheard() {
        var world = World(twins: true)
        _ = world.judge()
        world.say("l7-eu", state: .leaving)
        #expect(world.down().isEmpty, "the other serves")
        for _ in 1...20 {
            world.now = world.now + .seconds(1)
            world.repeatAll(except: ["l7b-eu"])
            #expect(world.down().isEmpty)
        }
        world.look(down: ["eu"])
        #expect(world.down() == ["eu"])
    }

    @Test("Silence of a dependency is no evidence against a region that is not heard at all and answers")
    func silentRegion() {
        var world = World()
        _ = world.judge()
        for _ in 1...20 {
            world.now = world.now + .seconds(1)
            world.repeatAll(except: ["l7-eu", "l4-eu"])
            #expect(world.down().isEmpty)
        }
        // Its L7 node is heard, and hears its L4 node no more than we do.
        world.say("l7-eu")
        #expect(world.down() == ["eu"])
    }

    @Test("A region whose nodes were never heard is not answered with while the others are, if nobody reaches it")
    func unheard() {
        var world = World()
        world.reports = world.reports.filter { !["l7-eu", "l4-eu"].contains($0.key) }
        for name in ["dns-1", "l7-us", "l7-ap"] { world.say(name, watching: []) }
        #expect(world.down().isEmpty)
        for _ in 1...5 {
            world.now = world.now + .seconds(1)
            world.repeatAll()
            #expect(world.down().isEmpty, "they may just start")
        }
        world.now = world.now + .seconds(1)
        world.repeatAll()
        #expect(world.down() == ["eu"])
        let reasons = world.verdict("shop", "eu", in: world.judge())?.reasons ?? []
        #expect(reasons.contains { $0.text == "never heard" })
        world.say("l4-eu")
        world.say("l7-eu")
        #expect(world.down().isEmpty)
    }

    @Test("A cold start of everything takes nothing down: checks failed before anybody listened")
    func coldStart() {
        for state in [Report.State.starting, .serving] {
            var world = World()
            let start = UInt64(world.now.milliseconds)
            world.look(down: Set(World.regions))
            for name in world.reports.keys.sorted() {
                world.reports[name]?.report.incarnation = start
                if name.hasPrefix("l7") { world.reports[name]?.report.state = state }
            }
            for _ in 1...3 {
                #expect(world.down().isEmpty)
                world.now = world.now + .seconds(1)
                world.repeatAll()
                for name in world.reports.keys { world.reports[name]?.report.issuedAt = world.now }
            }
            world.look(down: [])
            for name in world.reports.keys { world.reports[name]?.report.state = .serving }
            #expect(world.down().isEmpty)
            // From then on it is judged as ever.
            world.look(down: ["eu"])
            #expect(world.down() == ["eu"])
        }
    }

    @Test("What depends on something returns with it: their damping runs at once", arguments: [true, false])
    func stacking(isReturn: Bool) {
        var world = World(damping: Damping(rise: .seconds(3), fall: .seconds(2)))
        _ = world.judge()
        world.say("l4-eu", primaries: 0)
        #expect(world.down().isEmpty)
        world.now = world.now + .seconds(2)
        world.repeatAll()
        #expect(world.down() == ["eu"])
        guard isReturn else { return }
        world.say("l4-eu")
        #expect(world.down() == ["eu"])
        world.now = world.now + .seconds(3)
        world.repeatAll()
        let evaluation = world.judge()
        #expect(world.verdict("db", "eu", in: evaluation)?.healthy == true)
        #expect(world.verdict("shop", "eu", in: evaluation)?.healthy == true)
    }

    @Test("Complaints are what nodes say of themselves, not what follows from silence or from outside")
    func complaints() {
        var world = World()
        _ = world.judge()
        let database = VerdictSite(.service("db"), in: "eu")
        let shop = VerdictSite(.service("shop"), in: "eu")
        world.say("l4-eu", primaries: 0)
        #expect(Set(world.judge().complaints.keys) == [database, shop])
        world.say("l4-eu")
        world.look(down: ["eu"])
        #expect(world.down() == ["eu"])
        #expect(world.judge().complaints.isEmpty)
        world.look(down: [])
        world.now = world.now + .seconds(7)
        world.repeatAll(except: ["l4-eu"])
        let evaluation = world.judge()
        #expect(world.verdict("db", "eu", in: evaluation)?.healthy == false)
        #expect(evaluation.complaints.isEmpty)
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
