import Foundation
import Geo
import Model
import Steering

/// The chain for one client, straight from the entries of the maps: no table, no class, floating point, one draw after the
/// other.
struct DirectEvaluation {
    /// The part of the answers that each list of leaves gets.
    private(set) var shares: [[Int]: Double] = [:]
    private(set) var failOpen = false
    /// The order in which the first `capacity` step found its candidates.
    private(set) var order: [Int]?

    private let scene: RandomScene
    private let client: IPAddress
    private let chain: RandomScene.Chain
    /// By candidate of the chain.
    private var health: [CandidateHealth] = []
    private let isCounting: Bool
    /// `order` with everybody healthy.
    private var calm: [Int]?

    /// `isCounting`: whether the scene's capacity shares are in force.
    init(
        scene: RandomScene, chain: RandomScene.Chain? = nil, client: IPAddress, health leaves: [CandidateHealth],
        isCounting: Bool = true
    ) {
        self.scene = scene
        self.client = client
        self.chain = chain ?? scene.chain
        self.isCounting = isCounting
        var inner: [DirectEvaluation?] = []
        for member in self.chain.members {
            switch member {
            case .leaf(let leaf):
                inner.append(nil)
                health.append(Self.ordered(leaves[leaf]))
            case .chain(let nested):
                let found = DirectEvaluation(
                    scene: scene, chain: nested, client: client, health: leaves, isCounting: isCounting)
                inner.append(found)
                health.append(found.summary(nested.leaves.map { Self.ordered(leaves[$0]) }, all: leaves))
            }
        }
        if isCounting, self.chain.steps.contains(where: { $0.label == "capacity" }) {
            calm =
                DirectEvaluation(
                    scene: scene, chain: self.chain, client: client,
                    health: leaves.map { _ in CandidateHealth(healthy: true) }, isCounting: false
                ).order
        }
        // One draw for all that return and one for all that shed: between its edges each does the same.
        let isHashed = self.chain.steps.contains(.hash)
        let sheds = self.chain.steps.flatMap { step -> [Double] in
            guard case .shed(let step) = step else { return [] }
            return health.map { 1 - part(step, $0) }
        }
        var lists: [[Int]: Double] = [:]
        for (returning, often) in Self.draws(isHashed ? [] : health.map(\.share)) {
            let included = health.map { $0.healthy && (isHashed ? $0.share > 0 : $0.share > returning) }
            for (shed, frequent) in Self.draws(sheds) {
                for (list, part) in run(included, shed: shed) { lists[list, default: 0] += part * often * frequent }
            }
        }
        for (list, part) in lists { expand(list, part, inner) }
    }

    /// One draw of each interval between `edges`, and how often draws fall there.
    private static func draws(_ edges: [Double]) -> [(draw: Double, part: Double)] {
        let sorted = Set(edges + [0, 1]).sorted()
        return zip(sorted, sorted.dropFirst()).map { (($0 + $1) / 2, $1 - $0) }
    }

    private static func ordered(_ health: CandidateHealth) -> CandidateHealth {
        var health = health
        if health.order == .up { (health.healthy, health.share, health.upShare) = (true, 1, 1) }
        if health.order == .down { health.healthy = false }
        return health
    }

    /// What the chain around it sees of this one.
    private func summary(_ inside: [CandidateHealth], all: [CandidateHealth]) -> CandidateHealth {
        let answered = Set(shares.keys.flatMap(\.self))
        let loads = inside.compactMap(\.load)
        let capacities = inside.compactMap(\.capacity)
        return CandidateHealth(
            healthy: !failOpen && answered.contains { Self.ordered(all[$0]).healthy },
            order: inside.allSatisfy { $0.order == .down || $0.order == .drain } ? .drain : nil,
            upShare: inside.map(\.upShare).reduce(0, +) / Double(inside.count),
            load: loads.count == inside.count ? loads.reduce(0, +) : nil,
            capacity: capacities.count == inside.count ? capacities.reduce(0, +) : nil)
    }

