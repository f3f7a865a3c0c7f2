import Foundation
import Model
import Testing
import Topology

/// Every configuration that Docs/Migration.md shows is one that a node takes.
@Suite struct MigrationTests {
    private static let page = try? String(
        contentsOfFile: "\(QuickstartTests.package)/Docs/Migration.md", encoding: .utf8)

    /// The blocks that begin with ```yaml, without their fences.
    private static var blocks: [String] {
        (page ?? "").components(separatedBy: "```yaml\n").dropFirst().compactMap {
            $0.components(separatedBy: "\n```").first
        }
    }

    @Test func thereAreBlocks() { #expect(Self.blocks.count >= 14) }

    @Test(arguments: blocks) func aNodeTakesIt(_ block: String) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("migration-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let names = block.split(separator: "\n", omittingEmptySubsequences: false).map { "        " + $0 }
        let text = """
            regions:
              us: {address: 127.0.0.1, location: {continent: NA, country: US, latitude: 39.0, longitude: -77.5}}
              eu: {address: 127.0.0.1, location: {continent: EU, country: IE, latitude: 53.3, longitude: -6.3}}
              ap: {address: 127.0.0.1, location: {continent: AS, country: IN, latitude: 19.1, longitude: 72.9}}
            nodes: {dns-1: {tier: dns, region: us}}
            services: {shop: {}}
            dns:
              locations: {csv: places.csv}
              zones:
                shop.test:
                  file: shop.test.zone
                  names:
            \(names.joined(separator: "\n"))
            """
        let path = folder.appendingPathComponent("topology.yaml").path
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        do {
            let snapshot = try TopologyLoader.load(path: path)
            #expect(snapshot.dns.zones[0].names.isEmpty == false)
        } catch {
            Issue.record("\(error)\n\(text)")
        }
    }
}
