import Model

/// Writes down what the steps of a chain do.
struct Tracer {
    private let client: IPAddress
    private let health: [CandidateHealth]
    private let names: [String]
    private(set) var steps: [StepTrace] = []

    init(client: IPAddress, health: [CandidateHealth], names: [String]) {
        self.client = client
        self.health = health
        self.names = names
    }

    mutating func note(_ step: SteeringStep, _ decision: Chain.Decision, before: [Int], after: [Int]) {
        let fact = fact(decision, before: before, after: after)
        steps.append(StepTrace(step: step.label, before: before, after: after, fact: fact))
    }

    /// What returning candidates do to the answers; nothing when nobody is returning.
    mutating func noteRamp(remaining: [Int]) {
        let returning = names.indices.filter { health[$0].healthy && health[$0].share < 1 }
        if returning.isEmpty { return }
        let list = returning.map { candidate in
            "\(names[candidate]) at \(Int(max(health[candidate].share, 0) * 100))% of its share"
                + Self.because(health[candidate].reason)
        }
        steps.append(
            StepTrace(step: "ramp", before: remaining, after: remaining, fact: list.joined(separator: ", ")))
    }

    private func fact(_ decision: Chain.Decision, before: [Int], after: [Int]) -> String {
        switch decision {
        case .healthy(let failOpen):
            let sick = before.filter { !health[$0].healthy }
                .map { names[$0] + " is down" + Self.because(health[$0].reason) }
            if failOpen { return "nobody is healthy, everybody is kept (fail-open): " + sick.joined(separator: ", ") }
            return sick.isEmpty ? "all are healthy" : sick.joined(separator: ", ")
        case .geo(let question, let list):
            return question.fact(for: client, list: list)
        case .latency(let question):
            return question.fact(for: client, remaining: before, names: names)
        case .weighted(let weights):
            return "weights " + after.map { "\(names[$0]) \(weights[$0])" }.joined(separator: ", ")
        case .failover(let first):
            return first.map { "\(names[$0]) is the first that is left" } ?? "nobody of the order is left"
        case .limit(let count):
            return "the first \(count)"
        case .settled:
            return "one candidate an answer already"
        }
    }

    private static func because(_ reason: String) -> String { reason.isEmpty ? "" : " (\(reason))" }
}