    /// Lists of candidates → lists of leaves. Of several chains in one list the answers are taken as independent, which
    /// leaves each leaf its part.
    private mutating func expand(_ list: [Int], _ part: Double, _ inner: [DirectEvaluation?]) {
        var lists: [[Int]: Double] = [[]: part]
        for member in list {
            let ways: [[Int]: Double]
            switch chain.members[member] {
            case .leaf(let leaf): ways = [[leaf]: 1]
            case .chain:
                ways = inner[member]?.shares ?? [:]
                failOpen = failOpen || inner[member]?.failOpen == true
            }
            var longer: [[Int]: Double] = [:]
            for (head, weight) in lists {
                for (tail, part) in ways {
                    longer[head + tail.filter { !head.contains($0) }, default: 0] += weight * part
                }
            }
            lists = longer
        }
        for (leaves, weight) in lists { shares[leaves, default: 0] += weight }
    }

    // MARK: - One draw

    /// What all picks of the steps that keep some of many come to, together.
    private mutating func run(_ included: [Bool], shed draw: Double, picks: [Int] = []) -> [[Int]: Double] {
        let (lists, many) = run(included, shed: draw, by: picks)
        guard let many else { return lists }
        var all: [[Int]: Double] = [:]
        for pick in 0..<many {
            for (list, part) in run(included, shed: draw, picks: picks + [pick]) {
                all[list, default: 0] += part / Double(many)
            }
        }
        return all
    }

