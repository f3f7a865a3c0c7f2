import Model

/// A chain and those in it for one class of clients, in every world.
struct ChainEvaluation {
    let questions: [ClientPartition.Question]
    /// The class's preference for each question.
    let preferences: [Int]
    /// By leaf, orders applied.
    let leaves: [CandidateHealth]
    /// By chain: what `capacity` fills its members with.
    let spill: [[Double]?]

    /// Leaves that are answered together, and how often.
    struct Part {
        var leaves: [Int]
        var weight: Double
        /// For `RendezvousHash`.
        var key: UInt32
        /// Of the weight, the part that tries somebody: 0 ... 1.
        var explored = 0.0
        /// Whether the first of the leaves is better for the client than the others.
        var isRanked = false
    }

    struct Result {
        var parts: [Part] = []
        var isHashed = false
        var failOpen = false
        var spillOrder: [Int]?
    }

    func run(_ chain: CompiledChain) -> Result {
        let nested = chain.members.map { member -> Result? in
            if case .chain(let chain) = member { run(chain) } else { nil }
        }
        let health = health(of: chain, nested)
        let worlds = chain.isHashed ? [World.anyShare(health)] : World.all(health)
        var result = Result()
        for world in worlds {
            var run = start(chain, health, world)
            var tracer: Tracer?
            run.run(tracing: &tracer)
            result.failOpen = result.failOpen || run.failOpen
            result.spillOrder = result.spillOrder ?? run.spillOrder
            let isOnly = worlds.count == 1 && run.branches.count == 1
            for branch in run.branches {
                let alternatives = run.alternatives(branch)
                result.isHashed = result.isHashed || branch.isHashed || branch.isPinned
                let sum = alternatives.reduce(0) { $0 + $1.weight }
                // A lone branch keeps its weights as they were written.
                let scale = isOnly ? 1 : Double(world.weight) / Double(World.whole) * branch.mass / sum
                for alternative in alternatives {
                    let whole = Part(
                        leaves: [], weight: alternative.weight * scale, key: 0, explored: branch.explored,
                        isRanked: branch.order == .ranked && alternative.candidates.count > 1)
                    expand(alternative.candidates, of: chain, nested, as: whole, into: &result)
                }
            }
        }
        return result
    }

    func start(_ chain: CompiledChain, _ health: [CandidateHealth], _ world: World) -> Chain {
        Chain(
            chain, questions: questions, preferences: preferences, health: health, world: world,
            spill: spill.indices.contains(chain.index) ? spill[chain.index] : nil)
    }

    /// Of each member: a leaf's own, and of a chain what its answer says about it.
    func health(of chain: CompiledChain, _ nested: [Result?]) -> [CandidateHealth] {
        zip(chain.members, nested).map { member, result in
            switch member {
            case .leaf(let leaf): leaves[leaf]
            case .chain(let chain): health(of: chain, result)
            }
        }
    }

    /// A chain is healthy when it chose, and chose somebody healthy: one that fell back on the sick lets its parent look
    /// elsewhere.
    private func health(of chain: CompiledChain, _ result: Result?) -> CandidateHealth {
        let inside = leaves[chain.leaves]
        let answered = Set(result?.parts.flatMap(\.leaves) ?? [])
        let isAlive = result?.failOpen == false && answered.contains { leaves[$0].healthy }
        let barred = inside.allSatisfy { $0.order == .down || $0.order == .drain }
        let sick = inside.filter { !$0.healthy }
        return CandidateHealth(
            healthy: isAlive,
            reason: isAlive ? "" : sick.first.map { "\(sick.count) of \(inside.count) are down: \($0.reason)" } ?? "",
            order: barred ? .drain : nil,
            upShare: inside.isEmpty ? 0 : inside.reduce(0) { $0 + $1.upShare } / Double(inside.count),
            load: sum(inside.map(\.load)), capacity: sum(inside.map(\.capacity)))
    }

    private func sum(_ figures: [Double?]) -> Double? {
        let known = figures.compactMap(\.self)
        return known.count == figures.count && !known.isEmpty ? known.reduce(0, +) : nil
    }

    /// Puts the answers of nested chains in their place. One draw serves all chains of an answer: each has exactly its own
    /// proportions, and there are no more cases than they have answers together.
    ///
    /// `whole`: what they make together, without leaves.
    private func expand(
        _ members: [Int], of chain: CompiledChain, _ nested: [Result?], as whole: Part, into result: inout Result
    ) {
        // A chain that is answered alone answers each client as it does by itself.
        let keepsKeys = members.count == 1 && !chain.isHashed
        let ways = members.map { member -> [Part] in
            guard case .leaf(let leaf) = chain.members[member] else {
                let inner = nested[member]
                let total = inner?.parts.reduce(0) { $0 + $1.weight } ?? 0
                result.isHashed = result.isHashed || inner?.isHashed == true
                result.failOpen = result.failOpen || inner?.failOpen == true
                let isLone = inner?.parts.count == 1
                return (inner?.parts ?? []).map { part in
                    Part(
                        leaves: part.leaves, weight: part.weight / total,
                        key: keepsKeys
                            ? part.key : isLone ? chain.keys[member] : chain.keys[member] &* 0x0100_0193 ^ part.key,
                        explored: part.explored, isRanked: part.isRanked)
                }
            }
            return [Part(leaves: [leaf], weight: 1, key: chain.keys[member])]
        }
        guard ways.contains(where: { $0.count > 1 }) else {
            result.add(Self.joined(ways.compactMap(\.first), to: whole, share: 1))
            return
        }
        var edges: Set<Double> = [1]
        for parts in ways {
            var below = 0.0
            for part in parts.dropLast() {
                below += part.weight
                if below > 0, below < 1 { edges.insert(below) }
            }
        }
        var low = 0.0
        for high in edges.sorted() {
            let middle = (low + high) / 2
            let chosen = ways.compactMap { parts -> Part? in
                var below = 0.0
                return parts.first { part in
                    below += part.weight
                    return middle < below
                } ?? parts.last
            }
            result.add(Self.joined(chosen, to: whole, share: high - low))
            low = high
        }
    }

    /// All leaves of `parts`, each once.
    private static func joined(_ parts: [Part], to whole: Part, share: Double) -> Part {
        var joined = whole
        joined.weight *= share
        for part in parts {
            // Each chain tries for itself.
            joined.explored = 1 - (1 - joined.explored) * (1 - part.explored)
            joined.isRanked = joined.isRanked || part.isRanked
            joined.key = joined.key == 0 ? part.key : joined.key &* 0x0100_0193 ^ part.key
            for leaf in part.leaves where !joined.leaves.contains(leaf) { joined.leaves.append(leaf) }
        }
        return joined
    }
}

extension ChainEvaluation.Result {
    mutating func add(_ part: ChainEvaluation.Part) {
        if let known = parts.firstIndex(where: { $0.leaves == part.leaves }) {
            let old = parts[known]
            let weight = old.weight + part.weight
            if weight > 0 {
                parts[known].explored = (old.weight * old.explored + part.weight * part.explored) / weight
            }
            parts[known].weight = weight
            parts[known].isRanked = old.isRanked || part.isRanked
        } else {
            parts.append(part)
        }
    }
}
