import Model

/// A chain of steps at work for one class of clients in one world.
///
/// The candidates that remain are an ordered list, the best first. Every step narrows it, and a step that would leave
/// nobody leaves it as it is. `weighted`, `hash`, `capacity` and a trickle make each remaining candidate an answer of its
/// own: later steps still drop candidates that they would not keep, and `take` has nothing left to do. `shed` has answers
/// go different ways, each of them a branch.
struct Chain {
    let compiled: CompiledChain
    let questions: [ClientPartition.Question]
    /// The class's preference for each question.
    let preferences: [Int]
    /// By member.
    let health: [CandidateHealth]
    let world: World
    /// By member: what `capacity` fills each with. Nil when nobody knows loads.
    let spill: [Double]?

    private(set) var branches: [Branch] = []
    private(set) var failOpen = false
    /// What `capacity` had to fill, in order of preference; nil when no such step was met.
    private(set) var spillOrder: [Int]?

    /// How a step came to what it kept.
    enum Decision {
        case healthy(failOpen: Bool, step: SteeringStep.HealthyStep)
        /// `list` is the position in the preference that decided, nil when none did; `isLast` for want of anybody left.
        case geo(GeoQuestion, list: Int?, isLast: Bool)
        case latency(LatencyQuestion)
        case distance(DistanceQuestion)
        case weighted([Double])
        /// The candidates that were chosen: the first that is left, and the next where it gets a trickle.
        case priority(first: Int?, backup: Int?, trickle: Int)
        case hash
        case capacity([Double]?)
        /// By candidate, the part of the answers that it is left out of.
        case shed([Double])
        case take(Int)
        /// So many as the client's prefix chooses.
        case spread(Int)
        case sample(Int)
        /// Each candidate is an answer of its own already.
        case settled
        /// Nobody is left that could be kept or dropped.
        case nobody
    }

    init(
        _ compiled: CompiledChain, questions: [ClientPartition.Question], preferences: [Int],
        health: [CandidateHealth], world: World, spill: [Double]?
    ) {
        self.compiled = compiled
        self.questions = questions
        self.preferences = preferences
        self.health = health
        self.world = world
        self.spill = spill
    }

    mutating func run(tracing tracer: inout Tracer?) {
        let everybody = Array(compiled.members.indices)
        let wanted = everybody.filter { health[$0].order != .down && health[$0].order != .drain }
        var all = Branch(remaining: everybody)
        all.keepOnly(wanted)
        branches = [all]
        tracer?.noteOrders(before: everybody, after: branches[0].remaining)
        for step in compiled.steps {
            let before = remaining
            var decision = Decision.nobody
            var next: [Branch] = []
            for branch in branches {
                if branch.remaining.isEmpty {
                    next.append(branch)
                    continue
                }
                let ways = take(step, from: branch, &decision)
                for way in ways {
                    if let known = next.firstIndex(where: way.isLike) {
                        next[known].join(way)
                    } else {
                        next.append(way)
                    }
                }
            }
            branches = next
            tracer?.note(step.step, decision, before: before, after: remaining)
        }
    }

    /// The candidates that remain on any way.
    var remaining: [Int] {
        guard branches.count > 1 else { return branches.first?.remaining ?? [] }
        var all: [Int] = []
        for branch in branches {
            for candidate in branch.remaining where !all.contains(candidate) { all.append(candidate) }
        }
        return all
    }

    /// What remains of `branch` as answers: together, or one by one. Weights are positive.
    func alternatives(_ branch: Branch) -> [(candidates: [Int], weight: Double)] {
        guard branch.isSettled, !branch.remaining.isEmpty else { return [(branch.remaining, 1)] }
        var alternatives = branch.remaining.map { ([$0], branch.weights?[$0] ?? 1) }
        if branch.isHashed {
            let ramped = alternatives.map { candidates, weight in
                (candidates, weight * Double(World.part(health[candidates[0]].share)) / Double(World.whole))
            }
            if ramped.contains(where: { $0.1 > 0 }) { alternatives = ramped }
        }
        return alternatives.filter { $0.1 > 0 }.map { (candidates: $0.0, weight: $0.1) }
    }

