import Geo
import Model
import Steering
import TestKit
import Testing

@Suite("Random chains")
struct RandomChainTests {
    @Test("Classes answer as a client by client evaluation does", arguments: UInt64(0)..<150)
    func agrees(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let scene = RandomScene(using: &generator)
        var planner = scene.planner
        let plan = try planner.plan(for: scene.name)
        for _ in 0..<4 {
            let health = scene.health(using: &generator)
            let answers = plan.evaluate(health)
            #expect(answers.count == plan.classCount)
            for _ in 0..<25 {
                let client = scene.client(using: &generator)
                let found = plan.classify(client)
                let answer = answers[Int(found.index)]
                let expected = DirectEvaluation(scene: scene, client: client, health: health)
                #expect(answer.failOpen == expected.failOpen, "\(client)")
                let shares = shares(of: answer)
                #expect(Set(shares.keys) == Set(expected.shares.keys), "\(client) \(scene.name.steps) \(health)")
                for (candidates, share) in expected.shares {
                    #expect(abs((shares[candidates] ?? 0) - share) < 1e-3, "\(client) \(candidates)")
                }
            }
        }
    }

    @Test("Whoever is in the scope is in the class, and explained as served", arguments: UInt64(1000)..<1080)
    func scopes(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let scene = RandomScene(using: &generator)
        var planner = scene.planner
        let plan = try planner.plan(for: scene.name)
        let health = scene.health(using: &generator)
        let answers = plan.evaluate(health)
        for _ in 0..<50 {
            let client = scene.client(using: &generator)
            let found = plan.classify(client)
            let range = IPPrefix(client, length: found.scope)
            for _ in 0..<5 {
                let other = scene.client(in: range, using: &generator)
                #expect(plan.classify(other) == found, "\(other) in \(range)")
            }
            let explanation = plan.explain(client, health)
            #expect(explanation.answer == answers[Int(found.index)])
            #expect(explanation.steps.count >= scene.name.steps.count)
            for (step, trace) in zip(scene.name.steps, explanation.steps) {
                #expect(!trace.after.isEmpty && !trace.fact.isEmpty, "\(step)")
                #expect(Set(trace.after).isSubset(of: trace.before))
            }
            // What the trace ends with is served, unless every one of it is withheld while it returns.
            let last = explanation.steps.last?.after ?? []
            let served = Set(explanation.answer.variants.flatMap(\.candidates))
            let full = last.filter { health[$0].share >= 1 }
            #expect(full.isEmpty || !served.isDisjoint(with: full), "\(last) \(served)")
        }
    }

    private func shares(of answer: ClassAnswer) -> [[Int]: Double] {
        var shares: [[Int]: Double] = [:]
        var below: UInt32 = 0
        for variant in answer.variants {
            #expect(variant.cumulative > below)
            #expect(shares[variant.candidates] == nil)
            shares[variant.candidates] = Double(variant.cumulative - below) / Double(answer.total)
            below = variant.cumulative
        }
        return shares
    }
}

/// A name with random steps over random maps, in a small part of the address space.
struct RandomScene {
    let name: DynamicName
    let locations: [(prefix: IPPrefix, place: Place)]
    let latencies: [LatencyTable.Entry]
    let count: Int

    init(using generator: inout SeededGenerator) {
        count = Int.random(in: 1...5, using: &generator)
        var locations: [(prefix: IPPrefix, place: Place)] = []
        var latencies: [LatencyTable.Entry] = []
        for _ in 0..<Int.random(in: 0...20, using: &generator) {
            locations.append((Self.prefix(using: &generator), Self.place(using: &generator)))
        }
        for _ in 0..<Int.random(in: 0...30, using: &generator) {
            latencies.append(
                .init(
                    prefix: Self.prefix(using: &generator),
                    region: RegionID(Int.random(in: 0..<count, using: &generator)),
                    microseconds: UInt32.random(in: 0...40, using: &generator) * 1000))
        }
        self.locations = locations
        self.latencies = latencies
        var steps: [SteeringStep] = []
        for _ in 0..<Int.random(in: 0...5, using: &generator) {
            steps.append(Self.step(count, using: &generator))
        }
        name = DynamicName(
            name: "n.", ttl: 1, service: nil, check: nil, checkPort: 0,
            candidates: (0..<count).map { .init(region: RegionID($0), records: []) }, steps: steps, ramp: .zero)
    }

