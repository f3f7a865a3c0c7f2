import Geo
import Model
import Steering
import Testing

/// Three regions, everybody's example.
enum World3 {
    static let regions = ["east", "west", "south"].map {
        Region(name: $0, location: Location(), address: nil, capacity: nil)
    }
    static let locations = """
        10.1.0.0/16,NA,US
        10.2.0.0/16,EU,DE
        10.3.0.0/16,EU,FR
        10.4.0.0/16,AS,IN
        """
    static let latencies = """
        10.1.0.0/16,east,10
        10.1.0.0/16,west,25
        10.1.0.0/16,south,200
        10.2.0.0/16,west,12.5
        """

    static func planner() throws -> SteeringPlanner {
        SteeringPlanner(
            regions: regions, locations: try LocationTable(csv: Array(locations.utf8)),
            latencies: ["l.csv": try LatencyTable(csv: Array(latencies.utf8), regions: regions.map(\.name))])
    }

    static func name(_ steps: [SteeringStep], candidates: Int = 3) -> DynamicName {
        DynamicName(
            name: "www.shop.test.", ttl: 5, service: nil, check: nil, checkPort: 80,
            candidates: (0..<candidates).map { .init(region: RegionID($0), records: []) }, steps: steps,
            ramp: .zero)
    }

    static func plan(_ steps: [SteeringStep]) throws -> SteeringPlan {
        var planner = try planner()
        return try planner.plan(for: name(steps))
    }

    static func up(_ flags: Bool...) -> [CandidateHealth] {
        flags.map { CandidateHealth(healthy: $0, reason: $0 ? "" : "refused") }
    }

    static func answer(_ plan: SteeringPlan, _ client: String, _ health: [CandidateHealth]) throws -> ClassAnswer {
        let found = plan.classify(try #require(IPAddress(client)))
        return plan.evaluate(health)[Int(found.index)]
    }

    static let geo = SteeringStep.geo(
        .init(
            prefixes: [:], countries: ["FR": [2]], continents: ["NA": [0], "EU": [1]], otherwise: [0]))
    static let latency = SteeringStep.latency(.init(file: "l.csv", tolerance: .milliseconds(20)))
}

@Suite("Steering chain")
struct ChainTests {
    @Test("Healthy keeps the healthy, and everybody when nobody is")
    func healthy() throws {
        let plan = try World3.plan([.healthy()])
        #expect(plan.classCount == 1)
        let some = try World3.answer(plan, "10.1.0.1", World3.up(false, true, true))
        #expect(some == ClassAnswer(variants: [.init(candidates: [1, 2], cumulative: 1)], failOpen: false))
        let none = try World3.answer(plan, "10.1.0.1", World3.up(false, false, false))
        #expect(none == ClassAnswer(variants: [.init(candidates: [0, 1, 2], cumulative: 1)], failOpen: true))
    }

    @Test(
        "Geo takes the nearest place that somebody is left of",
        arguments: [
            ("10.1.0.1", [true, true, true], [0]), ("10.2.0.1", [true, true, true], [1]),
            ("10.3.0.1", [true, true, true], [2]), ("10.3.0.1", [true, true, false], [1]),
            ("10.3.0.1", [true, false, false], [0]), ("10.4.0.1", [true, true, true], [0]),
            ("10.4.0.1", [false, true, true], [1, 2]), ("192.0.2.1", [true, true, true], [0]),
            ("10.1.0.1", [false, true, true], [1, 2]),
        ])
    func geo(client: String, health: [Bool], expected: [Int]) throws {
        let plan = try World3.plan([.healthy(), World3.geo])
        let answer = try World3.answer(plan, client, health.map { CandidateHealth(healthy: $0) })
        #expect(answer.variants.map(\.candidates) == [expected])
        #expect(!answer.failOpen)
    }