    private mutating func take(_ step: CompiledChain.Step, from branch: Branch, _ decision: inout Decision) -> [Branch]
    {
        var branch = branch
        switch step.step {
        case .healthy(let step):
            decision = keepHealthy(&branch, step)
        case .geo, .prefix, .latency, .proximity:
            guard let question = step.question else { break }
            let whole = branch
            decision = ask(question, step.step, &branch)
            let trial = trial(question, step.step, instead: &branch, of: whole)
            return [branch] + trial
        case .weighted(let weights):
            decision = weigh(&branch, weights)
        case .priority(let step):
            decision = prioritise(&branch, step)
        case .hash:
            branch.isHashed = true
            decision = .hash
        case .capacity:
            decision = fill(&branch)
            // Nobody's load is known, and nothing of the client: the first may not have them all.
            if case .capacity(nil) = decision, branch.order == .alike, !branch.isSettled {
                decision = .spread(1)
                return branch.samples(1, isPinned: true)
            }
            if case .capacity(nil) = decision { branch.prefer([branch.remaining[0]]) }
        case .shed(let step):
            let parts = health.map { step.part(of: $0) }
            decision = .shed(parts)
            return shed(branch, parts)
        case .take(let count):
            if branch.isSettled {
                decision = .settled
            } else if branch.order == .alike, count < branch.remaining.count {
                decision = .spread(max(count, 1))
                return branch.samples(count, isPinned: true)
            } else {
                branch.prefer(Array(branch.remaining.prefix(max(count, 0))))
                decision = .take(count)
            }
        case .sample(let count):
            decision = branch.isSettled ? .settled : .sample(count)
            if !branch.isSettled { return branch.samples(count, isPinned: false) }
        }
        return [branch]
    }

    /// The way on which a candidate is tried that may be nearer than the best known one, with its part of the answers.
    private func trial(
        _ position: Int, _ step: SteeringStep, instead branch: inout Branch, of whole: Branch
    ) -> [Branch] {
        // Where the client's prefix chooses there is no draw to take a part of.
        guard case .latency(let step) = step, step.explore > 0, !whole.isSettled, !compiled.isHashed,
            case .latency(let question) = questions[position], let tried = question.tries[preferences[position]],
            whole.remaining.contains(tried), !branch.remaining.contains(tried), world.included.contains(tried),
            health[tried].healthy
        else { return [] }
        let part = Double(step.explore) / 100
        var way = whole
        way.prefer([tried], ranking: branch.remaining)
        way.mass = whole.mass * part
        way.explored = 1
        branch.mass = whole.mass * (1 - part)
        return [way]
    }

    // MARK: - Steps

    private mutating func keepHealthy(_ branch: inout Branch, _ step: SteeringStep.HealthyStep) -> Decision {
        let servers = Double(step.servers) / 100
        let fit = branch.remaining.filter { world.healthy.contains($0) && health[$0].upShare >= servers }
        let included = fit.filter(world.included.contains)
        let isQuorum = fit.count * 100 >= step.quorum * branch.remaining.count
        // Returning candidates may be all there is: then they take everything.
        let kept = isQuorum ? (included.isEmpty ? fit : included) : []
        let passed = branch.reserve.filter { !world.included.contains($0) || health[$0].upShare < servers }
        branch.lose(passed)
        branch.reserve.removeAll(where: passed.contains)
        let open = kept.isEmpty
        branch.keepOnly(kept)
        failOpen = failOpen || open
        return .healthy(failOpen: open, step: step)
    }

    private mutating func ask(_ position: Int, _ step: SteeringStep, _ branch: inout Branch) -> Decision {
        switch questions[position] {
        case .geo(let question):
            let lists = question.preferences[preferences[position]]
            let found = lists.firstIndex { list in list.contains(where: branch.remaining.contains) }
            guard let found else {
                let decision = fallBack(question, lists, &branch)
                // Where a list names somebody who is not left, the client is known, and goes on as the topology has it.
                if question.fence != .absent || lists.isEmpty { branch.learn(isRanked: question.fence != .absent) }
                return decision
            }
            branch.learn(isRanked: true)
            let kept = lists[found].filter(branch.remaining.contains)
            switch question.fence {
            case .absent: branch.prefer(kept, ranking: lists[(found + 1)...].flatMap(\.self))
            case .open:
                branch.prefer(kept, ranking: lists[(found + 1)...].flatMap(\.self))
                branch.fence(lists.flatMap(\.self))
            case .closed:
                branch.keep(kept)
                branch.reserve = []
                branch.fence(lists.flatMap(\.self))
            }
            return .geo(question, list: found, isLast: false)
        case .latency(let question):
            let preference = question.preferences[preferences[position]]
            let order = preference.sorted(branch.remaining)
            if let best = order.first {
                let reach = preference.reach[Int(preference.ranks[best])]
                branch.prefer(order.filter { preference.ranks[$0] <= reach }, ranking: order)
            }
            branch.learn(isRanked: preference.ranks(branch.remaining))
            return .latency(question)
        case .distance(let question):
            let preference = question.preferences[preferences[position]]
            let order = preference.sorted(branch.remaining)
            guard case .proximity(let step) = step, let best = order.first else {
                branch.learn(isRanked: false)
                return .distance(question)
            }
            let kept =
                step.count.map { Array(order.prefix(max($0, 1))) }
                ?? order.filter { preference.ranks[$0] == preference.ranks[best] }
            branch.prefer(kept, ranking: order)
            branch.learn(isRanked: preference.ranks(kept))
            return .distance(question)
        }
    }

