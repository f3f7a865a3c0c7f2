import Health
import Model
import TestKit
import Testing

/// Random lives of the whole world, by a simulated clock.
@Suite("Verdicts over random histories")
struct SimulationTests {
    @Test("A partitioned observer alone never fails a region that the quorum sees healthy", arguments: 0..<30)
    func partition(seed: Int) async {
        var random = SeededGenerator(seed: UInt64(seed))
        for _ in 0..<25 {
            // Tests that watch the clock run beside this one.
            await Task.yield()
            // dns-1's view: it hears the others until it is cut off, and then its checks fail one after the other.
            var world = World(
                vantages: 3, damping: Damping(rise: .zero, fall: .seconds(Int.random(in: 0...2, using: &random))))
            #expect(world.down().isEmpty)
            let others = Set(world.reports.keys).subtracting(["dns-1"])
            let cut = Int.random(in: 3...20, using: &random)
            let heals = cut + Int.random(in: 1...30, using: &random)
            var seen: Set<String> = []
            for step in 0..<(heals + 10) {
                world.now = world.now + .milliseconds(Int.random(in: 200...1000, using: &random))
                let isCut = (cut..<heals).contains(step)
                for name in others where !isCut && Bool.random(using: &random) { world.say(name) }
                if isCut, step > cut + 1 { seen.formUnion(World.regions.filter { _ in Bool.random(using: &random) }) }
                if !isCut { seen = [] }
                if step >= heals { others.forEach { world.say($0) } }
                world.say("dns-1", seesDown: seen)
                // Reports of half the peers a second never leave five seconds of silence behind but by rare chance;
                // what the test is about is the cut.
                if !isCut { others.forEach { world.say($0) } }
                #expect(world.down().isEmpty, "seed \(seed), step \(step), cut \(cut)..<\(heals)")
            }
        }
    }

    @Test("Verdicts do not depend on the order in which facts arrived, and equal worlds judge alike", arguments: 0..<20)
    func determinism(seed: Int) async {
        var random = SeededGenerator(seed: UInt64(seed) &+ 99)
        var left = World(vantages: 2, ramp: .seconds(5))
        var right = World(vantages: 2, ramp: .seconds(5))
        for _ in 0..<200 {
            await Task.yield()
            left.now = left.now + .milliseconds(Int.random(in: 0...2000, using: &random))
            right.now = left.now
            var words: [(String, Int, Set<String>)] = left.reports.keys.sorted().map { name in
                (name, Int.random(in: 0...2, using: &random), Bool.random(using: &random) ? ["eu"] : [])
            }
            words.removeAll { _ in Int.random(in: 0...3, using: &random) == 0 }
            for (name, up, down) in words { left.say(name, up: up, seesDown: down) }
            for (name, up, down) in words.shuffled(using: &random) { right.say(name, up: up, seesDown: down) }
            #expect(left.judge() == right.judge())
        }
    }

    @Test("A region that is well and heard by all is never down", arguments: 0..<20)
    func wellRegion(seed: Int) async {
        var random = SeededGenerator(seed: UInt64(seed) &+ 7)
        var world = World(vantages: 3)
        _ = world.judge()
        for _ in 0..<300 {
            await Task.yield()
            world.now = world.now + .milliseconds(Int.random(in: 100...900, using: &random))
            world.repeatAll()
            for region in ["eu", "ap"] where Int.random(in: 0...4, using: &random) == 0 {
                world.say("l7-\(region)", up: Int.random(in: 0...2, using: &random))
                world.say("l4-\(region)", primaries: Int.random(in: 0...1, using: &random))
            }
            let lost = ["eu", "ap"].filter { _ in Bool.random(using: &random) }
            world.look(down: Set(lost))
            world.say("l7-us", up: Int.random(in: 1...2, using: &random))
            #expect(!world.down().contains("us"))
        }
    }
}
