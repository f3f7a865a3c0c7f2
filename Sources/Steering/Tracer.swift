import Model

/// Writes down what the steps of a chain do.
struct Tracer {
    private let client: IPAddress
    /// Bits of the client's address that are known.
    private let source: Int
    private let health: [CandidateHealth]
    private let chain: CompiledChain
    private(set) var steps: [StepTrace] = []

    init(client: IPAddress, source: Int, health: [CandidateHealth], chain: CompiledChain) {
        self.client = client
        self.source = source
        self.health = health
        self.chain = chain
    }

    private var names: [String] { chain.names }

    private mutating func add(_ step: String, _ before: [Int], _ after: [Int], _ fact: String) {
        steps.append(
            StepTrace(chain: chain.title, step: step, before: before, after: after, fact: fact, names: chain.names))
    }

    mutating func note(_ step: SteeringStep, _ decision: Chain.Decision, before: [Int], after: [Int]) {
        add(step.label, before, after, fact(decision, before: before, after: after))
    }

    /// What operators said; nothing when they did not speak.
    mutating func noteOrders(before: [Int], after: [Int]) {
        let ordered = names.indices.filter { health[$0].order != nil }
        if ordered.isEmpty { return }
        let list = ordered.map { candidate in
            let what =
                switch health[candidate].order {
                case .up: "is forced up"
                case .down: "is forced down"
                case .drain, nil: "is drained"
                }
            return "\(names[candidate]) \(what)" + Self.because(health[candidate].reason)
        }
        let note = before == after && ordered.contains { health[$0].order != .up } ? "; nobody else is left" : ""
        add("order", before, after, list.joined(separator: ", ") + note)
    }

    /// What returning candidates do to the answers; nothing when nobody is returning.
    mutating func noteRamp(remaining: [Int]) {
        let returning = names.indices.filter { health[$0].healthy && health[$0].share < 1 }
        if returning.isEmpty { return }
        let list = returning.map { candidate in
            "\(names[candidate]) at \(Int(clamping: max(health[candidate].share, 0) * 100))% of its share"
                + Self.because(health[candidate].reason)
        }
        add("ramp", remaining, remaining, list.joined(separator: ", "))
    }

    private func fact(_ decision: Chain.Decision, before: [Int], after: [Int]) -> String {
        switch decision {
        case .healthy(let failOpen, let step): healthy(before, failOpen: failOpen, step)
        case .geo(let question, let list, let isLast):
            question.fact(for: client, source: source, list: list, isLast: isLast)
        case .latency(let question): question.fact(for: client, remaining: before, names: names)
        case .distance(let question): question.fact(for: client, remaining: before, names: names)
        case .weighted(let weights):
            "weights " + after.map { "\(names[$0]) \(Int(clamping: weights[$0]))" }.joined(separator: ", ")
        case .priority(let first, let backup, let trickle):
            (first.map { "\(names[$0]) is the first that is left" } ?? "nobody of the order is left")
                + (backup.map { "; \(trickle)% go to \(names[$0])" } ?? "")
        case .hash: "prefix \(prefix) chooses among \(after.count)"
        case .capacity(let shares): capacity(shares, after)
        case .shed(let parts): shed(parts, before)
        case .take(let count): count == 1 ? "the first" : "the first \(count)"
        case .spread(let count):
            "nothing tells them apart for the client: prefix \(prefix) chooses \(count) of \(before.count)"
        case .sample(let count):
            count < before.count
                ? "\(count) of \(before.count), others for each reply" : "all: there are no more than \(count)"
        case .settled: "one candidate an answer already"
        case .nobody: "nobody is left"
        }
    }

    /// What a client is known by where its prefix chooses.
    private var prefix: IPPrefix {
        IPPrefix(client, length: client.family == .v4 ? RendezvousHash.v4Width : RendezvousHash.v6Width)
    }

    private func healthy(_ before: [Int], failOpen: Bool, _ step: SteeringStep.HealthyStep) -> String {
        let sick = before.compactMap { candidate -> String? in
            let health = health[candidate]
            if !health.healthy { return names[candidate] + " is down" + Self.because(health.reason) }
            if health.upShare * 100 >= Double(step.servers) { return nil }
            return
                "\(names[candidate]) has \(Int(clamping: health.upShare * 100))% of its servers up, \(step.servers)% are needed"
        }
        let list = sick.joined(separator: ", ")
        if failOpen {
            let who = sick.count == before.count ? "nobody is healthy" : "fewer than \(step.quorum)% are healthy"
            return "\(who), everybody is kept (fail-open): \(list)"
        }
        return sick.isEmpty ? "all are healthy" : list
    }

    private func capacity(_ shares: [Double]?, _ after: [Int]) -> String {
        guard let shares else { return "no load is known: the first takes everything" }
        let total = after.reduce(0) { $0 + shares[$1] }
        return after.map { candidate in
            "\(names[candidate]) takes \(Self.percent(shares[candidate] / total))" + load(candidate)
        }.joined(separator: ", ")
    }

    private func shed(_ parts: [Double], _ before: [Int]) -> String {
        let shedding = before.filter { parts[$0] > 0 }
        if shedding.isEmpty { return "nobody is loaded enough" }
        return shedding.map { "\(names[$0]) sheds \(Self.percent(parts[$0]))" + load($0) }.joined(separator: ", ")
    }

    /// ` (450 of 500 operations a second)`
    private func load(_ candidate: Int) -> String {
        guard let load = health[candidate].load, load < 1e15 else { return "" }
        guard let capacity = health[candidate].capacity, capacity < 1e15 else {
            return " (\(Int(clamping: load)) operations a second)"
        }
        return " (\(Int(clamping: load)) of \(Int(clamping: capacity)) operations a second)"
    }

    private static func percent(_ part: Double) -> String {
        let tenths = Int(clamping: (part * 1000).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)%" : "\(tenths / 10).\(tenths % 10)%"
    }

    private static func because(_ reason: String) -> String { reason.isEmpty ? "" : " (\(reason))" }
}
