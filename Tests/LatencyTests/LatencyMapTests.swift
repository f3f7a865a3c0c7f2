import Geo
import Latency
import Model
import TestKit
import Testing

@Suite("Latency map")
struct LatencyMapTests {
    static func window(
        _ node: String = "l7", _ region: String = "east", incarnation: UInt64 = 1, number: UInt64,
        _ prefixes: [(String, Int, Int)]
    ) throws -> HeardRoundTrips {
        HeardRoundTrips(
            node: node, region: region, incarnation: incarnation,
            window: RoundTripWindow(
                number: number,
                prefixes: try prefixes.map { text, milliseconds, samples in
                    let bucket = RoundTripBuckets.index(microseconds: UInt32(milliseconds) * 1000)
                    return PrefixRoundTrips(
                        prefix: try #require(IPPrefix(text)), counts: [.init(bucket: bucket, samples: samples)])
                }))
    }

    private func figure(_ table: LatencyTable, _ client: String, _ region: Int) throws -> UInt32 {
        table.figure(
            row: table.prefixes.lookup(try #require(IPAddress(client))).value, region: RegionID(region))
    }

    @Test("A prefix speaks for itself with enough samples, and wider ones stand in")
    func standIns() throws {
        var map = LatencyMap(regions: ["east", "west"])
        map.take(try Self.window(number: 1, [("10.1.1.0/24", 20, 10), ("10.1.2.0/24", 80, 10)]), at: 1)
        map.take(try Self.window("other", "west", number: 1, [("10.1.1.0/24", 50, 2)]), at: 1)
        let table = map.picture(at: 1).table(for: map.regions)
        #expect((18_000...24_000).contains(try figure(table, "10.1.1.9", 0)))
        #expect((68_000...90_000).contains(try figure(table, "10.1.2.9", 0)))
        // Neighbours have what their /16 and /8 have.
        #expect(try figure(table, "10.1.77.1", 0) != LatencyTable.unknown)
        #expect(try figure(table, "10.99.1.1", 0) != LatencyTable.unknown)
        // What is known of another region in a /8 is known of those who are near it.
        map.take(try Self.window("other", "west", number: 2, [("10.9.1.0/24", 5, 20)]), at: 1)
        #expect(try figure(map.picture(at: 1).table(for: map.regions), "10.1.77.1", 1) == LatencyTable.unknown)
        #expect(try figure(map.picture(at: 1).table(for: map.regions), "10.99.1.1", 1) < 6_000)
        #expect(try figure(table, "11.1.1.1", 0) == LatencyTable.unknown)
        // Two samples are too few.
        #expect(try figure(table, "10.1.1.9", 1) == LatencyTable.unknown)
        let row = table.prefixes.lookup(try #require(IPAddress("10.1.1.9"))).value
        #expect(table.evidence(row: row, region: RegionID(0))?.samples == 10)
        #expect(table.evidence(row: row, region: RegionID(0))?.length == 24)
        #expect(table.evidence(row: row, region: RegionID(1)) == nil)
    }

    @Test("IPv6 is gathered by /48 and stands in by /32, and mapped addresses are IPv4")
    func families() throws {
        #expect(RoundTripBuckets.prefix(of: try #require(IPAddress("::ffff:10.1.2.3"))) == IPPrefix("10.1.2.0/24"))
        #expect(RoundTripBuckets.prefix(of: try #require(IPAddress("2001:db8:1:2::3"))) == IPPrefix("2001:db8:1::/48"))
        var map = LatencyMap(regions: ["east"])
        map.take(try Self.window(number: 1, [("2001:db8:1::/48", 20, 10)]), at: 1)
        let table = map.picture(at: 1).table(for: map.regions)
        #expect(try figure(table, "2001:db8:1::1", 0) == figure(table, "2001:db8:2::1", 0))
        #expect(try figure(table, "2001:db9::1", 0) == LatencyTable.unknown)
        #expect(map.prefixCount == 2)
    }

    @Test("A window counts once, late ones too, and an earlier life not at all")
    func idempotent() throws {
        var map = LatencyMap(regions: ["east"])
        func take(_ incarnation: UInt64, _ number: UInt64) throws -> Bool {
            map.take(try Self.window(incarnation: incarnation, number: number, [("10.1.1.0/24", 20, 1)]), at: 1)
        }
        #expect(try take(5, 3))
        #expect(try !take(5, 3))
        #expect(try take(5, 1))
        #expect(try !take(5, 1))
        #expect(try take(5, 70))
        #expect(try !take(5, 3))
        #expect(try !take(4, 71))
        #expect(try take(6, 1))
        #expect(map.samples == 4 && map.windows == 4)
        #expect(!map.take(try Self.window("x", "nowhere", number: 1, [("10.1.1.0/24", 20, 1)]), at: 1))
    }

    @Test("The order of windows does not matter", arguments: UInt64(0)..<10)
    func commutative(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var windows: [HeardRoundTrips] = []
        for node in 0..<3 {
            for number in 1...4 {
                let prefixes = (0..<4).map { index in
                    (
                        "10.1.\(index).0/24", Int.random(in: 10...90, using: &generator),
                        Int.random(in: 1...2, using: &generator)
                    )
                }
                windows.append(
                    try Self.window("n\(node)", node == 0 ? "west" : "east", number: UInt64(number), prefixes))
            }
        }
        func estimates(_ order: [HeardRoundTrips]) -> [String] {
            var map = LatencyMap(regions: ["east", "west"])
            for window in order + order { map.take(window, at: 7) }
            // Wider prefixes hold more than a cell does, and what a full one forgets is a matter of order.
            return map.estimates(at: 8).filter { $0.prefix.length == 24 }
                .map { "\($0.prefix) \($0.region) \($0.estimate?.samples ?? 0)" }.sorted()
        }
        #expect(estimates(windows) == estimates(windows.shuffled(using: &generator)))
    }

    @Test("A single stray sample is drawn to what is known around it")
    func shrinkage() throws {
        var map = LatencyMap(regions: ["east"])
        map.take(try Self.window(number: 1, (0..<20).map { ("10.1.\($0).0/24", 20, 4) }), at: 1)
        map.take(try Self.window(number: 2, [("10.1.99.0/24", 400, 3)]), at: 1)
        let stray = try figure(map.picture(at: 1).table(for: map.regions), "10.1.99.1", 0)
        #expect(stray < 300_000 && stray > 100_000, "\(stray)")
    }

    @Test("Memory is bounded: what says least goes first")
    func bounded() throws {
        var settings = LatencyMap.Settings()
        settings.prefixes = 200
        var map = LatencyMap(regions: ["east", "west"], settings: settings)
        map.take(try Self.window(number: 1, [("10.1.1.0/24", 20, 40)]), at: 1)
        for number in 2..<1000 {
            let text = "\(11 + number % 200).\(number / 200).7.0/24"
            map.take(try Self.window(number: UInt64(number), [(text, 50, 1)]), at: UInt32(number))
            #expect(map.prefixCount <= 200)
        }
        #expect(map.evicted > 500)
        #expect(map.estimates(at: 1000).contains { $0.prefix == IPPrefix("10.1.1.0/24") })
        map.expire(at: 1000 + settings.lifetime + 1)
        #expect(map.prefixCount == 0)
    }

    @Test("Bounds fall with age, so that a region that was bad is tried again, and rise with samples")
    func bounds() throws {
        func map(samples: Int) throws -> LatencyMap {
            var map = LatencyMap(regions: ["east", "west"])
            map.take(try Self.window(number: 1, [("10.1.1.0/24", 20, 40)]), at: 1)
            map.take(try Self.window("w", "west", number: 1, [("10.1.1.0/24", 60, samples)]), at: 1)
            return map
        }
        func exploration(_ map: LatencyMap, _ seconds: UInt32) throws -> Int? {
            let table = map.picture(at: seconds).table(for: map.regions)
            let row = table.prefixes.lookup(try #require(IPAddress("10.1.1.1"))).value
            return table.exploration(row: row, among: [RegionID(0), RegionID(1)], tolerance: 0)
        }
        #expect(try exploration(map(samples: 2), 2) == 1)
        #expect(try exploration(map(samples: 3), 2) == nil)
        #expect(try exploration(map(samples: 40), 86_400) == nil)
        #expect(try exploration(map(samples: 4), 7 * 86_400) == 1)
        #expect(
            LatencyMap(regions: ["east"]).picture(at: 1).table(for: ["east"]).exploration(
                row: 0, among: [RegionID(0)], tolerance: 0)
                == nil)
    }

    @Test("A reload keeps what is known of regions that stay")
    func regions() throws {
        var map = LatencyMap(regions: ["east", "west"])
        map.take(try Self.window(number: 1, [("10.1.1.0/24", 20, 40)]), at: 1)
        map.take(try Self.window("w", "west", number: 1, [("10.1.1.0/24", 90, 40)]), at: 1)
        map.adopt(regions: ["new", "west"])
        let table = map.picture(at: 1).table(for: map.regions)
        #expect(try figure(table, "10.1.1.1", 0) == LatencyTable.unknown)
        #expect(try figure(table, "10.1.1.1", 1) > 80_000)
        #expect(!map.take(try Self.window("w", "west", number: 1, [("10.1.1.0/24", 90, 40)]), at: 1))
    }

    @Test("A file stands where nothing was measured")
    func file() throws {
        var map = LatencyMap(regions: ["east", "west"])
        map.take(try Self.window(number: 1, [("10.1.1.0/24", 20, 40)]), at: 1)
        let file = try LatencyTable.entries(
            csv: Array("10.1.1.0/24,east,500\n10.1.1.0/24,west,44\n192.0.2.0/24,east,7\n".utf8), regions: map.regions)
        let table = map.picture(at: 1).table(for: map.regions, over: file)
        #expect(try figure(table, "10.1.1.1", 0) < 30_000)
        #expect(try figure(table, "10.1.1.1", 1) == 44_000)
        #expect(try figure(table, "192.0.2.1", 0) == 7_000)
        let row = table.prefixes.lookup(try #require(IPAddress("10.1.1.1"))).value
        // What a file says is believed and not tried.
        #expect(table.exploration(row: row, among: [RegionID(0), RegionID(1)], tolerance: 0) == nil)
    }
}