    /// `picks`: whom the steps that keep some of many begin with, one after the other. When there are too few, the number
    /// that the next one has to be below.
    private mutating func run(
        _ included: [Bool], shed draw: Double, by picks: [Int]
    ) -> (lists: [[Int]: Double], many: Int?) {
        var picks = picks[...]
        /// Whether a step has told the remaining apart, or knew nothing that does.
        var isRanked = false
        var isAlike = false
        let barred = health.map { $0.order == .down || $0.order == .drain }
        var remaining = health.indices.filter { !barred[$0] }
        if remaining.isEmpty { remaining = Array(health.indices) }
        var lost = health.indices.filter { !remaining.contains($0) }
        var reserve: [Int] = []
        var weights: [Double]?
        var isHashed = false

        func pass(_ kept: [Int], by ranking: [Int] = []) {
            guard !kept.isEmpty else { return }
            let passed = (ranking.filter(remaining.contains) + remaining.filter { !ranking.contains($0) })
                .filter { !kept.contains($0) }
            var once: [Int] = []
            for candidate in passed where !once.contains(candidate) { once.append(candidate) }
            reserve = once + reserve
            remaining = kept
        }

        /// The lists of a step by place or prefix, at work.
        func choose(_ lists: [[Int]], _ fence: SteeringStep.Fence) {
            func first(_ some: [Int]) -> Int? { lists.firstIndex { !Set($0).isDisjoint(with: some) } }
            if fence != .absent || first(remaining) != nil { isRanked = true } else if lists.isEmpty { isAlike = true }
            if let found = first(remaining) {
                pass(lists[found].filter(remaining.contains), by: lists[(found + 1)...].flatMap(\.self))
                if fence == .closed { reserve = [] }
            } else if fence != .absent {
                let away = lost.filter { health[$0].healthy && !included[$0] }
                let free = lost.filter { !barred[$0] }
                var order = [away]
                if fence == .open {
                    order = [reserve, away, free.filter { health[$0].healthy }, free, lost]
                }
                let group = order.first { first($0) != nil } ?? []
                remaining = first(group).map { lists[$0].filter(group.contains) } ?? []
                if !remaining.isEmpty, !remaining.contains(where: { health[$0].healthy }) { failOpen = true }
                reserve.removeAll(where: remaining.contains)
                lost.removeAll(where: remaining.contains)
                if let table = weights, remaining.allSatisfy({ table[$0] == 0 }) {
                    for candidate in remaining { weights?[candidate] = 1 }
                }
            }
            if fence != .absent {
                let inside = lists.flatMap(\.self)
                reserve = reserve.filter(inside.contains)
                lost = lost.filter(inside.contains)
            }
        }

        for step in chain.steps {
            if remaining.isEmpty { break }
            let before = remaining + reserve
            // Who is dropped by preference is in reserve; everybody else who goes is lost.
            defer { lost += before.filter { !remaining.contains($0) && !reserve.contains($0) && isLosing(step) } }
            switch step {
            case .healthy(let step):
                let able = remaining.filter { health[$0].healthy && health[$0].upShare * 100 >= Double(step.servers) }
                reserve = reserve.filter { included[$0] && health[$0].upShare * 100 >= Double(step.servers) }
                let isEnough = !able.isEmpty && able.count * 100 >= step.quorum * remaining.count
                if !isEnough {
                    failOpen = true
                    continue
                }
                let now = able.filter { included[$0] }
                remaining = now.isEmpty ? able : now
            case .geo(let geo):
                choose(lists(geo), geo.fence)
            case .prefix(let step):
                choose(lists(step), step.fence)
            case .latency(let latency):
                let figures = remaining.map { (candidate: $0, figure: figure(chain.regions[$0])) }
                guard let best = figures.compactMap(\.figure).min() else {
                    isAlike = true
                    continue
                }
                let limit = best + UInt32(latency.tolerance.milliseconds) * 1000
                let sorted = figures.filter { $0.figure != nil }.sorted { $0.figure ?? 0 < $1.figure ?? 0 }
                pass(
                    sorted.filter { $0.figure ?? 0 <= limit }.map(\.candidate), by: sorted.map(\.candidate))
                if sorted.contains(where: { $0.figure != best && $0.figure ?? 0 <= limit }) {
                    isRanked = true
                } else {
                    isAlike = true
                }
            case .proximity(let step):
                let figures = remaining.compactMap { candidate in
                    distance(chain.regions[candidate], bias: step.bias[candidate]).map { (candidate, $0) }
                }
                guard let best = figures.map(\.1).min() else {
                    isAlike = true
                    continue
                }
                let sorted = figures.sorted { $0.1 < $1.1 }.map(\.0)
                let near = figures.filter { $0.1 == best }.map(\.0)
                pass(step.count.map { Array(sorted.prefix($0)) } ?? near, by: sorted)
                if remaining.contains(where: { !near.contains($0) }) { isRanked = true } else { isAlike = true }
            case .weighted(let given):
                if weights != nil { continue }
                let weighty = remaining.filter { given[$0] > 0 }
                weights = weighty.isEmpty ? given.map { _ in 1 } : given.map(Double.init)
                if !weighty.isEmpty { remaining = weighty }
            case .priority(let step):
                let left = step.order.filter(remaining.contains)
                guard let first = left.first else { continue }
                if step.trickle > 0, left.count > 1 {
                    pass([first, left[1]], by: left)
                    var table = health.map { _ in 0.0 }
                    table[first] = 100 - Double(step.trickle)
                    table[left[1]] = Double(step.trickle)
                    weights = table
                } else {
                    pass([first], by: left)
                }
            case .hash: isHashed = true
            case .capacity:
                if weights != nil || isHashed { continue }
                let all = remaining + reserve
                if order == nil { order = all }
                let table = isCounting ? counted(all) : []
                let filled = all.filter { !table.isEmpty && table[$0] > 0 }
                if filled.isEmpty, isAlike, !isRanked, remaining.count > 1 {
                    guard let pick = picks.popFirst() else { return ([:], remaining.count) }
                    pass([remaining[pick]])
                } else if filled.isEmpty {
                    pass([remaining[0]])
                } else {
                    reserve = all.filter { !filled.contains($0) }
                    remaining = filled
                    weights = table
                }
            case .shed(let step):
                let parts = health.map { part(step, $0) }
                if weights != nil || isHashed {
                    let table = health.indices.map { (weights?[$0] ?? 1) * (1 - parts[$0]) }
                    let kept = remaining.filter { table[$0] > 1e-9 }
                    if !kept.isEmpty {
                        remaining = kept
                        weights = table
                    }
                } else {
                    let kept = remaining.filter { draw < 1 - parts[$0] }
                    if !kept.isEmpty { remaining = kept }
                    reserve = reserve.filter { draw < 1 - parts[$0] }
                }
            case .take(let count):
                if weights != nil || isHashed { continue }
                guard isAlike, !isRanked, count < remaining.count else {
                    pass(Array(remaining.prefix(count)))
                    continue
                }
                guard let pick = picks.popFirst() else { return ([:], remaining.count) }
                pass((pick..<(pick + count)).map { remaining[$0 % remaining.count] })
            case .sample(let count):
                if weights != nil || isHashed || count >= remaining.count { continue }
                guard let pick = picks.popFirst() else { return ([:], remaining.count) }
                pass((pick..<(pick + count)).map { remaining[$0 % remaining.count] })
            }
        }
        if remaining.isEmpty { return ([[]: 1], nil) }
        if weights == nil, !isHashed { return ([remaining: 1], nil) }
        var final = remaining.map { weights?[$0] ?? 1 }
        if isHashed {
            let ramped = zip(remaining, final).map { $1 * health[$0].share }
            if ramped.contains(where: { $0 > 0 }) { final = ramped }
        }
        let total = final.reduce(0, +)
        var result: [[Int]: Double] = [:]
        for (candidate, weight) in zip(remaining, final) where weight > 0 { result[[candidate]] = weight / total }
        return (result, nil)
    }

