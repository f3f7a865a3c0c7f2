import Steering
import Testing

/// What an allocator learned goes on under other orders and sites, and changes nothing by itself.
@Suite("Capacity: what was learned")
struct CapacityMemoryTests {
    private typealias Former = CapacityAllocator.Former

    /// Three sites with limits of 800; the demand for the first is 1,000, for the second 300. Seconds are simulated.
    private struct World {
        var demand = [1000.0, 300, 0]
        var limits = [800.0, 800, 800]
        /// By group and site: how resolvers answer.
        var held: [[Double]]
        /// By site.
        var isUp = [true, true, true]

        init(_ orders: [[Int]]) { held = orders.map { order in (0..<3).map { $0 == order[0] ? 1 : 0 } } }

        /// `orders`: of the allocator, in this world's numbers.
        mutating func step(_ allocator: inout CapacityAllocator, seconds: Double) {
            let loads = (0..<3).map { site in demand.indices.reduce(0) { $0 + demand[$1] * held(by: $1, site) } }
            allocator.step(
                loads.indices.map { site in
                    .init(load: isUp[site] ? loads[site] : nil, limit: limits[site], isAvailable: isUp[site])
                }, seconds: seconds)
            for (group, order) in allocator.orders.enumerated() {
                for (place, site) in order.enumerated() {
                    held[group][site] += (allocator.shares[group][place] - held[group][site]) * seconds / (seconds + 90)
                }
            }
        }

        private func held(by group: Int, _ site: Int) -> Double { held.indices.contains(group) ? held[group][site] : 0 }
    }

    private static let orders = [[0, 1, 2], [1, 0, 2]]
    private static let same: [Former?] = (0..<3).map { Former(site: $0, hasSameLimit: true) }

    /// An allocator that has spilled a quarter of the first group (a fifth must be; it saw the others come), and
    /// the world around it.
    private static func spilled() -> (CapacityAllocator, World) {
        var world = World(orders)
        var allocator = CapacityAllocator(orders: orders, sites: 3)
        for _ in 0..<300 { world.step(&allocator, seconds: 2) }
        return (allocator, world)
    }

    private static func near(_ left: [Double], _ right: [Double], _ distance: Double = 1e-9) -> Bool {
        left.count == right.count && zip(left, right).allSatisfy { abs($0 - $1) < distance }
    }

    @Test("Renumbered sites and orders go on as they were, now and later")
    func renumbered() {
        var (allocator, world) = Self.spilled()
        #expect(allocator.shares[0][0] < 0.8 && allocator.shares[0][1] > 0.2, "\(allocator.shares)")
        // Site 0 becomes 2, 1 becomes 0, 2 becomes 1; the groups change places.
        var moved = CapacityAllocator(
            orders: [[0, 2, 1], [2, 0, 1]],
            sites: [1, 2, 0].map { Former(site: $0, hasSameLimit: true) }, adopting: allocator)
        #expect(moved.shares == [allocator.shares[1], allocator.shares[0]])
        world.demand[0] = 850
        for _ in 0..<200 {
            let loads = (0..<3).map { site in world.demand[0] * world.held[0][site] + 300 * world.held[1][site] }
            moved.step(
                [1, 2, 0].map { .init(load: loads[$0], limit: 800, isAvailable: true) }, seconds: 2)
            world.step(&allocator, seconds: 2)
            #expect(Self.near(moved.shares[1], allocator.shares[0]) && Self.near(moved.shares[0], allocator.shares[1]))
        }
        #expect(allocator.shares[0][0] > 0.8, "somebody went home: \(allocator.shares)")
    }

    @Test("One made anew would send everybody home, one that adopts sends nobody")
    func nobodyJumps() {
        let (before, world) = Self.spilled()
        var fresh = CapacityAllocator(orders: Self.orders, sites: 3)
        #expect(fresh.shares[0] == [1, 0, 0])
        var adopting = CapacityAllocator(orders: Self.orders, sites: Self.same, adopting: before)
        #expect(adopting.shares == before.shares)
        var worlds = [world, world]
        for _ in 0..<30 {
            worlds[0].step(&fresh, seconds: 2)
            worlds[1].step(&adopting, seconds: 2)
            #expect(Self.near(adopting.shares[0], before.shares[0], 0.01))
        }
        #expect(fresh.shares[0][0] > 0.95, "it takes what is left of the load for all of the demand")
    }

    @Test("A map that is drawn anew every ten seconds leaves the loop as it is")
    func redrawn() {
        var (allocator, world) = Self.spilled()
        var (untouched, beside) = (allocator, world)
        for tick in 0..<600 {
            if tick % 5 == 0 {
                // A class that goes and comes back, and one that is new each time.
                let more = tick % 10 == 0 ? [[2, 0, 1], [0, 2, 1]] : [[2, 1, 0]]
                allocator = CapacityAllocator(orders: Self.orders + more, sites: Self.same, adopting: allocator)
                // They have no clients of their own.
                world.held = Array(world.held.prefix(2)) + more.map { _ in [0.0, 0, 0] }
                world.demand = [1000, 300] + more.map { _ in 0 }
            }
            world.step(&allocator, seconds: 2)
            beside.step(&untouched, seconds: 2)
            #expect(Self.near(allocator.shares[0], untouched.shares[0], 0.02))
        }
    }

