import Geo
import Model
import Steering
import TestKit

/// A name with random steps over random maps, in a small part of the address space.
struct RandomScene {
    /// A chain with its candidates resolved, for the evaluation client by client.
    final class Chain {
        enum Member {
            case leaf(Int)
            case chain(Chain)
        }

        let members: [Member]
        let regions: [RegionID?]
        let steps: [SteeringStep]
        let leaves: [Int]

        init(members: [Member], regions: [RegionID?], steps: [SteeringStep], leaves: [Int]) {
            self.members = members
            self.regions = regions
            self.steps = steps
            self.leaves = leaves
        }
    }

    let name: DynamicName
    let chain: Chain
    let locations: [(prefix: IPPrefix, place: Place)]
    let networks: [(prefix: IPPrefix, number: UInt32)]
    let latencies: [LatencyTable.Entry]
    let regions: [Region]

    static let cities = ["", "Paris", "Springfield"]

    /// `depth`: how deep chains nest; 0 is not at all.
    init(depth: Int = 0, using generator: inout SeededGenerator) {
        let count = Int.random(in: 1...5, using: &generator)
        regions = (0..<count).map { index in
            let place = Coordinates(
                latitude: Double.random(in: -80...80, using: &generator),
                longitude: Double.random(in: -180...180, using: &generator))
            return Region(
                name: "r\(index)",
                location: Location(coordinates: Int.random(in: 0..<5, using: &generator) > 0 ? place : nil),
                address: nil,
                capacity: nil)
        }
        var locations: [(prefix: IPPrefix, place: Place)] = []
        var networks: [(prefix: IPPrefix, number: UInt32)] = []
        var latencies: [LatencyTable.Entry] = []
        for _ in 0..<Int.random(in: 0...20, using: &generator) {
            locations.append((Self.prefix(using: &generator), Self.place(using: &generator)))
        }
        for _ in 0..<Int.random(in: 0...10, using: &generator) {
            networks.append((Self.prefix(using: &generator), UInt32.random(in: 64_500...64_502, using: &generator)))
        }
        for _ in 0..<Int.random(in: 0...30, using: &generator) {
            latencies.append(
                .init(
                    prefix: Self.prefix(using: &generator),
                    region: RegionID(Int.random(in: 0..<count, using: &generator)),
                    microseconds: UInt32.random(in: 0...40, using: &generator) * 1000))
        }
        self.locations = locations
        self.networks = networks
        self.latencies = latencies
        var leaves = 0
        let made = Self.chain(regions: count, depth: depth, leaves: &leaves, using: &generator)
        chain = made.chain
        name = DynamicName(
            name: "n.", ttl: 1, service: nil, check: nil, checkPort: 0, candidates: made.candidates,
            steps: made.chain.steps, ramp: .zero)
    }

    /// The same candidates, clients and maps under other steps. Nothing may be nested.
    init(_ scene: RandomScene, steps: [SteeringStep]) {
        (locations, networks, latencies, regions) = (
            scene.locations, scene.networks, scene.latencies, scene.regions
        )
        chain = Chain(
            members: scene.chain.members, regions: scene.chain.regions, steps: steps, leaves: scene.chain.leaves)
        name = DynamicName(
            name: "n.", ttl: 1, service: nil, check: nil, checkPort: 0, candidates: scene.name.candidates,
            steps: steps, ramp: .zero)
    }

    private static func chain(
        regions: Int, depth: Int, leaves: inout Int, using generator: inout SeededGenerator
    ) -> (chain: Chain, candidates: [DynamicName.Candidate]) {
        let count = depth > 0 ? Int.random(in: 1...3, using: &generator) : regions
        let first = leaves
        var members: [Chain.Member] = []
        var candidates: [DynamicName.Candidate] = []
        for position in 0..<count {
            if depth > 0, Bool.random(using: &generator) {
                let inner = chain(regions: regions, depth: depth - 1, leaves: &leaves, using: &generator)
                let region = Bool.random(using: &generator) ? RegionID(position % regions) : nil
                members.append(.chain(inner.chain))
                candidates.append(
                    .init(
                        name: "c\(position)", region: region, records: [],
                        chain: SteeringChain(title: "g", candidates: inner.candidates, steps: inner.chain.steps)))
            } else {
                members.append(.leaf(leaves))
                leaves += 1
                candidates.append(.init(name: "c\(position)", region: RegionID(position % regions), records: []))
            }
        }
        var steps: [SteeringStep] = []
        for _ in 0..<Int.random(in: 0...5, using: &generator) { steps.append(step(count, using: &generator)) }
        return (
            Chain(members: members, regions: candidates.map(\.region), steps: steps, leaves: Array(first..<leaves)),
            candidates
        )
    }

