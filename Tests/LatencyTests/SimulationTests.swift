import Geo
import Latency
import Model
import TestKit
import Testing

/// 10,000 prefixes in 40 networks, five regions, latencies that nobody but the clients knows.
private struct HiddenWorld {
    static let regions = ["a", "b", "c", "d", "e"]
    static let networks = 40
    static let perNetwork = 250

    /// Milliseconds by distance alone, for each network and region: what geography knows.
    private(set) var distances: [[Double]] = []
    /// How much longer the path is than the distance, for each network and region, and a little for each prefix.
    private var detours: [[Double]] = []
    private var local: [[Double]] = []
    private var generator = SeededGenerator(seed: 42)

    init() {
        for _ in 0..<Self.networks {
            let home = Double.random(in: 0...100, using: &generator)
            let places: [Double] = [10, 30, 50, 70, 90]
            distances.append(places.map { place in 15 + 0.6 * abs(home - place) })
            detours.append((0..<5).map { _ in detour() })
        }
        for _ in 0..<(Self.networks * Self.perNetwork) {
            local.append((0..<5).map { _ in Double.random(in: 0.7...1.4, using: &generator) })
        }
    }

    private mutating func detour() -> Double {
        let draw = Double.random(in: 0...1, using: &generator)
        return 1 + 2.5 * draw * draw
    }

    /// Some paths change for good.
    mutating func drift(part: Double) {
        for network in 0..<Self.networks {
            for region in 0..<5 where Double.random(in: 0...1, using: &generator) < part {
                detours[network][region] = detour()
            }
        }
    }

    func truth(_ prefix: Int, _ region: Int) -> Double {
        let network = prefix / Self.perNetwork
        return distances[network][region] * detours[network][region] * local[prefix][region]
    }

    static func prefix(_ index: Int) -> IPPrefix {
        IPPrefix(
            IPAddress(v4: 10 << 24 | UInt32(index / perNetwork) << 16 | UInt32(index % perNetwork) << 8), length: 24)
    }

    func nearest(_ prefix: Int) -> Int {
        let distances = distances[prefix / Self.perNetwork]
        return distances.indices.min { distances[$0] < distances[$1] } ?? 0
    }
}

@Suite("Exploration, simulated")
struct SimulationTests {
    /// Milliseconds, mean over all answers.
    struct Figures {
        var served = 0.0
        var optimal = 0.0
        var geographic = 0.0
        var explored = 0
        var answers = 0

        var excess: Double { served / optimal - 1 }
        var share: Double { Double(explored) / Double(answers) }
    }

    /// Connections of each prefix in a round of ten minutes, and how many of them are sampled.
    private static let connections = 200
    private static let sampled = 4

    @Test("Measured latency with 1% of exploration comes within 5% of the optimum, and again after paths change")
    func converges() {
        var world = HiddenWorld()
        var map = LatencyMap(regions: HiddenWorld.regions)
        var generator = SeededGenerator(seed: 1)
        var before = Figures()
        var after = Figures()
        var total = Figures()
        let rounds = 24
        for round in 0..<rounds {
            if round == rounds / 2 { world.drift(part: 0.15) }
            let figures = Self.round(world, &map, number: UInt64(round + 1), using: &generator)
            if (rounds / 2 - 3..<rounds / 2).contains(round) { before.add(figures) }
            if round >= rounds - 3 { after.add(figures) }
            total.add(figures)
        }
        print(
            "Measured latency, 10,000 prefixes, 5 regions: mean latency over the optimum "
                + "\(Self.percent(before.excess)) before and \(Self.percent(after.excess)) after 15% of the paths changed "
                + "(by geography alone \(Self.percent(after.geographic / after.optimal - 1))); "
                + "\(Self.percent(total.share)) of the answers explored, \(Self.percent(after.share)) at the end")
        #expect(before.excess < 0.05)
        #expect(after.excess < 0.05)
        #expect(after.geographic / after.optimal > 1.1)
        #expect(total.share <= 0.0105)
        #expect(after.share < total.share)
    }