    /// What the scene fills candidates with, of those that this class of clients would come to with everybody healthy.
    private func counted(_ all: [Int]) -> [Double] {
        health.indices.map { calm?.contains($0) == true ? scene.fill(chain, $0) : 0 }
    }

    private func part(_ step: SteeringStep.ShedStep, _ health: CandidateHealth) -> Double {
        guard let load = health.load, let capacity = health.capacity, capacity > 0 else { return 0 }
        return min(max((100 * load / capacity - Double(step.low)) / Double(step.high - step.low), 0), 1)
    }

    // MARK: - Maps, entry by entry

    private var place: Place {
        var place = Place.unknown
        var length = -1
        for (prefix, found) in scene.locations where prefix.contains(client) && prefix.length >= length {
            (place, length) = (found, prefix.length)
        }
        return place
    }

    private var network: UInt32 {
        var network: UInt32 = 0
        var length = -1
        for (prefix, found) in scene.networks where prefix.contains(client) && prefix.length >= length {
            (network, length) = (found, prefix.length)
        }
        return network
    }

    private func isLosing(_ step: SteeringStep) -> Bool {
        switch step {
        case .healthy, .shed, .weighted: true
        default: false
        }
    }

    func lists(_ step: SteeringStep.PrefixStep) -> [[Int]] {
        step.prefixes.filter { $0.key.contains(client) }.sorted { $0.key.length > $1.key.length }.map(\.value)
            + otherwise(step.otherwise)
    }

    func lists(_ geo: SteeringStep.GeoStep) -> [[Int]] {
        let prefixes = geo.prefixes.filter { $0.key.contains(client) }
            .sorted { $0.key.length > $1.key.length }.map(\.value)
        let place = place
        let city = place.city == 0 ? nil : RandomScene.cities[Int(place.city)]
        let around = place.subdivisions + [place.country].compactMap { $0 }
        let cities = around.map { area in city.flatMap { geo.cities["\(area)/\($0)"] } }
        let found =
            [geo.networks[network]] + cities + place.subdivisions.map { geo.subdivisions[$0] }
            + [place.country.flatMap { geo.countries[$0] }, place.continent.flatMap { geo.continents[$0] }]
        return prefixes + found.compactMap { $0 } + otherwise(geo.otherwise)
    }

    /// A step without a default has no list for whom it does not know.
    private func otherwise(_ list: [Int]) -> [[Int]] { list.isEmpty ? [] : [list] }

    private func figure(_ region: RegionID?) -> UInt32? {
        var best: LatencyTable.Entry?
        for entry in scene.latencies where entry.region == region && entry.prefix.contains(client) {
            if entry.prefix.length >= best?.prefix.length ?? 0 { best = entry }
        }
        return best?.microseconds
    }

    /// Whole metres by the haversine formula.
    private func distance(_ region: RegionID?, bias: Int) -> Int? {
        guard let region, let from = place.coordinates, let to = scene.regions[region.index].location.coordinates else {
            return nil
        }
        let (a, b) = (from.latitude * .pi / 180, to.latitude * .pi / 180)
        let turn = (to.longitude - from.longitude) * .pi / 180
        let h = pow(sin((b - a) / 2), 2) + cos(a) * cos(b) * pow(sin(turn / 2), 2)
        let metres = 2 * 6_371_008.8 * asin(min(h.squareRoot(), 1))
        let part = Double(bias) / 100
        return Int(part >= 0 ? metres * (1 - part) : metres / (1 + part))
    }
}
