import Foundation
import Geo
import Model
import Testing

/// Sample and hostile files that MaxMind publishes, where the machine has them.
enum MMDBSamples {
    static let folder: String = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return root.deletingLastPathComponent().appending(path: "shared/conformance/mmdb").path
    }()

    static func files(_ kind: String) -> [String] {
        let found = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(kind)")) ?? []
        let files = found.filter { $0.hasSuffix(".mmdb") }.sorted().map { "\(folder)/\(kind)/\($0)" }
        if files.isEmpty { print("MMDB samples: none at \(folder)/\(kind), their tests have nothing to do") }
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

    @Test("The Country and City samples are read right", arguments: MMDBSamples.files("good"))
    func good(path: String) throws {
        guard !path.contains("ASN") else {
            let error = #expect(throws: InvalidMMDB.self) { try LocationTable(mmdb: path) }
            #expect(error?.message.contains("neither countries nor continents") == true)
            return
        }
        let table = try LocationTable(mmdb: path)
        let known = [
            ("81.2.69.142", "EU", "GB"), ("89.160.20.112", "EU", "SE"), ("2001:218::1", "AS", "JP"),
            ("216.160.83.56", "NA", "US"),
        ]
        for (text, continent, country) in known {
            let found = table.place(of: try #require(IPAddress(text)))
            #expect(found.place == Place(continent: continent, country: country), "\(text)")
        }
        #expect(table.place(of: try #require(IPAddress("127.0.0.1"))).place == .unknown)
    }

    @Test("Every network of the City sample's source is found in its file")
    func sourceAgrees() throws {
        guard let text = FileManager.default.contents(atPath: MMDBSamples.folder + "/good/GeoIP2-City-Test.json") else {
            return
        }
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
            #expect(found == Place(continent: continent, country: country), "\(network)")
            checked += 1
        }
        #expect(checked > 100)
    }

    @Test(
        "A hostile file is refused, or read without harm", .timeLimit(.minutes(1)), arguments: MMDBSamples.files("bad"))
    func bad(path: String) {
        do {
            let table = try LocationTable(mmdb: path)
            #expect(table.places.count >= 1)
        } catch {
            #expect(!error.message.isEmpty)
        }
    }
}