    @Test("A prefix beats a country; the prefixes around it come next; the answer is as wide as it may be")
    func geoPrefixes() throws {
        let plan = try World3.plan([
            .healthy(),
            .geo(
                .init(
                    prefixes: [try #require(IPPrefix("10.0.0.0/8")): [0], try #require(IPPrefix("10.3.3.0/24")): [1]],
                    countries: ["FR": [2]], continents: [:], otherwise: [])),
        ])
        let all = World3.up(true, true, true)
        #expect(try World3.answer(plan, "10.3.3.1", all).variants.map(\.candidates) == [[1]])
        #expect(try World3.answer(plan, "10.3.3.1", World3.up(true, false, true)).variants.map(\.candidates) == [[0]])
        #expect(try World3.answer(plan, "10.3.3.1", World3.up(false, false, true)).variants.map(\.candidates) == [[2]])
        #expect(try World3.answer(plan, "10.3.4.1", all).variants.map(\.candidates) == [[0]])
        #expect(try plan.classify(#require(IPAddress("10.3.3.1"))).scope == 24)
        #expect(try plan.classify(#require(IPAddress("11.0.0.1"))).scope == 8)
        #expect(try plan.classify(#require(IPAddress("2001:db8::1"))).scope == 0)
    }

    @Test("Places with the same regions are one class, and neighbours are joined")
    func classesAreFew() throws {
        let plan = try World3.plan([
            .geo(.init(prefixes: [:], countries: [:], continents: ["NA": [0], "EU": [0]], otherwise: [1]))
        ])
        #expect(plan.classCount == 2)
        // 10.2.0.0/16 and 10.3.0.0/16 are different countries with one answer.
        #expect(try plan.classify(#require(IPAddress("10.2.0.1"))).scope == 15)
    }

    @Test("Latency keeps those within the tolerance of the best that is left, the nearest first")
    func latency() throws {
        let plan = try World3.plan([.healthy(), World3.latency])
        func kept(_ client: String, _ health: [CandidateHealth]) throws -> [[Int]] {
            try World3.answer(plan, client, health).variants.map(\.candidates)
        }
        #expect(try kept("10.1.0.1", World3.up(true, true, true)) == [[0, 1]])
        #expect(try kept("10.1.0.1", World3.up(false, true, true)) == [[1]])
        #expect(try kept("10.1.0.1", World3.up(false, false, true)) == [[2]])
        // Only one figure: those without any are not kept beside it, and take over when it is gone.
        #expect(try kept("10.2.0.1", World3.up(true, true, true)) == [[1]])
        #expect(try kept("10.2.0.1", World3.up(true, false, true)) == [[0, 2]])
        #expect(try kept("10.3.0.1", World3.up(true, true, true)) == [[0, 1, 2]])
    }

    @Test("Weights split the answers; zero counts only when nothing else is left")
    func weighted() throws {
        let plan = try World3.plan([.healthy(), .weighted([10, 30, 0])])
        func split(_ health: [CandidateHealth]) throws -> [ClassAnswer.Variant] {
            try World3.answer(plan, "10.1.0.1", health).variants
        }
        #expect(
            try split(World3.up(true, true, true)) == [
                .init(candidates: [0], cumulative: 10), .init(candidates: [1], cumulative: 40),
            ])
        #expect(try split(World3.up(false, true, true)) == [.init(candidates: [1], cumulative: 30)])
        #expect(try split(World3.up(false, false, true)) == [.init(candidates: [2], cumulative: 1)])
        let zeros = try World3.plan([.weighted([0, 0, 0])])
        #expect(try World3.answer(zeros, "10.1.0.1", World3.up(true, true, true)).total == 3)
    }

    @Test("A draw picks each variant as often as its weight says")
    func picks() throws {
        let answer = ClassAnswer(
            variants: [.init(candidates: [0], cumulative: 10), .init(candidates: [1], cumulative: 40)],
            failOpen: false)
        let drawn = (0..<answer.total).map { answer.pick($0) }
        #expect(drawn.count { $0 == [0] } == 10)
        #expect(drawn.count { $0 == [1] } == 30)
    }