    @Test("Without exploration a better region that nobody uses is never found")
    func withoutExploration() {
        let world = HiddenWorld()
        var map = LatencyMap(regions: HiddenWorld.regions)
        var generator = SeededGenerator(seed: 1)
        var last = Figures()
        for round in 0..<5 {
            last = Self.round(world, &map, number: UInt64(round + 1), exploring: false, using: &generator)
        }
        #expect(last.explored == 0)
        #expect(abs(last.served / last.geographic - 1) < 0.01)
        #expect(last.excess > 0.1)
    }

    /// Clients are answered by what is known, their connections are measured where they go, and reports are taken.
    private static func round(
        _ world: HiddenWorld, _ map: inout LatencyMap, number: UInt64, exploring: Bool = true,
        using generator: inout SeededGenerator
    ) -> Figures {
        let seconds = UInt32(number) * 600
        let table = map.picture(at: seconds).table(for: map.regions)
        let regions: [RegionID?] = (0..<5).map { RegionID($0) }
        var windows = HiddenWorld.regions.map { _ in [PrefixRoundTrips]() }
        var figures = Figures()
        for index in 0..<(HiddenWorld.networks * HiddenWorld.perNetwork) {
            let prefix = HiddenWorld.prefix(index)
            let row = table.prefixes.lookup(prefix.address).value
            let known = (0..<5).filter { table.figure(row: row, region: RegionID($0)) != LatencyTable.unknown }
            // Where nothing is known, geography decides.
            let served =
                known.min {
                    table.figure(row: row, region: RegionID($0)) < table.figure(row: row, region: RegionID($1))
                }
                ?? world.nearest(index)
            let tried = exploring ? table.exploration(row: row, among: regions, tolerance: 0) : nil
            let explored = tried == nil ? 0 : poisson(using: &generator)
            windows[served].append(
                PrefixRoundTrips(
                    prefix: prefix,
                    counts: (0..<sampled).map { _ in sample(world.truth(index, served), using: &generator) }))
            if let tried, explored > 0 {
                windows[tried].append(
                    PrefixRoundTrips(
                        prefix: prefix,
                        counts: (0..<explored).map { _ in sample(world.truth(index, tried), using: &generator) }))
                figures.served += world.truth(index, tried) * Double(explored)
            }
            figures.served += world.truth(index, served) * Double(connections - explored)
            figures.optimal += Double(connections) * ((0..<5).map { world.truth(index, $0) }.min() ?? 0)
            figures.geographic += Double(connections) * world.truth(index, world.nearest(index))
            figures.explored += explored
            figures.answers += connections
        }
        for (region, prefixes) in windows.enumerated() {
            let name = HiddenWorld.regions[region]
            map.take(
                HeardRoundTrips(
                    node: "l7-\(name)", region: name, incarnation: 1,
                    window: RoundTripWindow(number: number, prefixes: prefixes)), at: seconds)
        }
        return figures
    }

    /// Queues add up to a third, and one packet in twenty is lost.
    private static func sample(
        _ truth: Double, using generator: inout SeededGenerator
    ) -> PrefixRoundTrips.BucketCount {
        let queue = Double.random(in: 0...1, using: &generator)
        let loss = Double.random(in: 0...1, using: &generator) < 0.05 ? 3.0 : 1.0
        let microseconds = UInt32(truth * 1000 * (1 + queue * queue / 3) * loss)
        return .init(bucket: RoundTripBuckets.index(microseconds: microseconds), samples: 1)
    }

    /// Of two hundred answers, how many a share of 1% picks.
    private static func poisson(using generator: inout SeededGenerator) -> Int {
        var draw = Double.random(in: 0...1, using: &generator)
        for (count, part) in [0.1353, 0.2707, 0.2707, 0.1804, 0.0902, 0.0361, 0.0120].enumerated() {
            draw -= part
            if draw < 0 { return count }
        }
        return 7
    }

    private static func percent(_ part: Double) -> String { "\((part * 10_000).rounded() / 100)%" }
}

extension SimulationTests.Figures {
    mutating func add(_ other: Self) {
        served += other.served
        optimal += other.optimal
        geographic += other.geographic
        explored += other.explored
        answers += other.answers
    }
}