    @Test("An order that is new has the demand of those that are gone, and starts as they were answered")
    func replacedOrder() {
        let (before, _) = Self.spilled()
        var after = CapacityAllocator(orders: [[0, 2, 1], [1, 0, 2]], sites: Self.same, adopting: before)
        #expect(Self.near(after.shares[0], [before.shares[0][0], 0, before.shares[0][1]]))
        #expect(after.shares[1] == before.shares[1])
        let old = after.shares
        after.step(
            [800, 300, 200].map { .init(load: $0, limit: 800) }, seconds: 2)
        #expect(Self.near(after.shares[0], old[0], 0.02), "the loop goes on: \(after.shares)")
        #expect(after.shares[0][2] > 0.15, "what is spilled goes to the one that is next now")
    }

    @Test("A part of an order's clients that gets one of its own takes a part of its demand along")
    func splitOrder() {
        let (before, _) = Self.spilled()
        var after = CapacityAllocator(orders: Self.orders + [[0, 2, 1]], sites: Self.same, adopting: before)
        for _ in 0..<5 { after.step([800, 500, 0].map { .init(load: $0, limit: 800) }, seconds: 2) }
        let share = before.shares[0][0]
        #expect(Self.near([after.shares[0][0], after.shares[2][0]], [share, share], 0.02), "\(after.shares)")
        // And back: nobody is counted twice or lost.
        var again = CapacityAllocator(orders: Self.orders, sites: Self.same, adopting: after)
        #expect(Self.near(again.shares[0], after.shares[0]))
        for _ in 0..<5 { again.step([800, 500, 0].map { .init(load: $0, limit: 800) }, seconds: 2) }
        #expect(Self.near(again.shares[0], before.shares[0], 0.02), "\(again.shares)")
    }

    @Test("A site that is gone leaves its part to the others")
    func goneSite() {
        let (before, _) = Self.spilled()
        // Site 1, where a quarter was spilled to, is gone.
        var after = CapacityAllocator(
            orders: [[0, 1]], sites: [0, 2].map { Former(site: $0, hasSameLimit: true) }, adopting: before)
        #expect(after.shares == [[1, 0]])
        after.step([800, 0].map { .init(load: $0, limit: 800) }, seconds: 0)
        #expect(
            Self.near(after.shares[0], [before.shares[0][0], before.shares[0][1]], 0.02),
            "its demand is known: \(after.shares)")
    }

    @Test("A site that is new and not there yet sends nobody home who was spilled")
    func newSite() {
        let (before, _) = Self.spilled()
        var after = CapacityAllocator(
            orders: Self.orders + [[3, 0, 1]], sites: Self.same + [nil], adopting: before)
        let sites = [800.0, 500, 0].map { CapacityAllocator.Site(load: $0, limit: 800) }
        after.step(sites + [.init(load: nil, limit: 800, isAvailable: false)], seconds: 2)
        #expect(Self.near(after.shares[0], before.shares[0], 0.01))
        #expect(after.shares[2][0] == 0 && abs(after.shares[2].reduce(0, +) - 1) < 1e-6, "\(after.shares)")
        for _ in 0..<400 { after.step(sites + [.init(load: 100, limit: 800)], seconds: 2) }
        #expect(after.shares[2][0] > 0.99, "and it gets its own once it is: \(after.shares)")
    }

    @Test("What was learned of a limit is forgotten with it")
    func otherLimit() {
        func share(_ hasSameLimit: Bool) -> Double {
            var old = CapacityAllocator(orders: [[0, 1]], sites: 2)
            // Whatever it is given, site 0 carries a tenth too much.
            for _ in 0..<200 { old.step([.init(load: 880, limit: 800), .init(load: 0, limit: 8000)], seconds: 2) }
            var new = CapacityAllocator(
                orders: [[0, 1]], sites: (0..<2).map { Former(site: $0, hasSameLimit: hasSameLimit) }, adopting: old)
            for _ in 0..<100 { new.step([.init(load: nil, limit: 800), .init(load: nil, limit: 8000)], seconds: 10) }
            return new.shares[0][0]
        }
        #expect(share(false) > share(true) * 1.05)
    }

    @Test("Who lost a region comes home in steps when it is back, and others do not move for it")
    func homecoming() {
        var (allocator, world) = Self.spilled()
        // All fits, so that what is spilled is on its way home.
        world.demand[0] = 700
        world.isUp[1] = false
        world.step(&allocator, seconds: 2)
        #expect(allocator.shares[1][0] == 0, "left at once")
        for _ in 0..<300 { world.step(&allocator, seconds: 2) }
        world.isUp[1] = true
        var last = allocator.shares[1][0]
        #expect(last == 0)
        for _ in 0..<300 {
            let others = allocator.shares[0]
            world.step(&allocator, seconds: 2)
            #expect(allocator.shares[1][0] >= last - 1e-9 && allocator.shares[1][0] - last < 0.05)
            #expect(Self.near(allocator.shares[0], others, 0.05))
            last = allocator.shares[1][0]
        }
        #expect(last > 0.99)
    }

    @Test("Demand is learned late where a load is known late")
    func lateLoad() {
        // Site 1's own load is unknown at first, while others spill there.
        var allocator = CapacityAllocator(orders: Self.orders, sites: 3)
        for _ in 0..<100 {
            allocator.step(
                [.init(load: 1000, limit: 800), .init(load: nil, limit: 800), .init(load: 0, limit: 800)], seconds: 2)
        }
        #expect(allocator.shares[0][1] > 0.1)
        for _ in 0..<300 {
            allocator.step(
                [.init(load: 800, limit: 800), .init(load: 1600, limit: 800), .init(load: 0, limit: 800)], seconds: 2)
        }
        #expect(allocator.shares[1][0] < 0.7, "it is too much for it: \(allocator.shares)")
    }
}