    var planner: SteeringPlanner {
        var places = [Place.unknown]
        let entries = locations.map { prefix, place -> (prefix: IPPrefix, value: UInt32) in
            places.append(place)
            return (prefix, UInt32(places.count - 1))
        }
        return SteeringPlanner(
            regions: (0..<count).map {
                Region(name: "r\($0)", location: Location(), address: nil, capacity: nil)
            },
            locations: LocationTable(prefixes: PrefixTable(entries, otherwise: 0), places: places),
            latencies: ["l": LatencyTable(latencies, regionCount: count)])
    }

    func health(using generator: inout SeededGenerator) -> [CandidateHealth] {
        (0..<count).map { _ in
            let share = Bool.random(using: &generator) ? 1 : Double(Int.random(in: 0...10, using: &generator)) / 10
            return CandidateHealth(healthy: Int.random(in: 0..<3, using: &generator) > 0, share: share)
        }
    }

    /// 10.0.0.0/8 and 2001:db8::/32, few bits of either.
    func client(using generator: inout SeededGenerator) -> IPAddress {
        if Bool.random(using: &generator) {
            return IPAddress(v4: 10 << 24 | UInt32.random(in: 0..<16, using: &generator) << 20)
        }
        return IPAddress(v6: 0x2001_0db8 << 32 | UInt64.random(in: 0..<16, using: &generator) << 28, 0)
    }

    func client(in range: IPPrefix, using generator: inout SeededGenerator) -> IPAddress {
        let noise = IPAddress(family: range.address.family, high: generator.next(), low: generator.next())
        let fixed = IPPrefix(noise, length: range.length).address
        if range.address.family == .v4 {
            return IPAddress(v4: range.address.v4 | (noise.v4 ^ fixed.v4))
        }
        return IPAddress(
            v6: range.address.high | (noise.high ^ fixed.high), range.address.low | (noise.low ^ fixed.low))
    }

    private static func prefix(using generator: inout SeededGenerator) -> IPPrefix {
        if Bool.random(using: &generator) {
            let address = IPAddress(v4: 10 << 24 | UInt32.random(in: 0..<16, using: &generator) << 20)
            return IPPrefix(address, length: Int.random(in: 6...12, using: &generator))
        }
        let address = IPAddress(v6: 0x2001_0db8 << 32 | UInt64.random(in: 0..<16, using: &generator) << 28, 0)
        return IPPrefix(address, length: Int.random(in: 30...36, using: &generator))
    }

    private static func place(using generator: inout SeededGenerator) -> Place {
        let places = [
            Place(continent: "EU", country: "DE"), Place(continent: "EU", country: "FR"),
            Place(continent: "NA", country: "US"), Place(continent: nil, country: "US"),
            Place(continent: "EU", country: nil),
        ]
        return places.randomElement(using: &generator) ?? .unknown
    }

    private static func step(_ count: Int, using generator: inout SeededGenerator) -> SteeringStep {
        func some(_ most: Int) -> [Int] {
            Array((0..<count).shuffled(using: &generator).prefix(Int.random(in: 0...most, using: &generator)))
        }
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: return .healthy
        case 1:
            var prefixes: [IPPrefix: [Int]] = [:]
            for _ in 0..<Int.random(in: 0...4, using: &generator) { prefixes[prefix(using: &generator)] = some(2) }
            return .geo(
                .init(
                    prefixes: prefixes, countries: ["DE": some(2), "US": some(2)], continents: ["EU": some(2)],
                    otherwise: some(1)))
        case 2:
            return .latency(.init(file: "l", tolerance: .milliseconds(Int.random(in: 0...20, using: &generator))))
        case 3: return .weighted((0..<count).map { _ in Int.random(in: 0...3, using: &generator) })
        case 4: return .failover(some(count))
        default: return .limit(Int.random(in: 1...3, using: &generator))
        }
    }
}
