/// What is known of one candidate at the moment of an evaluation.
package struct CandidateHealth: Sendable, Hashable {
    package var healthy: Bool
    /// 0 ... 1 of its fair share; below 1 while it returns after a failure. Counts only for healthy candidates.
    package var share: Double
    /// Why it is unhealthy or ramping; empty when there is nothing to say.
    package var reason: String

    package init(healthy: Bool, share: Double = 1, reason: String = "") {
        self.healthy = healthy
        self.share = share
        self.reason = reason
    }
}

/// What clients of one class are answered with: one of some variants, by weight.
package struct ClassAnswer: Sendable, Hashable {
    /// Candidates that are answered together.
    package struct Variant: Sendable, Hashable {
        /// Positions in `DynamicName.candidates`, the best first. Not empty unless the name has no candidate at all.
        package let candidates: [Int]
        /// The weights of the variants up to and with this one, summed: a draw from `0 ..< ClassAnswer.total` picks
        /// the first variant above it.
        package let cumulative: UInt32

        package init(candidates: [Int], cumulative: UInt32) {
            self.candidates = candidates
            self.cumulative = cumulative
        }
    }

    /// At least one; cumulative weights strictly ascend.
    package let variants: [Variant]
    /// True when a `healthy` step found nobody healthy and kept everybody.
    package let failOpen: Bool

    package init(variants: [Variant], failOpen: Bool) {
        self.variants = variants
        self.failOpen = failOpen
    }

    /// The sum of all weights: 1 ... 2^24.
    package var total: UInt32 { variants.last?.cumulative ?? 1 }

    /// The candidates of the variant that `draw` (0 ..< `total`) picks.
    package func pick(_ draw: UInt32) -> [Int] {
        variants.first { draw < $0.cumulative }?.candidates ?? []
    }
}

/// A client's class under one plan.
package struct ClientClass: Sendable, Hashable {
    /// Position in what `SteeringPlan.evaluate` returns.
    package let index: UInt32
    /// The length of the widest prefix around the client that lies in this class: RFC 7871's SCOPE PREFIX-LENGTH.
    package let scope: Int

    package init(index: UInt32, scope: Int) {
        self.index = index
        self.scope = scope
    }
}

/// What one step did for one client.
package struct StepTrace: Sendable, Hashable {
    /// As it is called in the topology: `healthy`, `geo`, `latency`, `weighted`, `failover`, `limit`; `ramp` at the end when
    /// candidates are returning.
    package let step: String
    /// Positions in `DynamicName.candidates`.
    package let before: [Int]
    package let after: [Int]
    /// What decided: a place, a prefix, a figure, a reason.
    package let fact: String

    package init(step: String, before: [Int], after: [Int], fact: String) {
        self.step = step
        self.before = before
        self.after = after
        self.fact = fact
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
    /// A `geo` step asks for countries or continents, and there is no location source.
    case noLocations(name: String)
    /// A `latency` step names a file that was not loaded.
    case noLatencies(name: String, file: String)

    package var description: String {
        switch self {
        case .tooManyCandidates(let name, let count):
            "\(name) has \(count) candidates; the most is \(SteeringPlan.maximumCandidates)"
        case .noLocations(let name):
            "\(name) is steered by country or continent, and dns.locations names no file"
        case .noLatencies(let name, let file):
            "\(name) is steered by latency, and \(file) was not read"
        }
    }
}
