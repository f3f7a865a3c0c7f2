import Model

/// A chain of steps at work for one class of clients in one world.
///
/// The candidates that remain are an ordered list, the best first. Every step narrows it, and a step that would leave
/// nobody leaves it as it is. `weighted` makes each remaining candidate an answer of its own: later steps still drop
/// candidates that they would not keep, and `limit` has nothing left to do.
struct Chain {
    private let steps: [SteeringStep]
    private let questions: [ClientPartition.Question]
    /// The class's preference for each question.
    private let preferences: [Int]
    private let world: World

    /// Positions in `DynamicName.candidates`, the best first.
    private(set) var remaining: [Int]
    /// By candidate, once `weighted` has run.
    private var weights: [Int]?
    private(set) var failOpen = false

    /// How a step came to what it kept.
    enum Decision {
        case healthy(failOpen: Bool)
        /// `list` is the position in the preference that decided, nil when none did.
        case geo(GeoQuestion, list: Int?)
        case latency(LatencyQuestion)
        case weighted([Int])
        /// The candidate that was chosen, nil when nobody of the order was left.
        case failover(Int?)
        case limit(Int)
        /// After `weighted` the step has nothing to do.
        case settled
    }

    init(plan: SteeringPlan, classIndex: Int, world: World) {
        steps = plan.steps
        questions = plan.partition.questions
        preferences = plan.partition.classes[classIndex]
        remaining = Array(plan.names.indices)
        self.world = world
    }

    mutating func run(tracing tracer: inout Tracer?) {
        var question = 0
        for step in steps {
            let before = remaining
            let decision: Decision
            switch step {
            case .healthy: decision = keepHealthy()
            case .geo, .latency:
                decision = ask(question)
                question += 1
            case .weighted(let weights): decision = weigh(weights)
            case .failover(let order):
                let first = order.first(where: remaining.contains)
                keep(first.map { [$0] } ?? [])
                decision = .failover(first)
            case .limit(let count):
                if weights == nil { keep(Array(remaining.prefix(max(count, 0)))) }
                decision = weights == nil ? .limit(count) : .settled
            }
            tracer?.note(step, decision, before: before, after: remaining)
        }
    }

    /// What remains as answers: together, or one by one after `weighted`. Weights are positive.
    var alternatives: [(candidates: [Int], weight: UInt64)] {
        guard let weights else { return [(remaining, 1)] }
        return remaining.map { ([$0], UInt64(weights[$0])) }
    }

    private mutating func keep(_ kept: [Int]) {
        if !kept.isEmpty { remaining = kept }
    }

    private mutating func keepHealthy() -> Decision {
        let included = remaining.filter(world.included.contains)
        // Returning candidates may be all there is: then they take everything.
        let kept = included.isEmpty ? remaining.filter(world.healthy.contains) : included
        keep(kept)
        let open = kept.isEmpty && !remaining.isEmpty
        failOpen = failOpen || open
        return .healthy(failOpen: open)
    }

    private mutating func ask(_ position: Int) -> Decision {
        switch questions[position] {
        case .geo(let question):
            for (list, candidates) in question.preferences[preferences[position]].enumerated() {
                let kept = candidates.filter(remaining.contains)
                if kept.isEmpty { continue }
                keep(kept)
                return .geo(question, list: list)
            }
            return .geo(question, list: nil)
        case .latency(let question):
            let preference = question.preferences[preferences[position]]
            let known = remaining.filter { preference.ranks[$0] != LatencyQuestion.Preference.unknown }
            guard let best = known.map({ preference.ranks[$0] }).min() else { return .latency(question) }
            let reach = preference.reach[Int(best)]
            // `sorted` keeps the order of equal ones.
            keep(known.filter { preference.ranks[$0] <= reach }.sorted { preference.ranks[$0] < preference.ranks[$1] })
            return .latency(question)
        }
    }

    private mutating func weigh(_ given: [Int]) -> Decision {
        if weights != nil { return .settled }
        var table = remaining.indices.isEmpty ? [] : Array(repeating: 0, count: (remaining.max() ?? 0) + 1)
        for candidate in remaining where given.indices.contains(candidate) {
            table[candidate] = min(max(given[candidate], 0), 65_535)
        }
        let weighty = remaining.filter { table[$0] > 0 }
        if weighty.isEmpty {
            // Zero counts only when nothing else is left, and then all zeros are alike.
            for candidate in remaining { table[candidate] = 1 }
        } else {
            keep(weighty)
        }
        weights = table
        return .weighted(table)
    }
}