    var planner: SteeringPlanner {
        var places = [Place.unknown]
        let entries = locations.map { prefix, place -> (prefix: IPPrefix, value: UInt32) in
            places.append(place)
            return (prefix, UInt32(places.count - 1))
        }
        return SteeringPlanner(
            regions: regions,
            locations: LocationTable(
                prefixes: PrefixTable(entries, otherwise: 0), places: places, cityNames: Self.cities,
                networks: PrefixTable(networks.map { (prefix: $0.prefix, value: $0.number) }, otherwise: 0)),
            latencies: ["l": LatencyTable(latencies, regionCount: regions.count)])
    }

    func health(using generator: inout SeededGenerator) -> [CandidateHealth] {
        chain.leaves.map { _ in
            let share = Bool.random(using: &generator) ? 1 : Double(Int.random(in: 0...10, using: &generator)) / 10
            let orders: [CandidateHealth.Order] = [.up, .down, .drain]
            let isMeasured = Bool.random(using: &generator)
            return CandidateHealth(
                healthy: Int.random(in: 0..<3, using: &generator) > 0, share: share,
                order: Int.random(in: 0..<8, using: &generator) == 0 ? orders.randomElement(using: &generator) : nil,
                upShare: Double(Int.random(in: 0...4, using: &generator)) / 4,
                load: isMeasured ? Double(Int.random(in: 8...21, using: &generator)) * 5 : nil,
                capacity: isMeasured ? 100 : nil)
        }
    }

    /// What `capacity` steps of `chain` fill a candidate with in this scene, where somebody counts.
    func fill(_ chain: Chain, _ candidate: Int) -> Double {
        Double((candidate * 7 + chain.members.count * 3) % 4) / 4
    }

    func spill(_ plan: SteeringPlan) -> SpillShares {
        var shares = SpillShares()
        for site in plan.spillSites {
            shares.set(site, site.members.map { Double(($0 * 7 + site.memberCount * 3) % 4) / 4 })
        }
        return shares
    }

    // MARK: - Clients

    /// 10.0.0.0/8 and 2001:db8::/32, few bits of either.
    func client(using generator: inout SeededGenerator) -> IPAddress {
        if Bool.random(using: &generator) {
            return IPAddress(v4: 10 << 24 | UInt32.random(in: 0..<16, using: &generator) << 20)
        }
        return IPAddress(v6: 0x2001_0db8 << 32 | UInt64.random(in: 0..<16, using: &generator) << 28, 0)
    }

    func client(in range: IPPrefix, using generator: inout SeededGenerator) -> IPAddress {
        let noise = IPAddress(family: range.address.family, high: generator.next(), low: generator.next())
        let fixed = IPPrefix(noise, length: range.length).address
        if range.address.family == .v4 {
            return IPAddress(v4: range.address.v4 | (noise.v4 ^ fixed.v4))
        }
        return IPAddress(
            v6: range.address.high | (noise.high ^ fixed.high), range.address.low | (noise.low ^ fixed.low))
    }

    /// Addresses of `range` in all of whose parts the maps could differ: one of each piece that their prefixes can cut.
    static func grid(in range: IPPrefix) -> [IPAddress] {
        var flipped = range.address
        if range.address.family == .v4 {
            flipped = IPAddress(v4: range.address.v4 | (range.length == 0 ? .max : .max >> UInt32(range.length)))
            let pieces = (0..<UInt32(4096)).map { IPAddress(v4: $0 << 20) }
            return [range.address, flipped] + pieces.filter(range.contains)
        }
        let high = range.address.high | (range.length >= 64 ? 0 : .max >> UInt64(range.length))
        let pieces =
            (0..<UInt64(256)).map { IPAddress(v6: 0x2001_0d00 << 32 | $0 << 32, 0) }
            + (0..<UInt64(64)).map { IPAddress(v6: 0x2001_0db8 << 32 | $0 << 28, 0) }
        return [range.address, IPAddress(v6: high, .max)] + pieces.filter(range.contains)
    }

