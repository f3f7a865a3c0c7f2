import Health
import Model
import TestKit
import Testing

/// An observer that is cut off, with reports and checks at moments of their own.
@Suite("Verdicts of an observer that is cut off")
struct PartitionRuleTests {
    /// The reports of a world as they come: each node's once an interval, at its own phase, some later than others.
    private struct Phases {
        var next: [String: Timestamp] = [:]

        init(_ world: World, _ random: inout SeededGenerator) {
            for name in world.reports.keys.sorted() {
                next[name] = world.now + .milliseconds(Int.random(in: 0..<1000, using: &random))
            }
        }

        /// Reports that are due by now.
        mutating func due(_ now: Timestamp, _ random: inout SeededGenerator) -> [String] {
            var due: [String] = []
            for name in next.keys.sorted() {
                guard let at = next[name], at <= now else { continue }
                due.append(name)
                // Heartbeats are gathered for half an interval.
                next[name] = at + .milliseconds(Int.random(in: 1000...1500, using: &random))
            }
            return due
        }
    }

    /// How the checks of those in us see other regions: each fails, and returns, at its own moment.
    private static func sees(
        _ region: String, cut: Timestamp, heal: Timestamp, lag: [String: Duration], now: Timestamp
    ) -> Bool {
        let lag = lag[region] ?? .zero
        return now >= cut + .seconds(1) + lag && now < heal + .seconds(2) + lag
    }

    @Test("Alone or with its region, for any time, it fails nobody: neither then nor after the heal", arguments: 0..<40)
    func cutOff(seed: Int) async {
        var random = SeededGenerator(seed: UInt64(seed))
        for _ in 0..<5 {
            await Task.yield()
            var world = World(
                vantages: 2,
                damping: Damping(rise: .zero, fall: .milliseconds(Int.random(in: 0...1, using: &random) * 500)),
                addresses: [IPAddress(v4: 1)], fall: 2)
            var reticence = Reticence()
            var phases = Phases(world, &random)
            let isAlone = Bool.random(using: &random)
            let start = world.now
            let cut = start + .milliseconds(Int.random(in: 3000...5000, using: &random))
            let heal = cut + .milliseconds(Int.random(in: 200...20_000, using: &random))
            let lag = Dictionary(
                uniqueKeysWithValues: World.regions.map {
                    ($0, Duration.milliseconds(Int.random(in: 0..<1500, using: &random)))
                })
            while world.now < heal + .seconds(15) {
                world.now = world.now + .milliseconds(100)
                let isCut = world.now >= cut && world.now < heal
                let blind = Set(
                    World.regions.filter {
                        (isAlone || $0 != "us") && Self.sees($0, cut: cut, heal: heal, lag: lag, now: world.now)
                    })
                for name in phases.due(world.now, &random) where name != "dns-1" {
                    let isNear = name.hasSuffix("-us")
                    if isCut, isAlone || !isNear { continue }
                    world.say(name, seesDown: isNear && !isAlone ? blind : [])
                }
                let looks = World.regions.map {
                    Observation(service: "shop", region: $0, up: !blind.contains($0), reason: "timeout")
                }
                world.say("dns-1", watching: reticence.told(looks, home: "us"))
                let evaluation = world.judge()
                if let hearing = evaluation.hearing {
                    reticence.pass(
                        looks, hearing, own: "dns-1", snapshot: world.snapshot, map: world.map, now: world.now)
                }
                let down = evaluation.verdicts.filter { !$0.healthy }.map { world.snapshot[$0.region].name }
                #expect(
                    down.isEmpty,
                    "seed \(seed), alone \(isAlone), cut of \((heal - cut).milliseconds) ms, \((world.now - cut).milliseconds) ms after: \(down) \(evaluation.verdicts.filter { !$0.healthy }.flatMap(\.reasons))"
                )
                if !down.isEmpty { return }
            }
        }
    }

    @Test("After a partition of all from all, nobody's stale votes take a region down")
    func reticence() {
        var world = World(vantages: 1)
        var reticence = Reticence()
        let blind = World.regions.map {
            Observation(service: "shop", region: $0, up: $0 == "us", reason: "timeout")
        }
        func pass() -> Bool {
            let evaluation = world.judge()
            if let hearing = evaluation.hearing {
                reticence.pass(blind, hearing, own: "dns-1", snapshot: world.snapshot, map: world.map, now: world.now)
            }
            return reticence.isReticent
        }
        #expect(pass(), "it reaches one region of three")
        #expect(reticence.told(blind, home: "us").map(\.region) == ["us"])
        let passing = [Observation(service: "shop", region: "eu", up: true)]
        #expect(reticence.told(passing, home: "us") == passing, "what passes is no mistake")
        // It hears nobody, for long.
        for _ in 1...20 {
            world.now = world.now + .seconds(1)
            world.say("dns-1", watching: reticence.told(blind, home: "us"))
            #expect(pass())
        }
        // It hears everybody again; what its checks say is old for as long as they take to return.
        world.repeatAll()
        #expect(pass())
        world.now = world.now + .seconds(1)
        world.repeatAll()
        #expect(!pass(), "it has heard them for an interval, and there is no check to wait for")
        #expect(reticence.told(blind, home: "us").count == 3)
        world.now = world.now + .seconds(1)
        world.repeatAll()
        #expect(!pass(), "it is sure")
    }

    @Test(
        "A region that dies leaves the answers at its checks' pace, wherever the reports' phases are", arguments: 0..<40
    )
    func death(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed) &+ 77)
        var world = World(
            vantages: Int.random(in: 1...3, using: &random), addresses: [IPAddress(v4: 1)], fall: 2)
        var phases = Phases(world, &random)
        let victim = World.regions.randomElement(using: &random) ?? "eu"
        let death = world.now + .milliseconds(Int.random(in: 3000...5000, using: &random))
        // Every node's checks fail at their own moment, within interval × fall.
        let notices = Dictionary(
            uniqueKeysWithValues: world.reports.keys.sorted().map {
                ($0, death + .milliseconds(Int.random(in: 1000...2000, using: &random)))
            })
        var told: Set<String> = []
        while world.now < death + .milliseconds(3500) {
            world.now = world.now + .milliseconds(50)
            let isDead = world.now >= death
            let due = Set(phases.due(world.now, &random))
            for name in world.reports.keys.sorted() {
                // All of the region's nodes die, the observer apart.
                if isDead,
                    name.hasSuffix("-\(victim)") || (name == "dns-2" && victim == "eu")
                        || (name == "dns-3" && victim == "ap")
                {
                    continue
                }
                guard let at = notices[name] else { continue }
                let hasNoticed = world.now >= at
                if due.contains(name) || name == "dns-1" || (hasNoticed && told.insert(name).inserted) {
                    world.say(name, seesDown: hasNoticed ? [victim] : [])
                }
            }
            let down = world.down()
            #expect(down.isSubset(of: [victim]))
            if !isDead { #expect(down.isEmpty) }
        }
        #expect(world.down() == [victim], "seed \(seed)")
    }
}
