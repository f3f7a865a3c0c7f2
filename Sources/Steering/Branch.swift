/// What is left of a chain's candidates on one of the ways that an evaluation can take, and how often it takes it.
struct Branch: Hashable {
    /// Positions in the chain's candidates, the best first.
    var remaining: [Int]
    /// Candidates that steps of preference passed over, the best first: where `capacity` spills to.
    var reserve: [Int] = []
    /// Candidates that health, load or an operator dropped, and no fence shut out: where an open fence falls back to.
    var lost: [Int] = []
    /// By candidate, once a step has made each of them an answer of its own; positive for those that remain.
    var weights: [Double]?
    /// Whether the client's prefix chooses among them instead of a draw.
    var isHashed = false
    /// Whether the client's prefix chooses this way or another, instead of a draw.
    var isPinned = false
    var order = Order.written
    /// Of all evaluations, the part that comes this way: more than 0, at most 1.
    var mass = 1.0
    /// Of that, the part that tries a candidate of which little is known: 0 ... 1.
    var explored = 0.0
    /// The part of the draws for `shed` that comes this way. One draw serves all such steps, as one serves all returning
    /// candidates.
    var lowest = 0.0
    var highest = 1.0

    /// What the order of `remaining` says.
    enum Order: Hashable {
        /// It is that of the topology: no step has asked about the client.
        case written
        /// A step would tell them apart, and knows nothing of this client that does.
        case alike
        /// The first is the best.
        case ranked
    }

    init(remaining: [Int]) { self.remaining = remaining }

    /// Takes note of what a step found out that asks about the client: a ranking, or nothing.
    mutating func learn(isRanked: Bool) {
        if isRanked { order = .ranked } else if order == .written { order = .alike }
    }

    /// The ways on which `count` of the remaining are kept, each of them equally often.
    func samples(_ count: Int, isPinned: Bool) -> [Branch] {
        guard count < remaining.count else { return [self] }
        return remaining.indices.map { first in
            var way = self
            way.prefer((0..<max(count, 1)).map { remaining[(first + $0) % remaining.count] })
            way.mass = mass / Double(remaining.count)
            way.isPinned = way.isPinned || isPinned
            return way
        }
    }

    /// Each remaining candidate is an answer of its own.
    var isSettled: Bool { weights != nil || isHashed }

    /// Keeps `kept`, unless that is nobody.
    mutating func keep(_ kept: [Int]) {
        if !kept.isEmpty { remaining = kept }
    }

    /// Keeps `kept`, unless that is nobody, and knows the others as lost.
    mutating func keepOnly(_ kept: [Int]) {
        if kept.isEmpty { return }
        lose(remaining.filter { !kept.contains($0) })
        remaining = kept
    }

    mutating func lose(_ dropped: [Int]) {
        for candidate in dropped where !lost.contains(candidate) { lost.append(candidate) }
    }

    /// Has candidates back that were dropped.
    mutating func recall(_ back: [Int]) {
        remaining = back
        lost.removeAll(where: back.contains)
        reserve.removeAll(where: back.contains)
        // Weights that were made for others leave nothing to draw from.
        if let table = weights, !back.contains(where: { table[$0] > 0 }) {
            for candidate in back { weights?[candidate] = 1 }
        }
    }

    /// Shuts out everybody who is not of `inside`, however he was dropped.
    mutating func fence(_ inside: [Int]) {
        remaining.removeAll { !inside.contains($0) }
        reserve.removeAll { !inside.contains($0) }
        lost.removeAll { !inside.contains($0) }
    }

    /// Keeps `kept`, unless that is nobody, and remembers the others in the order of `ranking` and then their own.
    mutating func prefer(_ kept: [Int], ranking: [Int] = []) {
        if kept.isEmpty { return }
        var passed: [Int] = []
        for candidate in ranking + remaining
        where remaining.contains(candidate) && !kept.contains(candidate) && !passed.contains(candidate) {
            passed.append(candidate)
        }
        remaining = kept
        reserve = passed + reserve
    }

    /// Takes in what comes `other`'s way, which is like this one.
    mutating func join(_ other: Branch) {
        explored = (mass * explored + other.mass * other.explored) / (mass + other.mass)
        mass += other.mass
    }

    /// Whether only the mass tells it from `other`.
    func isLike(_ other: Branch) -> Bool {
        remaining == other.remaining && reserve == other.reserve && lost == other.lost && weights == other.weights
            && isHashed == other.isHashed && isPinned == other.isPinned && order == other.order
            && lowest == other.lowest && highest == other.highest
    }
}