    private static func prefix(using generator: inout SeededGenerator) -> IPPrefix {
        if Bool.random(using: &generator) {
            let address = IPAddress(v4: 10 << 24 | UInt32.random(in: 0..<16, using: &generator) << 20)
            return IPPrefix(address, length: Int.random(in: 6...12, using: &generator))
        }
        let address = IPAddress(v6: 0x2001_0db8 << 32 | UInt64.random(in: 0..<16, using: &generator) << 28, 0)
        return IPPrefix(address, length: Int.random(in: 30...36, using: &generator))
    }

    private static func place(using generator: inout SeededGenerator) -> Place {
        let coordinates = Coordinates(
            latitude: Double(Int.random(in: -80...80, using: &generator)),
            longitude: Double(Int.random(in: -179...179, using: &generator)))
        let places = [
            Place(continent: "EU", country: "DE", coordinates: coordinates),
            Place(continent: "EU", country: "FR", subdivisions: ["IDF"], city: 1, coordinates: coordinates),
            Place(continent: "NA", country: "US", subdivisions: ["IL"], city: 2),
            Place(continent: "NA", country: "US", subdivisions: ["CA"], coordinates: coordinates),
            Place(continent: nil, country: "US"), Place(continent: "EU", country: nil, coordinates: coordinates),
        ]
        return places.randomElement(using: &generator) ?? .unknown
    }

    // MARK: - Steps

    static func step(_ count: Int, using generator: inout SeededGenerator) -> SteeringStep {
        func some(_ most: Int) -> [Int] {
            Array((0..<count).shuffled(using: &generator).prefix(Int.random(in: 0...most, using: &generator)))
        }
        func prefixes() -> [IPPrefix: [Int]] {
            var prefixes: [IPPrefix: [Int]] = [:]
            for _ in 0..<Int.random(in: 0...4, using: &generator) { prefixes[prefix(using: &generator)] = some(2) }
            return prefixes
        }
        func fence() -> SteeringStep.Fence {
            [.absent, .absent, .open, .closed].randomElement(using: &generator) ?? .absent
        }
        switch Int.random(in: 0..<15, using: &generator) {
        case 0: return .healthy()
        case 1:
            return .healthy(
                .init(
                    servers: [0, 25, 50].randomElement(using: &generator) ?? 0,
                    quorum: [0, 50, 100].randomElement(using: &generator) ?? 0))
        case 2, 3:
            let isDetailed = Bool.random(using: &generator)
            return .geo(
                .init(
                    prefixes: prefixes(), networks: isDetailed ? [64_500: some(2)] : [:],
                    cities: isDetailed ? ["FR/Paris": some(2), "US-IL/Springfield": some(2)] : [:],
                    subdivisions: isDetailed ? ["US-CA": some(2)] : [:],
                    countries: ["DE": some(2), "US": some(2)], continents: ["EU": some(2)], otherwise: some(1),
                    fence: fence()))
        case 4:
            return .prefix(
                .init(
                    prefixes: prefixes(), otherwise: some(1), fence: fence()))
        case 5:
            return .latency(.init(file: "l", tolerance: .milliseconds(Int.random(in: 0...20, using: &generator))))
        case 6, 7:
            return .proximity(
                .init(
                    bias: (0..<count).map { _ in [0, 0, 50, -50].randomElement(using: &generator) ?? 0 },
                    count: Bool.random(using: &generator) ? nil : Int.random(in: 1...3, using: &generator)))
        case 8: return .weighted((0..<count).map { _ in Int.random(in: 0...3, using: &generator) })
        case 9:
            return .priority(.init(some(count), trickle: [0, 10].randomElement(using: &generator) ?? 0))
        case 10: return .hash
        case 11: return .capacity(.init(limit: 90))
        case 13: return .sample(Int.random(in: 1...3, using: &generator))
        case 12: return .shed(.init(low: 50, high: 100))
        default: return .take(Int.random(in: 1...3, using: &generator))
        }
    }
}
