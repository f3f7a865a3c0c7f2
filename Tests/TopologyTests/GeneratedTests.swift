import Testing
import Topology

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What is made from the schema and committed is what the schema makes today.
@Suite struct GeneratedTests {
    private static func committed(_ path: String) throws -> String {
        try String(contentsOfFile: "\(QuickstartTests.package)/\(path)", encoding: .utf8)
    }

    @Test func jsonSchema() throws {
        let isCurrent = try Self.committed("topologies/schema.json") == JSONSchema.text
        #expect(isCurrent, "run: meridianctl schema > topologies/schema.json")
    }

    @Test func configurationTables() throws {
        let page = try Self.committed("Docs/Configuration.md")
        let isCurrent = ConfigurationTables.refresh(page) == page
        #expect(isCurrent, "run: meridianctl schema --tables Docs/Configuration.md")
    }

    @Test func thePageHasEveryKeyOnce() throws {
        let rows = ConfigurationTables.markdown.split(separator: "\n").filter { $0.hasPrefix("| `") }
        #expect(rows.count > 90)
        #expect(rows.allSatisfy { $0.split(separator: " | ", omittingEmptySubsequences: false).count == 4 })
    }
}
