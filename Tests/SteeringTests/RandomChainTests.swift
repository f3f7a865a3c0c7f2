import Geo
import Model
import Steering
import TestKit
import Testing

@Suite("Random chains")
struct RandomChainTests {
    @Test("Classes answer as a client by client evaluation does", arguments: UInt64(0)..<300)
    func agrees(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let scene = RandomScene(using: &generator)
        try compare(scene, &generator) { answer, expected, client in
            let shares = shares(of: answer)
            #expect(Set(shares.keys) == Set(expected.shares.keys), "\(client) \(scene.name.steps)")
            for (candidates, share) in expected.shares {
                #expect(abs((shares[candidates] ?? 0) - share) < 1e-3, "\(client) \(candidates)")
            }
        }
    }

    @Test("Chains in chains answer as a client by client evaluation does", arguments: UInt64(5000)..<5200)
    func nests(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let scene = RandomScene(depth: Int.random(in: 1...3, using: &generator), using: &generator)
        try compare(scene, &generator) { answer, expected, client in
            // One draw serves all chains of an answer: what each leaf gets is fixed, and not who stands beside it.
            let parts = parts(of: shares(of: answer))
            let wanted = self.parts(of: expected.shares)
            for leaf in scene.chain.leaves {
                #expect(abs((parts[leaf] ?? 0) - (wanted[leaf] ?? 0)) < 1e-3, "\(client) \(leaf)")
            }
        }
    }

    private func compare(
        _ scene: RandomScene, _ generator: inout SeededGenerator,
        _ judge: (ClassAnswer, DirectEvaluation, IPAddress) -> Void
    ) throws {
        var planner = scene.planner
        let plan = try planner.plan(for: scene.name)
        let spill = scene.spill(plan)
        for _ in 0..<3 {
            let health = scene.health(using: &generator)
            let answers = plan.evaluate(health, spill: spill)
            #expect(answers.count == plan.classCount)
            for _ in 0..<8 {
                let client = scene.client(using: &generator)
                let answer = answers[Int(plan.classify(client).index)]
                let expected = DirectEvaluation(scene: scene, client: client, health: health)
                #expect(answer.failOpen == expected.failOpen, "\(client) \(scene.name.steps)")
                judge(answer, expected, client)
            }
        }
    }

    @Test(
        "Whoever is in the scope is in the class, and whoever is in the next wider one is not",
        arguments: UInt64(1000)..<1080)
    func scopes(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let scene = RandomScene(depth: Int.random(in: 0...1, using: &generator), using: &generator)
        var planner = scene.planner
        let plan = try planner.plan(for: scene.name)
        for _ in 0..<10 {
            let client = scene.client(using: &generator)
            let found = plan.classify(client)
            let range = IPPrefix(client, length: found.scope)
            for _ in 0..<5 {
                let other = scene.client(in: range, using: &generator)
                #expect(plan.classify(other) == found, "\(other) in \(range)")
            }
            for other in RandomScene.grid(in: range) {
                #expect(plan.classify(other) == found, "\(other) in \(range)")
            }
            if found.scope > 0 {
                let wider = IPPrefix(client, length: found.scope - 1)
                #expect(
                    RandomScene.grid(in: wider).contains { plan.classify($0).index != found.index },
                    "\(wider) is all of one class")
            }
        }
    }

    @Test("What is explained is what is served", arguments: UInt64(2000)..<2100)
    func explained(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let scene = RandomScene(depth: Int.random(in: 0...2, using: &generator), using: &generator)
        var planner = scene.planner
        let plan = try planner.plan(for: scene.name)
        let spill = scene.spill(plan)
        let health = scene.health(using: &generator)
        let answers = plan.evaluate(health, spill: spill)
        for _ in 0..<20 {
            let client = scene.client(using: &generator)
            let explanation = plan.explain(client, health, spill: spill)
            #expect(explanation.answer == answers[Int(plan.classify(client).index)])
            let own = explanation.steps.filter { $0.chain.isEmpty && $0.step != "order" && $0.step != "ramp" }
            #expect(own.map(\.step) == scene.name.steps.map(\.label))
            for trace in explanation.steps {
                #expect(!trace.fact.isEmpty, "\(trace)")
                // Others are called back that were passed over only for a full candidate, or for want of any.
                if !["capacity", "geo", "prefix"].contains(trace.step) {
                    #expect(Set(trace.after).isSubset(of: trace.before), "\(trace)")
                }
            }
            for (before, after) in zip(own, own.dropFirst()) { #expect(before.after == after.before) }
            // Who is answered with is among those that the last step left, or returns in one of the other worlds.
            guard case let last?? = Optional(own.last), health.allSatisfy({ $0.share >= 1 }) else { continue }
            let served = Set(explanation.answer.variants.flatMap(\.candidates))
            for (position, member) in scene.chain.members.enumerated() {
                guard case .leaf(let leaf) = member, served.contains(leaf) else { continue }
                #expect(last.after.contains(position), "\(leaf) is served and was dropped")
            }
        }
    }

    @Test(
        "By place and by prefix: never nothing for whom a list names, never beyond his lists, the smallest that is healthy",
        arguments: UInt64(9000)..<9300)
    func policies(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let plain = RandomScene(using: &generator)
        var lists = SteeringStep.hash
        while lists == .hash {
            switch RandomScene.step(plain.chain.members.count, using: &generator) {
            case .geo(let geo):
                lists = .geo(
                    .init(
                        prefixes: geo.prefixes, networks: geo.networks, cities: geo.cities,
                        subdivisions: geo.subdivisions, countries: geo.countries, continents: geo.continents,
                        otherwise: geo.otherwise, fence: .open))
            case .prefix(let step):
                lists = .prefix(.init(prefixes: step.prefixes, otherwise: step.otherwise, fence: .open))
            default: break
            }
        }
        let scene = RandomScene(plain, steps: [.healthy(), lists, .take(1)])
        var planner = scene.planner
        let plan = try planner.plan(for: scene.name)
        for _ in 0..<6 {
            let health = scene.health(using: &generator)
            let answers = plan.evaluate(health)
            for _ in 0..<12 {
                let client = scene.client(using: &generator)
                let direct = DirectEvaluation(scene: scene, client: client, health: health)
                let wanted =
                    switch lists {
                    case .geo(let geo): direct.lists(geo).filter { !$0.isEmpty }
                    case .prefix(let step): direct.lists(step).filter { !$0.isEmpty }
                    default: [[Int]]()
                    }
                let answer = answers[Int(plan.classify(client).index)]
                let given = answer.variants.map(\.candidates)
                guard !wanted.isEmpty else {
                    #expect(given == [[]])
                    continue
                }
                #expect(given.allSatisfy { $0.count == 1 && wanted.joined().contains($0[0]) }, "\(client) \(health)")
                // Without ramps and operators, what Route 53 does, word by word.
                guard health.allSatisfy({ $0.share >= 1 && $0.order == nil }) else { continue }
                let best = wanted.lazy.compactMap { list in list.first { health[$0].healthy } }.first
                #expect(given == [[best ?? wanted[0][0]]], "\(client) \(health)")
            }
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

    private func parts(of shares: [[Int]: Double]) -> [Int: Double] {
        var parts: [Int: Double] = [:]
        for (leaves, share) in shares { for leaf in leaves { parts[leaf, default: 0] += share } }
        return parts
    }
}
