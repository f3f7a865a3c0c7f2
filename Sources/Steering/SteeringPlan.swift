package import Geo
package import Model

/// How the clients of a name, or of several names steered alike, are told apart and what each kind is answered with.
///
/// Made once for a topology by `SteeringPlanner`. `classify` is for the query path; `evaluate` runs when health moves.
package final class SteeringPlan: Sendable {
    package static let maximumCandidates = SteeringChain.maximumLeaves

    let chain: CompiledChain
    let partition: ClientPartition
    /// Of the partition's table, for the query path; the partition holds it.
    package let map: PrefixTable.View
    /// Chains that fill candidates by capacity, this one's own and those in it.
    private let filling: [CompiledChain]
    private let chainCount: Int
    private let sheds: Bool
    private let countsServers: Bool
    private let asksHealth: Bool
    /// Whether some answers try candidates of which little is known.
    package let explores: Bool

    init(chain: CompiledChain, chainCount: Int, partition: ClientPartition) {
        self.chain = chain
        self.partition = partition
        map = partition.table.view
        self.chainCount = chainCount
        let chains = Self.chains(in: chain)
        filling = chains.filter(\.fillsByCapacity)
        let steps = chains.flatMap(\.steps).map(\.step)
        sheds = steps.contains { if case .shed = $0 { true } else { false } }
        countsServers = steps.contains { if case .healthy(let step) = $0 { step.servers > 0 } else { false } }
        asksHealth = steps.contains { if case .healthy = $0 { true } else { false } }
        explores = steps.contains { if case .latency(let step) = $0 { step.explore > 0 } else { false } }
    }

    private static func chains(in chain: CompiledChain) -> [CompiledChain] {
        [chain]
            + chain.members.flatMap { member -> [CompiledChain] in
                if case .chain(let inner) = member { chains(in: inner) } else { [] }
            }
    }

    package var classCount: Int { partition.classes.count }

    /// The ranges of addresses that the plan holds: what its memory grows with.
    package var rangeCount: Int { partition.table.rangeCount }

    /// Whether answers are filled by what candidates can carry.
    package var fillsByCapacity: Bool { !filling.isEmpty }

    /// `health` without the figures that no step of the plan asks for, which therefore change no answer.
    package func relevant(_ health: CandidateHealth) -> CandidateHealth {
        var health = health
        if !sheds {
            health.load = nil
            health.capacity = nil
        }
        if !countsServers { health.upShare = 1 }
        if !asksHealth { health.stale = false }
        return health
    }

    /// Whether both plans tell clients apart by one map: then a client's class is the same under both.
    package func sharesPartition(with other: SteeringPlan) -> Bool { partition === other.partition }

    /// The class of `client` and how far around it that class reaches. Allocates nothing.
    ///
    /// `client` is canonical (`IPAddress.canonical`); of a client known only by a prefix it is the first address.
    package func classify(_ client: IPAddress) -> ClientClass {
        let match = map.lookup(client)
        return ClientClass(index: match.value, scope: match.width)
    }

    /// The same for a client of whom `source` bits (0 ... 32 or 128) are known: rules for longer prefixes do not match. The scope
    /// says how many bits would tell (RFC 7871 section 7.2.1), which may be more.
    @inline(__always)
    package func classify(_ client: IPAddress, source: Int) -> ClientClass {
        let found = classify(client)
        return Int(found.scope) > source ? coarse(client, source: source, found) : found
    }

    @inline(never)
    private func coarse(_ client: IPAddress, source: Int, _ found: ClientClass) -> ClientClass {
        for position in partition.bounds.indices where partition.bounds[position].covers(source, of: client.family) {
            return ClientClass(index: partition.coarse[position].lookup(client).value, scope: found.scope)
        }
        return found
    }

    /// What each class is answered with, given the health of every candidate in the order of `DynamicName.leaves`.
    package func evaluate(_ health: [CandidateHealth], spill: SpillShares = SpillShares()) -> [ClassAnswer] {
        let leaves = health.map(\.ordered)
        return partition.classes.indices.map { ClassAnswer(evaluation($0, leaves, spill).run(chain)) }
    }

    /// The part of all answers that is spent on trying candidates, 0 ... 1, were every range of addresses of which a
    /// `latency` step knows something to ask alike.
    ///
    /// `answers`: what `evaluate` returned.
    package func exploredShare(_ answers: [ClassAnswer]) -> Double {
        guard explores, answers.contains(where: { $0.explored > 0 }) else { return 0 }
        let weights = partition.knownRanges
        let total = weights.reduce(0, +)
        guard total > 0 else { return 0 }
        return zip(weights, answers).reduce(0) { $0 + Double($1.0) * $1.1.explored } / Double(total)
    }

    /// What `client` is answered with, and why.
    package func explain(
        _ client: IPAddress, source: Int? = nil, _ health: [CandidateHealth], spill: SpillShares = SpillShares()
    ) -> Explanation {
        let width = client.family == .v4 ? 32 : 128
        let found = classify(client, source: source ?? width)
        let evaluation = evaluation(Int(found.index), health.map(\.ordered), spill)
        return Explanation(
            client: found, steps: trace(chain, evaluation, client, source ?? width),
            answer: ClassAnswer(evaluation.run(chain)))
    }

    /// The steps of a chain with everybody in who is healthy, and then those of the chains that it comes to.
    private func trace(
        _ chain: CompiledChain, _ evaluation: ChainEvaluation, _ client: IPAddress, _ source: Int
    ) -> [StepTrace] {
        let nested = chain.members.map { member -> ChainEvaluation.Result? in
            if case .chain(let chain) = member { evaluation.run(chain) } else { nil }
        }
        let health = evaluation.health(of: chain, nested)
        var tracer: Tracer? = Tracer(client: client, source: source, health: health, chain: chain)
        var run = evaluation.start(chain, health, World.everybody(health))
        run.run(tracing: &tracer)
        tracer?.noteRamp(remaining: run.remaining)
        var steps = tracer?.steps ?? []
        for member in run.remaining {
            if case .chain(let inner) = chain.members[member] { steps += trace(inner, evaluation, client, source) }
        }
        return steps
    }

    /// What `latency` steps know for `client`, the figures of each step.
    package func latencies(for client: IPAddress) -> [[LatencyKnowledge]] {
        partition.questions.compactMap { question in
            if case .latency(let question) = question { question.knowledge(for: client) } else { nil }
        }
    }

    /// Whom each class would have its capacity filled from, everybody being healthy.
    package var spillSites: [SpillSite] {
        let leaves = Array(repeating: CandidateHealth(healthy: true), count: chain.leaves.count)
        return filling.flatMap { chain in
            partition.classes.indices.compactMap { index -> SpillSite? in
                let order = evaluation(index, leaves, SpillShares()).run(chain).spillOrder
                return order.map { SpillSite(chain: chain.index, classIndex: index, order: $0, chain) }
            }
        }
    }

    private func evaluation(_ index: Int, _ leaves: [CandidateHealth], _ spill: SpillShares) -> ChainEvaluation {
        ChainEvaluation(
            questions: partition.questions, preferences: partition.classes[index], leaves: leaves,
            spill: filling.isEmpty
                ? [] : (0..<chainCount).map { spill.row(chain: $0, classIndex: index) })
    }
}

extension CandidateHealth {
    /// With the operator's word in force.
    package var ordered: CandidateHealth {
        var ordered = self
        switch order {
        case .up:
            ordered.healthy = true
            ordered.share = 1
            ordered.upShare = 1
        case .down: ordered.healthy = false
        case .drain, nil: break
        }
        return ordered
    }
}
