import Geo
import Model
import Steering

/// The chain for one client, straight from the entries of the maps: no table, no class, floating point.
struct DirectEvaluation {
    /// The part of the answers that each list of candidates gets.
    private(set) var shares: [[Int]: Double] = [:]
    private(set) var failOpen = false

    private let scene: RandomScene
    private let client: IPAddress
    private let health: [CandidateHealth]

    init(scene: RandomScene, client: IPAddress, health: [CandidateHealth]) {
        self.scene = scene
        self.client = client
        self.health = health
        // One draw in a thousand steps decides for all returning candidates alike; shares are tenths.
        for draw in 0..<10 {
            let included = health.map { $0.healthy && $0.share * 10 > Double(draw) + 0.5 }
            run(included)
        }
    }

    private mutating func run(_ included: [Bool]) {
        var remaining = Array(0..<scene.count)
        var weights: [Double]?
        func narrowed(_ kept: [Int]) -> [Int] { kept.isEmpty ? remaining : kept }
        for step in scene.name.steps {
            switch step {
            case .healthy:
                let kept = remaining.filter { included[$0] }
                let healthy = remaining.filter { health[$0].healthy }
                if healthy.isEmpty { failOpen = true }
                remaining = kept.isEmpty ? narrowed(healthy) : kept
            case .geo(let geo):
                let kept = lists(geo).map { $0.filter(remaining.contains) }.first { !$0.isEmpty }
                remaining = narrowed(kept ?? [])
            case .latency(let latency):
                let figures = remaining.map { (candidate: $0, figure: figure(RegionID($0))) }
                guard let best = figures.compactMap(\.figure).min() else { continue }
                let limit = best + UInt32(latency.tolerance.milliseconds) * 1000
                remaining = figures.filter { $0.figure ?? .max <= limit }
                    .sorted { $0.figure ?? 0 < $1.figure ?? 0 }.map(\.candidate)
            case .weighted(let given):
                if weights != nil { continue }
                let weighty = remaining.filter { given[$0] > 0 }
                weights = weighty.isEmpty ? given.map { _ in 1 } : given.map(Double.init)
                remaining = narrowed(weighty)
            case .failover(let order):
                remaining = narrowed(order.first(where: remaining.contains).map { [$0] } ?? [])
            case .limit(let count):
                if weights == nil { remaining = Array(remaining.prefix(count)) }
            }
        }
        guard let weights else {
            shares[remaining, default: 0] += 0.1
            return
        }
        let total = remaining.reduce(0) { $0 + weights[$1] }
        for candidate in remaining { shares[[candidate], default: 0] += 0.1 * weights[candidate] / total }
    }

    private func lists(_ geo: SteeringStep.GeoStep) -> [[Int]] {
        let prefixes = geo.prefixes.filter { $0.key.contains(client) }
            .sorted { $0.key.length > $1.key.length }.map(\.value)
        var place = Place.unknown
        var length = -1
        for (prefix, found) in scene.locations where prefix.contains(client) && prefix.length >= length {
            (place, length) = (found, prefix.length)
        }
        let country = place.country.flatMap { geo.countries[$0] }
        let continent = place.continent.flatMap { geo.continents[$0] }
        return prefixes + [country, continent].compactMap { $0 } + [geo.otherwise]
    }

    private func figure(_ region: RegionID) -> UInt32? {
        var best: LatencyTable.Entry?
        for entry in scene.latencies where entry.region == region && entry.prefix.contains(client) {
            if entry.prefix.length >= best?.prefix.length ?? 0 { best = entry }
        }
        return best?.microseconds
    }
}