    /// Nobody whom the client's lists name is left.
    private mutating func fallBack(_ question: GeoQuestion, _ lists: [[Int]], _ branch: inout Branch) -> Decision {
        if question.fence == .absent { return .geo(question, list: nil, isLast: false) }
        branch.fence(lists.flatMap(\.self))
        let ordered = branch.lost.filter { health[$0].order == .down || health[$0].order == .drain }
        // Who is healthy and returns is out of this part of the answers, which does not make him worse than nobody.
        let returning = branch.lost.filter { world.healthy.contains($0) && !world.included.contains($0) }
        let well = branch.lost.filter { world.healthy.contains($0) && !ordered.contains($0) }
        let sick = branch.lost.filter { !ordered.contains($0) }
        let groups = question.fence == .open ? [branch.reserve, returning, well, sick, ordered] : [returning]
        for group in groups {
            guard let list = lists.firstIndex(where: { $0.contains(where: group.contains) }) else { continue }
            let back = lists[list].filter(group.contains)
            failOpen = failOpen || !back.contains(where: world.healthy.contains)
            branch.recall(back)
            return .geo(question, list: list, isLast: true)
        }
        branch.fence([])
        return .geo(question, list: nil, isLast: false)
    }

    private func weigh(_ branch: inout Branch, _ given: [Int]) -> Decision {
        if branch.weights != nil { return .settled }
        var table = compiled.members.indices.map { candidate in
            given.indices.contains(candidate) ? Double(min(max(given[candidate], 0), 65_535)) : 0
        }
        let weighty = branch.remaining.filter { table[$0] > 0 }
        if weighty.isEmpty {
            // Zero counts only when nothing else is left, and then all zeros are alike.
            for candidate in branch.remaining { table[candidate] = 1 }
        } else {
            branch.keepOnly(weighty)
        }
        branch.weights = table
        return .weighted(table)
    }

    private func prioritise(_ branch: inout Branch, _ step: SteeringStep.PriorityStep) -> Decision {
        let left = step.order.filter(branch.remaining.contains)
        guard let first = left.first else { return .priority(first: nil, backup: nil, trickle: 0) }
        guard step.trickle > 0, left.count > 1 else {
            branch.prefer([first], ranking: left)
            return .priority(first: first, backup: nil, trickle: 0)
        }
        branch.prefer([first, left[1]], ranking: left)
        var table = Array(repeating: 0.0, count: compiled.members.count)
        table[first] = Double(100 - step.trickle)
        table[left[1]] = Double(step.trickle)
        branch.weights = table
        return .priority(first: first, backup: left[1], trickle: step.trickle)
    }

    private mutating func fill(_ branch: inout Branch) -> Decision {
        if branch.isSettled { return .settled }
        let order = branch.remaining + branch.reserve
        if spillOrder == nil { spillOrder = order }
        var table = Array(repeating: 0.0, count: compiled.members.count)
        if let spill {
            for candidate in order { table[candidate] = spill[candidate] }
        }
        let filled = order.filter { table[$0] > 0 }
        guard !filled.isEmpty else {
            return .capacity(nil)
        }
        branch.reserve = order.filter { !filled.contains($0) }
        branch.remaining = filled
        branch.weights = table
        return .capacity(table)
    }

    private func shed(_ branch: Branch, _ parts: [Double]) -> [Branch] {
        var branch = branch
        if branch.isSettled {
            var table = branch.weights ?? Array(repeating: 1, count: compiled.members.count)
            for candidate in branch.remaining { table[candidate] *= 1 - parts[candidate] }
            let kept = branch.remaining.filter { table[$0] > 0 }
            if !kept.isEmpty {
                branch.weights = table
                branch.keepOnly(kept)
            }
            return [branch]
        }
        // A candidate is in for draws below what it keeps. So is one that was passed over, where a later step may want it.
        let judged = branch.remaining + (compiled.callsBack ? branch.reserve : [])
        let edges = Set(judged.map { 1 - parts[$0] }.filter { $0 > branch.lowest && $0 < branch.highest })
        var ways: [Branch] = []
        var low = branch.lowest
        for high in edges.sorted() + [branch.highest] {
            var way = branch
            way.keepOnly(branch.remaining.filter { 1 - parts[$0] >= high })
            way.reserve = branch.reserve.filter { 1 - parts[$0] >= high }
            way.lose(branch.reserve.filter { 1 - parts[$0] < high })
            way.lowest = low
            way.highest = high
            way.mass = branch.mass * (high - low) / (branch.highest - branch.lowest)
            ways.append(way)
            low = high
        }
        return ways
    }
}

extension SteeringStep.ShedStep {
    /// The part of its answers that a candidate sheds: 0 up to the low watermark, 1 from the high one on, linear between
    /// them. Nobody sheds whose load or capacity is unknown.
    func part(of health: CandidateHealth) -> Double {
        guard let load = health.load, let capacity = health.capacity, capacity > 0, high > low else { return 0 }
        let part = (load / capacity * 100 - Double(low)) / Double(high - low)
        return part.isNaN ? 0 : min(max(part, 0), 1)
    }
}
