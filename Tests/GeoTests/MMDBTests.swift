import Foundation
import Geo
import MMDBWriter
import Model
import TestKit
import Testing

/// Sample and hostile files that MaxMind publishes.
enum MMDBSamples {
    static let folder = PublishedData.path("mmdb")
    static let areThere = PublishedData.has("mmdb/good") && PublishedData.has("mmdb/bad")

    static func files(_ kind: String) throws -> [String] {
        let files = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(kind)")
            .filter { $0.hasSuffix(".mmdb") }.sorted().map { "\(folder)/\(kind)/\($0)" }
        try #require(!files.isEmpty)
        return files
    }
}

@Suite("MaxMind DB files")
struct MMDBTests {
    @Test("A file that is missing or no MaxMind DB is refused with its name")
    func refused() throws {
        let missing = #expect(throws: InvalidMMDB.self) { try LocationTable(mmdb: "/nonexistent.mmdb") }
        #expect(missing?.description.hasPrefix("/nonexistent.mmdb: ") == true)
        #expect(throws: InvalidMMDB.self) { try LocationTable(mmdb: #filePath) }
        #expect(throws: InvalidMMDB.self) { try LocationTable(mmdb: "/dev/null") }
    }

    @Test("The Country and City samples are read right", .enabled(if: MMDBSamples.areThere, "\(PublishedData.hint)"))
    func good() throws {
        for path in try MMDBSamples.files("good") { try check(good: path) }
    }

    private func check(good path: String) throws {
        guard !path.contains("ASN") else {
            let error = #expect(throws: InvalidMMDB.self) { try LocationTable(mmdb: path) }
            #expect(error?.message.contains("neither countries nor continents") == true)
            return
        }
        let table = try LocationTable(mmdb: path)
        let countries = [
            ("81.2.69.142", "EU", "GB"), ("89.160.20.112", "EU", "SE"), ("2001:218::1", "AS", "JP"),
            ("216.160.83.56", "NA", "US"),
        ]
        for (text, continent, country) in countries {
            let found = table.place(of: try #require(IPAddress(text))).place
            #expect(found.continent == continent && found.country == country, "\(text) in \(path)")
        }
        #expect(table.place(of: try #require(IPAddress("127.0.0.1"))).place == .unknown, "\(path)")
    }

    @Test(
        "Every network of the City sample's source is found in its file",
        .enabled(if: MMDBSamples.areThere, "\(PublishedData.hint)"))
    func sourceAgrees() throws {
        let text = try #require(
            FileManager.default.contents(atPath: MMDBSamples.folder + "/good/GeoIP2-City-Test.json"))
        let table = try LocationTable(mmdb: MMDBSamples.folder + "/good/GeoIP2-City-Test.mmdb")
        let networks = try #require(try JSONSerialization.jsonObject(with: text) as? [[String: [String: Any]]])
        var checked = 0
        for (network, record) in networks.flatMap({ $0 }) {
            let prefix = try #require(IPPrefix(network), "\(network)")
            let country = (record["country"] as? [String: Any])?["iso_code"] as? String
            let continent = (record["continent"] as? [String: Any])?["code"] as? String
            let mapped = prefix.length >= 96 && prefix.address.high == 0
            let address = mapped ? IPAddress(v4: UInt32(truncatingIfNeeded: prefix.address.low)) : prefix.address
            let found = table.place(of: address).place
            #expect(found.continent == continent && found.country == country, "\(network)")
            let city = record["city"] as? [String: Any]
            #expect(table.cityName(of: found) == (city?["names"] as? [String: Any])?["en"] as? String, "\(network)")
            #expect(Int(found.geoname) == city?["geoname_id"] as? Int ?? 0, "\(network)")
            let codes = (record["subdivisions"] as? [[String: Any]] ?? []).compactMap { $0["iso_code"] as? String }
            #expect(found.subdivisions == codes.prefix(2).reversed().map { "\(country ?? "")-\($0)" }, "\(network)")
            let location = record["location"] as? [String: Any]
            #expect(found.coordinates?.latitude == location?["latitude"] as? Double, "\(network)")
            #expect(found.coordinates?.longitude == location?["longitude"] as? Double, "\(network)")
            checked += 1
        }
        #expect(checked > 100)
    }

