import Model

/// A chain ready to be evaluated: its candidates are leaves or chains of their own, and each step that asks about clients
/// knows where its question stands in the plan's partition.
final class CompiledChain: Sendable {
    enum Member: Sendable {
        /// Position in `DynamicName.leaves`.
        case leaf(Int)
        case chain(CompiledChain)
    }

    struct Step: Sendable {
        let step: SteeringStep
        /// Position in `ClientPartition.questions`.
        let question: Int?
    }

    /// Empty for the name's own chain.
    let title: String
    /// Position among the chains of the plan.
    let index: Int
    let names: [String]
    let members: [Member]
    let steps: [Step]
    /// For `RendezvousHash`, by member.
    let keys: [UInt32]
    /// All leaves of the chain and of those in it.
    let leaves: Range<Int>

    init(title: String, index: Int, names: [String], members: [Member], steps: [Step], leaves: Range<Int>) {
        self.title = title
        self.index = index
        self.names = names
        self.members = members
        self.steps = steps
        keys = RendezvousHash.keys(of: names)
        self.leaves = leaves
    }

    var isHashed: Bool { steps.contains { $0.step == .hash } }

    var fillsByCapacity: Bool {
        steps.contains { if case .capacity = $0.step { true } else { false } }
    }

    /// Whether any step may answer with somebody whom another passed over.
    var callsBack: Bool {
        steps.contains { step in
            switch step.step {
            case .capacity: true
            case .geo(let step): step.fence == .open
            case .prefix(let step): step.fence == .open
            default: false
            }
        }
    }
}

/// A chain as far as steering depends on it: everything but records and service. Names that are steered alike have equal
/// ones.
struct ChainShape: Hashable, Sendable {
    let title: String
    let names: [String]
    let regions: [RegionID?]
    let steps: [SteeringStep]
    let nested: [ChainShape?]

    init(title: String, candidates: [DynamicName.Candidate], steps: [SteeringStep], regions known: [Region]) {
        self.title = title
        names = candidates.map { candidate in
            candidate.region.map { candidate.name == "\($0.index)" ? known[$0.index].name : candidate.name }
                ?? candidate.name
        }
        regions = candidates.map(\.region)
        self.steps = steps
        nested = candidates.map { candidate in
            candidate.chain.map {
                ChainShape(title: $0.title, candidates: $0.candidates, steps: $0.steps, regions: known)
            }
        }
    }

    /// The questions that its steps ask about clients, each with the regions that it asks about, in the order in which
    /// `compile` numbers them.
    var questions: [ClientPartition.Subject] {
        steps.filter(\.asksAboutClient).map { ClientPartition.Subject(step: $0, regions: regions) }
            + nested.compactMap(\.self).flatMap(\.questions)
    }

    var leafCount: Int {
        nested.reduce(0) { $0 + ($1?.leafCount ?? 1) }
    }

    var depth: Int { 1 + (nested.compactMap { $0?.depth }.max() ?? 0) }

    /// Numbers leaves, questions and chains from `counters` on.
    func compile(_ counters: inout Counters) -> CompiledChain {
        let index = counters.chains
        counters.chains += 1
        let steps = steps.map { step in
            guard step.asksAboutClient else { return CompiledChain.Step(step: step, question: nil) }
            counters.questions += 1
            return CompiledChain.Step(step: step, question: counters.questions - 1)
        }
        let first = counters.leaves
        let members = nested.map { nested -> CompiledChain.Member in
            if let nested { return .chain(nested.compile(&counters)) }
            counters.leaves += 1
            return .leaf(counters.leaves - 1)
        }
        return CompiledChain(
            title: title, index: index, names: names, members: members, steps: steps,
            leaves: first..<counters.leaves)
    }

    struct Counters {
        var leaves = 0
        var questions = 0
        var chains = 0
    }
}

extension SteeringStep {
    /// Whether clients are told apart by this step.
    var asksAboutClient: Bool {
        switch self {
        case .geo, .prefix, .latency, .proximity: true
        case .healthy, .weighted, .priority, .hash, .capacity, .shed, .take, .sample: false
        }
    }

    /// As the topology calls it.
    package var label: String {
        switch self {
        case .healthy: "healthy"
        case .geo: "geo"
        case .prefix: "prefix"
        case .latency: "latency"
        case .proximity(let step): step.count == nil ? "proximity" : "nearest"
        case .weighted: "weighted"
        case .priority: "priority"
        case .hash: "hash"
        case .capacity: "capacity"
        case .shed: "shed"
        case .take: "take"
        case .sample: "sample"
        }
    }
}
