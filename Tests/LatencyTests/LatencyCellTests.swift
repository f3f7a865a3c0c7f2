import Latency
import Model
import TestKit
import Testing

@Suite("Latency cell")
struct LatencyCellTests {
    typealias Counts = [PrefixRoundTrips.BucketCount]

    private func counts(_ pairs: (Int, Int)...) -> Counts { pairs.map { .init(bucket: $0.0, samples: $0.1) } }

    @Test("Buckets cover what round trips there are, each a fifth wider than the one before")
    func buckets() {
        let edges = RoundTripBuckets.edges
        #expect(edges.first == 500 && edges.last == 2_048_000)
        #expect(
            zip(edges, edges.dropFirst()).allSatisfy { Double($1) / Double($0) > 1.18 && Double($1) / Double($0) < 1.2 }
        )
        for microseconds: UInt32 in [0, 1, 499, 500, 501, 20_000, 2_047_999, 2_048_000, .max] {
            let bucket = RoundTripBuckets.index(microseconds: microseconds)
            #expect(bucket == 0 || edges[bucket] <= microseconds)
            #expect(bucket == RoundTripBuckets.count - 1 || microseconds < edges[bucket + 1])
        }
        for (index, edge) in edges.dropLast().enumerated() {
            #expect(RoundTripBuckets.index(microseconds: edge) == index)
            #expect(RoundTripBuckets.microseconds(at: Double(index)) == edge)
        }
    }

    @Test(
        "The median of many samples is within a tenth of the truth",
        arguments: [1_000, 7_300, 42_000, 180_000, 900_000])
    func median(truth: UInt32) throws {
        var generator = SeededGenerator(seed: UInt64(truth))
        var cell = LatencyCell()
        for second in 0..<40 {
            let samples = (0..<5).map { _ in
                UInt32(Double(truth) * Double.random(in: 0.8...1.2, using: &generator))
            }
            cell.add(
                samples.map { .init(bucket: RoundTripBuckets.index(microseconds: $0), samples: 1) }, at: UInt32(second))
        }
        let median = RoundTripBuckets.microseconds(at: try #require(cell.position(of: 0.5)))
        #expect(abs(Double(median) / Double(truth) - 1) < 0.1, "\(median)")
        #expect(cell.samples <= LatencyCell.capacity && cell.updated == 39)
    }

    @Test("What was added first is forgotten when the path changes")
    func drift() throws {
        var cell = LatencyCell()
        for second in 0..<100 { cell.add(counts((10, 5)), at: UInt32(second)) }
        for second in 100..<115 { cell.add(counts((30, 5)), at: UInt32(second)) }
        #expect(try #require(cell.position(of: 0.5)) >= 30)
    }

    @Test("A flood of samples counts in its proportions, not by which bucket comes last")
    func flood() throws {
        var cell = LatencyCell()
        cell.add(counts((5, 60_000), (20, 20_000), (40, 20_000)), at: 1)
        #expect(cell.samples == LatencyCell.capacity / 2)
        #expect(try #require(cell.position(of: 0.59)) < 6)
        #expect(try #require(cell.position(of: 0.79)) < 21)
        #expect(try #require(cell.position(of: 0.81)) >= 40)
    }

    @Test("Old samples fade by half-lives; one of them stays, and it is the median")
    func fade() throws {
        var cell = LatencyCell()
        cell.add(counts((10, 20), (11, 20)), at: 1000)
        cell.fade(to: 1099, halfLife: 100)
        #expect(cell.samples == 40)
        cell.fade(to: 1200, halfLife: 100)
        #expect(cell.samples == 10)
        cell.fade(to: 1_000_000, halfLife: 100)
        #expect(cell.samples == 1)
        #expect((10...12).contains(try #require(cell.position(of: 0.5))))
    }

    @Test("Nonsense is not counted")
    func nonsense() {
        var cell = LatencyCell()
        cell.add(counts((-1, 5), (48, 5), (3, 0), (3, -7)), at: 1)
        #expect(cell.isEmpty && cell.position(of: 0.5) == nil)
        #expect(MemoryLayout<LatencyCell>.stride <= 56)
    }
}