    @Test("Networks come from a file of the ASN kind", .enabled(if: MMDBSamples.areThere, "\(PublishedData.hint)"))
    func networks() throws {
        let path = MMDBSamples.folder + "/good/GeoLite2-ASN-Test.mmdb"
        let table = try LocationTable(csv: Array("1.128.0.0/10,OC,AU".utf8)).announced(mmdb: path)
        let found = table.place(of: try #require(IPAddress("1.128.0.1")))
        #expect(found.place == Place(continent: "OC", country: "AU", asn: 1221))
        #expect(found.width == 11)
        #expect(table.place(of: try #require(IPAddress("2600:6000::1"))).place.asn == 237)
        let city = MMDBSamples.folder + "/good/GeoIP2-City-Test.mmdb"
        let error = #expect(throws: InvalidMMDB.self) { try table.announced(mmdb: city) }
        #expect(error?.message.contains("no autonomous_system_number") == true)
    }

    @Test(
        "A hostile file is refused, or read without harm", .timeLimit(.minutes(1)),
        .enabled(if: MMDBSamples.areThere, "\(PublishedData.hint)"))
    func bad() throws {
        for path in try MMDBSamples.files("bad") {
            do throws(InvalidMMDB) {
                let table = try LocationTable(mmdb: path)
                #expect(table.places.count >= 1, "\(path)")
            } catch {
                #expect(!error.message.isEmpty, "\(path)")
            }
        }
    }
}

/// Files that the writer made.
@Suite("MaxMind DB files of our own")
struct MMDBWriterTests {
    private func write(_ octets: [UInt8]) throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: "meridian-\(UUID().uuidString).mmdb").path
        try Data(octets).write(to: URL(filePath: path))
        return path
    }

    private func places(using generator: inout SeededGenerator) -> [PlaceFiles.Entry] {
        RandomAddresses.entries(using: &generator).map { prefix, value in
            // An address in a location file is IPv4 or IPv6; in a database ::/96 and what leads to it is IPv4's.
            let place = Place(
                continent: value == 0 ? nil : "EU", country: value < 2 ? nil : "GB",
                subdivisions: value < 3 ? [] : ["ENG", "OXF"].dropLast(value == 3 ? 1 : 0), geoname: value * 70_000,
                coordinates: value < 3 ? nil : Coordinates(latitude: -33.25, longitude: Double(value) / 8),
                asn: value * 1000)
            return PlaceFiles.Entry(prefix: prefix, place: place, city: value < 4 ? nil : "Town \(value)")
        }.filter { $0.prefix.address.family == .v4 || $0.prefix.address.high != 0 }
    }

    @Test("What is written is read, in every size of record", arguments: MMDBWriter.RecordSize.allCases, UInt64(0)..<8)
    func roundTrip(size: MMDBWriter.RecordSize, seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let entries =
            places(using: &generator) + [
                PlaceFiles.Entry(
                    prefix: try #require(IPPrefix("192.0.2.0/24")), place: Place(country: "DE", asn: 64_500))
            ]
        let city = try write(try #require(PlaceFiles.city(entries).file(size)))
        let asn = try write(try #require(PlaceFiles.networks(entries).file(size)))
        defer { for path in [city, asn] { try? FileManager.default.removeItem(atPath: path) } }
        let table = try LocationTable(mmdb: city).announced(mmdb: asn)
        for address in RandomAddresses.probes(entries.map(\.prefix), using: &generator) {
            // The last one wins of those with the same prefix.
            var best: PlaceFiles.Entry?
            for entry in entries where entry.prefix.contains(address) {
                if entry.prefix.length >= best?.prefix.length ?? 0 { best = entry }
            }
            // What lies where IPv4 does, or is mapped to it, is looked up as IPv4.
            if address.family == .v6, address.high == 0 { continue }
            let (found, width) = table.place(of: address)
            let expected = best?.place ?? .unknown
            #expect(found.continent == expected.continent && found.country == expected.country, "\(address)")
            #expect(found.subdivisions == expected.subdivisions && found.geoname == expected.geoname, "\(address)")
            #expect(found.coordinates == expected.coordinates && found.asn == expected.asn, "\(address)")
            #expect(table.cityName(of: found) == best?.city, "\(address)")
            #expect((0...address.family.bits).contains(width))
        }
    }

    @Test("A file cut short or spoilt anywhere is refused, or read without harm")
    func spoilt() throws {
        var generator = SeededGenerator(seed: 3)
        let whole = try #require(PlaceFiles.city(places(using: &generator)).file(.medium))
        let path = try write(whole)
        defer { try? FileManager.default.removeItem(atPath: path) }
        for _ in 0..<400 {
            var octets = whole
            if Bool.random(using: &generator) {
                octets.removeLast(Int.random(in: 1..<whole.count, using: &generator))
            } else {
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    let index = Int.random(in: 0..<octets.count, using: &generator)
                    octets[index] = UInt8.random(in: 0...255, using: &generator)
                }
            }
            try Data(octets).write(to: URL(filePath: path))
            do {
                let table = try LocationTable(mmdb: path)
                #expect(table.places.count > 1)
            } catch {
                #expect(error.path == path && !error.message.isEmpty)
            }
        }
    }
}