    @Test("Steps behind the weights narrow the choice and leave one candidate an answer")
    func afterWeights() throws {
        let plan = try World3.plan([.weighted([10, 30, 60]), .healthy(), .take(1)])
        let answer = try World3.answer(plan, "10.1.0.1", World3.up(true, true, false))
        #expect(
            answer.variants == [.init(candidates: [0], cumulative: 10), .init(candidates: [1], cumulative: 40)])
        let one = try World3.plan([.weighted([10, 30, 60]), .priority(.init([2, 0]))])
        #expect(
            try World3.answer(one, "10.1.0.1", World3.up(true, true, true)).variants.map(\.candidates) == [[2]])
    }

    @Test("Failover takes the first that is left, limit the first few")
    func failoverAndLimit() throws {
        let failover = try World3.plan([.healthy(), .priority(.init([2, 0]))])
        func kept(_ plan: SteeringPlan, _ health: [CandidateHealth]) throws -> [[Int]] {
            try World3.answer(plan, "10.1.0.1", health).variants.map(\.candidates)
        }
        #expect(try kept(failover, World3.up(true, true, true)) == [[2]])
        #expect(try kept(failover, World3.up(true, true, false)) == [[0]])
        // Nobody of the order is left: the set stays as it is.
        #expect(try kept(failover, World3.up(false, true, false)) == [[1]])
        #expect(try kept(World3.plan([.take(2)]), World3.up(true, true, true)) == [[0, 1]])
        #expect(try kept(World3.plan([World3.latency, .take(1)]), World3.up(true, true, true)) == [[0]])
        #expect(try kept(World3.plan([]), World3.up(false, true, true)) == [[0, 1, 2]])
    }

    @Test("A returning candidate gets its share and the rest goes where it went before")
    func ramp() throws {
        let plan = try World3.plan([.healthy(), .priority(.init([0, 1, 2]))])
        var health = World3.up(true, true, true)
        health[0].share = 0.3
        let answer = try World3.answer(plan, "10.1.0.1", health)
        #expect(
            answer.variants == [
                .init(candidates: [0], cumulative: 3_000_000), .init(candidates: [1], cumulative: 10_000_000),
            ])
        #expect(!answer.failOpen)
    }

    @Test("Candidates that are all returning share as if none were; a share of zero is out")
    func rampOfAll() throws {
        let plan = try World3.plan([.healthy()])
        var health = World3.up(true, false, false)
        health[0].share = 0.1
        #expect(try World3.answer(plan, "10.1.0.1", health).variants.map(\.candidates) == [[0]])
        #expect(try !World3.answer(plan, "10.1.0.1", health).failOpen)
        health[1] = CandidateHealth(healthy: true)
        health[0].share = 0
        #expect(try World3.answer(plan, "10.1.0.1", health).variants.map(\.candidates) == [[1]])
    }

    @Test("Weights keep their proportions while somebody returns")
    func rampWithWeights() throws {
        let plan = try World3.plan([.healthy(), .weighted([1, 1, 2])])
        var health = World3.up(true, true, true)
        health[2].share = 0.5
        let answer = try World3.answer(plan, "10.1.0.1", health)
        var shares: [Int: Double] = [:]
        var below: UInt32 = 0
        for variant in answer.variants {
            shares[variant.candidates[0], default: 0] += Double(variant.cumulative - below) / Double(answer.total)
            below = variant.cumulative
        }
        // In: 1/4 1/4 1/2. Out: 1/2 1/2 0.
        #expect(abs((shares[0] ?? 0) - 0.375) < 1e-6)
        #expect(abs((shares[2] ?? 0) - 0.25) < 1e-6)
    }

    @Test("Whom a preference passed over is in for capacity by what it sheds, no more and no less")
    func shedsInReserve() throws {
        var planner = try World3.planner()
        let plan = try planner.plan(
            for: World3.name([
                .priority(.init([0, 1, 2])), .shed(.init(low: 50, high: 100)), .capacity(.init(limit: 90)),
            ]))
        var spill = SpillShares()
        for site in plan.spillSites { spill.set(site, [1, 1, 0]) }
        // West sheds half, east nothing: east has half of all, and half of the half in which west is in.
        let health = [
            CandidateHealth(healthy: true), CandidateHealth(healthy: true, load: 75, capacity: 100),
            CandidateHealth(healthy: true),
        ]
        let answer = plan.evaluate(health, spill: spill)[0]
        let west = answer.variants.indices.filter { answer.variants[$0].candidates == [1] }
        #expect(abs(west.reduce(0) { $0 + Double(answer.weight(of: $1)) } / Double(answer.total) - 0.25) < 1e-6)
    }
}
