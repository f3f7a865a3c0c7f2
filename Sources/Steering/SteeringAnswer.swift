package import Model

/// What clients of one class are answered with: one of some variants, by weight.
package struct ClassAnswer: Sendable, Hashable {
    /// Candidates that are answered together.
    package struct Variant: Sendable, Hashable {
        /// Positions in `DynamicName.leaves`, the best first. Empty when the client is not to be answered.
        package let candidates: [Int]
        /// The weights of the variants up to and with this one, summed: a draw from `0 ..< ClassAnswer.total` picks
        /// the first variant above it.
        package let cumulative: UInt32
        /// What `RendezvousHash` knows it by; 0 where draws pick.
        package let key: UInt32
        /// Whether the first candidate is better for the client than the others; else any may be told first.
        package let isRanked: Bool

        package init(candidates: [Int], cumulative: UInt32, key: UInt32 = 0, isRanked: Bool = false) {
            self.isRanked = isRanked
            self.candidates = candidates
            self.cumulative = cumulative
            self.key = key
        }
    }

    /// At least one; cumulative weights strictly ascend.
    package let variants: [Variant]
    /// Whether the client's prefix picks (`RendezvousHash`) instead of a draw. Only where there is a choice.
    package let isHashed: Bool
    /// True when a `healthy` step found too few healthy and kept everybody.
    package let failOpen: Bool
    /// The part of the answers that tries a candidate of which little is known: 0 ... 1.
    package let explored: Double

    package init(variants: [Variant], isHashed: Bool = false, failOpen: Bool, explored: Double = 0) {
        self.variants = variants
        self.isHashed = isHashed
        self.failOpen = failOpen
        self.explored = explored
    }

    /// The sum of all weights: 1 ... 2^24.
    package var total: UInt32 { variants.last?.cumulative ?? 1 }

    /// The candidates of the variant that `draw` (0 ..< `total`) picks.
    package func pick(_ draw: UInt32) -> [Int] {
        variants.first { draw < $0.cumulative }?.candidates ?? []
    }

    /// The candidates that `client`, canonical, is answered with where its prefix picks.
    package func pick(client: IPAddress) -> [Int] {
        let number = RendezvousHash.number(of: client)
        var best = (score: Float.infinity, candidates: [Int]())
        for (index, variant) in variants.enumerated() {
            let score = RendezvousHash.score(
                client: number, key: variant.key, inverseWeight: 1 / Float(weight(of: index)))
            if score < best.score { best = (score, variant.candidates) }
        }
        return best.candidates
    }

    /// The weight of one variant.
    package func weight(of index: Int) -> UInt32 {
        variants[index].cumulative - (index > 0 ? variants[index - 1].cumulative : 0)
    }
}

extension ClassAnswer {
    /// What weights are scaled to when they are no whole numbers: fine enough for a part in a thousand of a thousandth.
    private static let scale = 10_000_000.0

    init(_ result: ChainEvaluation.Result) {
        let parts = result.parts.filter { $0.weight > 0 }
        let total = parts.reduce(0) { $0 + $1.weight }
        let isWhole = total <= Self.scale && parts.allSatisfy { $0.weight == $0.weight.rounded() }
        var variants: [Variant] = []
        var below = 0.0
        var last: UInt32 = 0
        var keys: Set<UInt32> = []
        let isHashed = result.isHashed && parts.count > 1
        for part in parts {
            below += part.weight
            // Rounding the cumulative weights instead of each keeps the sum exact.
            let cumulative = UInt32(clamping: isWhole ? below : (below / total * Self.scale).rounded())
            if cumulative == last { continue }
            last = cumulative
            var key = part.key
            while !keys.insert(key).inserted { key &+= 1 }
            variants.append(
                Variant(
                    candidates: part.leaves, cumulative: cumulative, key: isHashed ? key : 0, isRanked: part.isRanked))
        }
        let explored = total > 0 ? parts.reduce(0) { $0 + $1.weight * $1.explored } / total : 0
        self.init(variants: variants, isHashed: isHashed, failOpen: result.failOpen, explored: explored)
    }
}

/// A client's class under one plan.
package struct ClientClass: Sendable, Hashable {
    /// Position in what `SteeringPlan.evaluate` returns.
    package let index: UInt32
    /// The length of the widest prefix around the client that lies in this class: RFC 7871's SCOPE PREFIX-LENGTH, unless
    /// the client's prefix picks among the class's variants.
    package let scope: Int

    package init(index: UInt32, scope: Int) {
        self.index = index
        self.scope = scope
    }
}

/// What one step did for one client.
package struct StepTrace: Sendable, Hashable {
    /// The nested chain that it is a step of; empty for the name's own.
    package let chain: String
    /// As it is called in the topology: `healthy`, `geo`, `take` …; `order` in front when an operator has spoken, `ramp` at
    /// the end when candidates are returning.
    package let step: String
    /// Positions in the chain's candidates.
    package let before: [Int]
    package let after: [Int]
    /// What decided: a place, a prefix, a figure, a report.
    package let fact: String
    /// Of the chain's candidates.
    package let names: [String]

    package init(chain: String = "", step: String, before: [Int], after: [Int], fact: String, names: [String]) {
        self.chain = chain
        self.step = step
        self.before = before
        self.after = after
        self.fact = fact
        self.names = names
    }
}

/// Why a client is answered as it is.
package struct Explanation: Sendable, Hashable {
    package let client: ClientClass
    package let steps: [StepTrace]
    /// What is served to the client's class.
    package let answer: ClassAnswer

    package init(client: ClientClass, steps: [StepTrace], answer: ClassAnswer) {
        self.client = client
        self.steps = steps
        self.answer = answer
    }
}

/// Why a name cannot be steered.
package enum SteeringProblem: Error, Sendable, Hashable, CustomStringConvertible {
    case tooManyCandidates(name: String, count: Int)
    case tooDeep(name: String)
    /// A step asks where clients are, and there is no location source.
    case noLocations(name: String)
    /// A `latency` step names a file that was not loaded.
    case noLatencies(name: String, file: String)

    package var description: String {
        switch self {
        case .tooManyCandidates(let name, let count):
            "\(name) has \(count) candidates; the most is \(SteeringPlan.maximumCandidates)"
        case .tooDeep(let name):
            "\(name) nests chains more than \(SteeringChain.maximumDepth) deep"
        case .noLocations(let name):
            "\(name) is steered by where clients are, and dns.locations names no file"
        case .noLatencies(let name, let file):
            "\(name) is steered by latency, and \(file) was not read"
        }
    }
}
