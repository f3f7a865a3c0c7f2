import Geo
package import Model

/// How the clients of a name, or of several names steered alike, are told apart and what each kind is answered with.
///
/// Made once for a topology by `SteeringPlanner`. `classify` is for the query path; `evaluate` runs when health moves.
package final class SteeringPlan: Sendable {
    package static let maximumCandidates = 128

    /// The candidates' regions, for people.
    let names: [String]
    let steps: [SteeringStep]
    let partition: ClientPartition

    init(names: [String], steps: [SteeringStep], partition: ClientPartition) {
        self.names = names
        self.steps = steps
        self.partition = partition
    }

    package var classCount: Int { partition.classes.count }

    /// The ranges of addresses that the plan holds: what its memory grows with.
    package var rangeCount: Int { partition.table.rangeCount }

    /// Whether both plans tell clients apart by one map: then a client's class is the same under both.
    package func sharesPartition(with other: SteeringPlan) -> Bool { partition === other.partition }

    /// The class of `client` and how far around it that class reaches. Allocates nothing.
    ///
    /// `client` is canonical (`IPAddress.canonical`); of a client known only by a prefix it is the first address.
    package func classify(_ client: IPAddress) -> ClientClass {
        let match = partition.table.lookup(client)
        return ClientClass(index: match.value, scope: match.width)
    }

    /// What each class is answered with, given the health of every candidate in the order of `DynamicName.candidates`.
    package func evaluate(_ health: [CandidateHealth]) -> [ClassAnswer] {
        let worlds = World.all(health)
        return partition.classes.indices.map { answer(class: $0, worlds: worlds) }
    }

    /// What `client` is answered with, and why.
    package func explain(_ client: IPAddress, _ health: [CandidateHealth]) -> Explanation {
        let found = classify(client)
        var tracer: Tracer? = Tracer(client: client, health: health, names: names)
        var chain = Chain(plan: self, classIndex: Int(found.index), world: World.everybody(health))
        chain.run(tracing: &tracer)
        tracer?.noteRamp(remaining: chain.remaining)
        return Explanation(
            client: found, steps: tracer?.steps ?? [],
            answer: answer(class: Int(found.index), worlds: World.all(health)))
    }

    /// Joins what each world answers, in proportion to the worlds' weights.
    private func answer(class index: Int, worlds: [World]) -> ClassAnswer {
        var weights: [(candidates: [Int], weight: UInt64)] = []
        var failOpen = false
        for world in worlds {
            var chain = Chain(plan: self, classIndex: index, world: world)
            var tracer: Tracer?
            chain.run(tracing: &tracer)
            failOpen = failOpen || chain.failOpen
            let alternatives = chain.alternatives
            let scale = worlds.count == 1 ? nil : UInt64(world.weight) * World.scale
            for (candidates, weight) in Self.scaled(alternatives, to: scale) {
                if let known = weights.firstIndex(where: { $0.candidates == candidates }) {
                    weights[known].weight += weight
                } else {
                    weights.append((candidates, weight))
                }
            }
        }
        var sum: UInt32 = 0
        let variants = weights.filter { $0.weight > 0 }.map { candidates, weight in
            sum += UInt32(weight)
            return ClassAnswer.Variant(candidates: candidates, cumulative: sum)
        }
        return ClassAnswer(variants: variants, failOpen: failOpen)
    }

    /// The same proportions with weights that add up to `total`; as they are when `total` is nil.
    private static func scaled(
        _ alternatives: [(candidates: [Int], weight: UInt64)], to total: UInt64?
    ) -> [(candidates: [Int], weight: UInt64)] {
        guard let total else { return alternatives }
        let sum = alternatives.reduce(0) { $0 + $1.weight }
        var below: UInt64 = 0
        // Rounding the cumulative weights instead of each keeps the sum exact.
        return alternatives.map { candidates, weight in
            let before = below * total / sum
            below += weight
            return (candidates, below * total / sum - before)
        }
    }
}
