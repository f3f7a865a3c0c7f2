import Health
import Model
import TestKit
import Testing

@Suite("Load by region")
struct LoadTests {
    private static let shop = LoadMeter.Key(service: "shop", region: "eu")

    /// Has the L7 node of `region` report a rate now.
    private static func report(_ world: inout World, _ region: String, rate: Double, inFlight: Int = 10) {
        world.say("l7-\(region)")
        world.say("l4-\(region)")
        world.reports["l7-\(region)"]?.report.pools[0].ratePerSecond = rate
        world.reports["l7-\(region)"]?.report.pools[0].inFlight = inFlight
        world.reports["l4-\(region)"]?.report.pools[0].ratePerSecond = rate / 10
    }

    @Test("A region's services are summed and held against its capacity")
    func sums() {
        var world = World()
        Self.report(&world, "eu", rate: 100)
        var meter = LoadMeter(world.map, world.snapshot)
        meter.record(world.reports, staleAfter: .seconds(5), now: world.now)
        let loads = meter.loads(capacities: ["eu": 220], now: world.now + .seconds(1))
        #expect(loads[Self.shop]?.rate == 100)
        #expect(loads[Self.shop]?.inFlight == 10)
        #expect(loads[Self.shop]?.regionRate == 110)
        #expect(loads[Self.shop]?.utilization == 0.5)
        #expect(loads[Self.shop]?.age == .seconds(1))
        #expect(loads[LoadMeter.Key(service: "db", region: "eu")]?.rate == 10)
        #expect(loads[LoadMeter.Key(service: "shop", region: "us")]?.utilization == nil, "no capacity, never full")
    }

    @Test("A step is followed by half in a half-life, however often it is fed")
    func smooth() {
        for steps in [1, 5, 50] {
            var world = World()
            Self.report(&world, "eu", rate: 0)
            var meter = LoadMeter(world.map, world.snapshot)
            meter.record(world.reports, staleAfter: .seconds(5), now: world.now)
            for _ in 0..<steps {
                world.now = world.now + LoadMeter.halfLife / steps
                world.repeatAll()
                Self.report(&world, "eu", rate: 1000)
                meter.record(world.reports, staleAfter: .seconds(5), now: world.now)
                meter.record(world.reports, staleAfter: .seconds(5), now: world.now)
            }
            let rate = meter.loads(capacities: [:], now: world.now)[Self.shop]?.rate ?? 0
            #expect((350...560).contains(rate), "\(steps) steps: \(rate)")
        }
    }

    @Test("Silence is unknown after a while and never zero; a goodbye carries nothing")
    func silence() {
        var world = World()
        Self.report(&world, "eu", rate: 100)
        var meter = LoadMeter(world.map, world.snapshot)
        func load() -> RegionLoad? { meter.loads(capacities: [:], now: world.now)[Self.shop] }
        meter.record(world.reports, staleAfter: .seconds(5), now: world.now)
        world.now = world.now + .seconds(14)
        meter.record(world.reports, staleAfter: .seconds(5), now: world.now)
        #expect(load()?.rate == 100)
        #expect(load()?.age == .seconds(14))
        world.now = world.now + .seconds(2)
        meter.record(world.reports, staleAfter: .seconds(5), now: world.now)
        #expect(load() == nil)
        Self.report(&world, "eu", rate: 80)
        meter.record(world.reports, staleAfter: .seconds(5), now: world.now)
        #expect(load()?.rate == 80)
        world.say("l7-eu", state: .leaving)
        for _ in 0..<60 {
            world.now = world.now + .seconds(1)
            meter.record(world.reports, staleAfter: .seconds(5), now: world.now)
        }
        #expect((load()?.rate ?? 80) < 1)
        // Reports from before a restart say nothing about now.
        world.reports["l7-us"]?.isRestored = true
        var fresh = LoadMeter(world.map, world.snapshot)
        fresh.record(world.reports, staleAfter: .seconds(5), now: world.now)
        #expect(fresh.loads(capacities: [:], now: world.now)[LoadMeter.Key(service: "shop", region: "us")] == nil)
    }

    @Test("Of two nodes one dies: for a moment the load is unknown, then the other carries all, and capacity goes on")
    func deadNode() {
        var world = World(twins: true)
        var meter = LoadMeter(world.map, world.snapshot)
        var rates: [Double] = []
        for second in 0...40 {
            world.now = world.now + .seconds(1)
            world.repeatAll(except: second < 10 ? [] : ["l7b-eu"])
            world.reports["l7-eu"]?.report.pools[0].ratePerSecond = second < 10 ? 50 : 100
            world.reports["l7b-eu"]?.report.pools[0].ratePerSecond = 50
            let hearing = world.judge().hearing
            meter.record(world.reports, hearing: hearing, staleAfter: .seconds(5), now: world.now)
            rates.append(meter.loads(capacities: ["eu": 200], now: world.now)[Self.shop]?.rate ?? -1)
        }
        #expect(rates.allSatisfy { $0 > 90 }, "\(rates)")
        #expect((95...105).contains(rates.last ?? 0), "\(rates)")
    }

    @Test("The average stays within what was ever reported, over random histories", arguments: 0..<40)
    func bounds(seed: Int) async {
        var random = SeededGenerator(seed: UInt64(seed))
        var world = World()
        var meter = LoadMeter(world.map, world.snapshot)
        // The world begins with reports of no load.
        var seen = 0.0...0.0
        for _ in 0..<100 {
            await Task.yield()
            world.now = world.now + .milliseconds(Int.random(in: 1...9000, using: &random))
            if Int.random(in: 0...3, using: &random) > 0 {
                let rate = Double.random(in: 0...1e6, using: &random)
                Self.report(&world, "eu", rate: rate)
                seen = 0...max(seen.upperBound, rate)
            }
            meter.record(world.reports, staleAfter: .seconds(5), now: world.now)
            guard let load = meter.loads(capacities: ["eu": 1e6], now: world.now)[Self.shop] else { continue }
            #expect(load.age <= .seconds(15))
            #expect(load.rate >= -1e-6 && load.rate <= seen.upperBound + 1e-6)
        }
    }

    @Test("Small steps of load change no answers, their sum does; the part of the servers that is up is known")
    func steps() {
        var world = World()
        let evaluation = world.judge()
        func view(_ rate: Double?, up: Double = 1) -> HealthView {
            var loads: [LoadMeter.Key: RegionLoad] = [:]
            if let rate {
                loads[Self.shop] = RegionLoad(rate: rate, inFlight: 0, regionRate: rate, capacity: 1000, age: .zero)
            }
            return HealthView(
                evaluation, in: world.snapshot, overrides: OverrideRules(), loads: loads, upShares: [Self.shop: up])
        }
        #expect(!view(510).differs(from: view(500)))
        #expect(view(520).differs(from: view(500)))
        #expect(view(nil).differs(from: view(500)))
        #expect(view(500).differs(from: view(nil)))
        #expect(view(500, up: 0.5).differs(from: view(500)))
        let candidate = view(500, up: 0.5).candidate(name: "www.shop.test.", service: "shop", region: "eu")
        #expect(candidate.upShare == 0.5)
        #expect(candidate.load?.utilization == 0.5)
        let site = world.map.sites.first { $0.region == RegionID(1) && $0.service == ServiceID(0) }
        world.say("l7-eu", up: 1)
        #expect(
            site.flatMap { ServerShare.up($0, service: "shop", world.reports, staleAfter: .seconds(5), now: world.now) }
                == 0.5)
    }
}
