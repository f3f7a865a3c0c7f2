import Geo
import Model
import TestKit
import Testing

@Suite("Location and latency files")
struct TableFileTests {
    @Test("A location file is read, with comments, blanks, either line end and unknown parts")
    func locations() throws {
        let table = try LocationTable(
            csv: Array("# office\r\n10.0.0.0/8, EU ,DE\r\n\n  \n2001:db8::/32,NA,\n10.1.0.0/16,,FR".utf8))
        func place(_ text: String) throws -> Place { table.place(of: try #require(IPAddress(text))).place }
        #expect(try place("10.0.0.1") == Place(continent: "EU", country: "DE"))
        #expect(try place("10.1.0.1") == Place(continent: nil, country: "FR"))
        #expect(try place("2001:db8::1") == Place(continent: "NA", country: nil))
        #expect(try place("11.0.0.1") == .unknown)
        #expect(try table.place(of: #require(IPAddress("10.1.0.1"))).width == 16)
    }

    @Test("Subdivision, city, coordinates and network are read where they stand")
    func fullLocations() throws {
        let table = try LocationTable(
            csv: Array("10.0.0.0/8,EU,DE,BE,Berlin,52.5244,13.4105,3320\n10.1.0.0/16,EU,DE,,,,,3320\n::/0,,,,,,,1".utf8)
        )
        let berlin = table.place(of: try #require(IPAddress("10.0.0.1")))
        #expect(berlin.place.subdivisions == ["DE-BE"])
        #expect(table.cityName(of: berlin.place) == "Berlin")
        #expect(berlin.place.coordinates == Coordinates(latitude: 52.5244, longitude: 13.4105))
        #expect(berlin.place.asn == 3320)
        #expect(berlin.width == 16)
        let germany = table.place(of: try #require(IPAddress("10.1.0.1"))).place
        #expect(germany == Place(continent: "EU", country: "DE", asn: 3320))
        #expect(table.cityName(of: germany) == nil && germany.coordinates == nil)
        #expect(table.place(of: try #require(IPAddress("2001:db8::1"))).place.asn == 1)
        #expect(MemoryLayout<Place>.stride == 32)
    }

    @Test("Classes join what their key does not tell apart, and networks cut only when they are asked for")
    func classes() throws {
        let table = try LocationTable(
            csv: Array("10.0.0.0/9,EU,DE,BE,,,,1\n10.128.0.0/9,EU,DE,HH,,,,2\n11.0.0.0/8,EU,DE,HH,,,,2".utf8))
        let address = try #require(IPAddress("10.1.2.3"))
        func scope<Key: Hashable>(_ classes: (table: PrefixTable, keys: [Key])) -> (Key, Int) {
            let match = classes.table.lookup(address)
            return (classes.keys[Int(match.value)], match.width)
        }
        #expect(scope(table.classes { $0.country ?? "" }) == ("DE", 7))
        #expect(scope(table.classes { $0.subdivisions }) == (["DE-BE"], 9))
        #expect(scope(table.classes(asksNetworks: true) { $0.asn }) == (1, 9))
        #expect(scope(table.classes { $0.asn }) == (0, 0))
    }

    @Test(
        "A line of a location file that is wrong is named with line and column",
        arguments: [
            ("10.0.0.0/8,EU", "1:1: 2 fields"),
            ("\n10.0.0.0/8,EU,DE,,,,,,x", "2:1: 9 fields"),
            ("\n10.0.0.0/8,EU,DE,x", "2:18: \"x\" is not a subdivision"),
            ("10.0.0.0/8,EU,DE,BE,,91,0", "1:22: \"91\" is not degrees"),
            ("10.0.0.0/8,EU,DE,BE,,9,nan", "1:24: \"nan\" is not degrees"),
            ("10.0.0.0/8,EU,DE,BE,,9", "1:22: a latitude without"),
            ("10.0.0.0/8,EU,DE,BE,,,,0", "1:24: \"0\" is not an AS number"),
            ("10.0.0.0/8,EU,DE,BE,,,,4294967296", "1:24: \"4294967296\" is not an AS number"),
            ("10.0.0.1/8,EU,DE", "1:1: \"10.0.0.1/8\" is no prefix"),
            ("10.0.0.0/33,EU,DE", "1:1: \"10.0.0.0/33\" is no prefix"),
            ("10.0.0.0/+8,EU,DE", "1:1: \"10.0.0.0/+8\" is no prefix"),
            ("10.0.0.0/8, XX,DE", "1:13: \"XX\" is not a continent"),
            ("10.0.0.0/8,EU,de", "1:15: \"de\" is not a country"),
            ("10.0.0.0/8,EU,DEU", "1:15: \"DEU\" is not a country"),
            ("10.0.0.0/8,EU,DE\n::/0,EU,DE\n10.0.0.0/8,EU,FR", "3:1: 10.0.0.0/8 is on line 1 already"),
        ])
    func badLocations(text: String, problem: String) {
        let error = #expect(throws: InvalidTable.self) { try LocationTable(csv: Array(text.utf8)) }
        #expect(error?.problems.first?.description.hasPrefix(problem) == true, "\(String(describing: error))")
    }

    @Test("All problems are told, up to a limit")
    func allProblems() {
        let two = #expect(throws: InvalidTable.self) { try LocationTable(csv: Array("x,EU,DE\n::/0,EU,1\n".utf8)) }
        #expect(two?.problems.map(\.line) == [1, 2])
        let many = Array(repeating: "nonsense", count: 100).joined(separator: "\n")
        let error = #expect(throws: InvalidTable.self) { try LocationTable(csv: Array(many.utf8)) }
        #expect(error?.problems.count == InvalidTable.limit)
    }

    @Test("A latency file is read; a coarser prefix stands in region by region")
    func latencies() throws {
        let table = try LatencyTable(
            csv: Array("10.1.0.0/16,east,7.25\n10.0.0.0/8,west,80\n10.0.0.0/8,east,12\n".utf8),
            regions: ["east", "west"])
        func figures(_ text: String) throws -> [UInt32] {
            let row = table.prefixes.lookup(try #require(IPAddress(text))).value
            return (0..<2).map { table.figure(row: row, region: RegionID($0)) }
        }
        #expect(try figures("10.1.0.1") == [7250, 80000])
        #expect(try figures("10.2.0.1") == [12000, 80000])
        #expect(try figures("11.0.0.1") == [LatencyTable.unknown, LatencyTable.unknown])
    }

    @Test(
        "A line of a latency file that is wrong is named with line and column",
        arguments: [
            ("10.0.0.0/8,east", "1:1: 2 fields"),
            ("10.0.0/8,east,1", "1:1: \"10.0.0/8\" is no prefix"),
            ("10.0.0.0/8,North,1", "1:12: \"North\" is no region; the regions are east, west"),
            ("10.0.0.0/8,east,-1", "1:17: \"-1\" is no latency"),
            ("10.0.0.0/8,east,1.", "1:17: \"1.\" is no latency"),
            ("10.0.0.0/8,east,.5", "1:17: \".5\" is no latency"),
            ("10.0.0.0/8,east,1.2345", "1:17: \"1.2345\" is no latency"),
            ("10.0.0.0/8,east,60000.001", "1:17: \"60000.001\" is no latency"),
            ("10.0.0.0/8,east,99999999", "1:17: \"99999999\" is no latency"),
            ("10.0.0.0/8,east,", "1:17: \"\" is no latency"),
            ("10.0.0.0/8,east,1\n10.0.0.0/8,west,1\n10.0.0.0/8,east,1", "3:1: 10.0.0.0/8 to east is on line 1"),
        ])
    func badLatencies(text: String, problem: String) {
        let error = #expect(throws: InvalidTable.self) {
            try LatencyTable(csv: Array(text.utf8), regions: ["east", "west"])
        }
        #expect(error?.problems.first?.description.hasPrefix(problem) == true, "\(String(describing: error))")
    }

    @Test("Latencies agree with a search for the longest prefix of each region", arguments: UInt64(0)..<40)
    func randomLatencies(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let entries = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
            LatencyTable.Entry(
                prefix: RandomAddresses.prefix(using: &generator),
                region: RegionID(Int.random(in: 0..<3, using: &generator)),
                microseconds: UInt32.random(in: 0...50, using: &generator))
        }
        let table = LatencyTable(entries, regionCount: 3)
        for address in RandomAddresses.probes(entries.map(\.prefix), using: &generator) {
            let row = table.prefixes.lookup(address).value
            for region in (0..<3).map(RegionID.init) {
                var best: LatencyTable.Entry?
                for entry in entries where entry.region == region && entry.prefix.contains(address) {
                    if entry.prefix.length >= best?.prefix.length ?? 0 { best = entry }
                }
                #expect(table.figure(row: row, region: region) == best?.microseconds ?? LatencyTable.unknown)
            }
        }
    }

    @Test("Prefixes in a file are those that the model reads", arguments: UInt64(0)..<20)
    func prefixText(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let text = RandomText.prefix(using: &generator)
            let table = try? LocationTable(csv: Array("\(text),EU,DE".utf8))
            let expected = IPPrefix(text)
            #expect((table != nil) == (expected != nil), "\(text)")
            guard let table, let expected else { continue }
            let match = table.place(of: expected.address)
            #expect(match.place.country == "DE" && match.width == expected.length, "\(text)")
        }
    }
}

enum RandomText {
    /// The text of a prefix, often spoilt in one or two places.
    static func prefix(using generator: inout SeededGenerator) -> String {
        let prefix = RandomAddresses.prefix(using: &generator)
        let texts = [
            prefix.description, prefix.address.description, "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::/112",
            "::2:3:4:5:6:7:8", "0:0:0:0:0:ffff:10.0.0.0/104", "1::",
        ]
        var text = Array((texts.randomElement(using: &generator) ?? "").utf8)
        let letters = Array("0123456789abcdefABCDEFg:./+- ".utf8)
        for _ in 0..<Int.random(in: 0...2, using: &generator) {
            let letter = letters.randomElement(using: &generator) ?? 0
            let position = Int.random(in: 0..<max(text.count, 1), using: &generator)
            switch Int.random(in: 0..<3, using: &generator) {
            case 0 where !text.isEmpty: text.remove(at: position)
            case 1 where !text.isEmpty: text[position] = letter
            default: text.insert(letter, at: min(position, text.count))
            }
        }
        // Blanks around a field are the file's business, not the prefix's.
        return String(decoding: text, as: UTF8.self).replacing(" ", with: "_")
    }
}
