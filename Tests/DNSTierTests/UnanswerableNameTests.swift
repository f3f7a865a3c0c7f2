import DNSTier
import DNSWire
import Foundation
import Model
import Testing
import Topology

/// What no client could ever get is an error before anybody asks.
@Suite struct UnanswerableNameTests {
    private static let head = "$TTL 60\n@ SOA ns1 h 1 3600 600 1209600 60\n@ NS ns1\nns1 A 127.0.0.1\n"

    /// Prepares t.test with `records` (from line 5 on) and `names`, and the zones `others` beside it.
    ///
    /// - Returns: what is wrong, a line each, without the folder.
    private func errors(_ records: String, names: [String], others: [String] = []) throws -> [String] {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("hidden-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: folder.appendingPathComponent(name))
        }
        try write("t.test.zone", Self.head + records + "\n")
        try write("other.zone", Self.head)
        let zones = others.map { "    \($0): {file: other.zone}\n" }.joined()
        let lines = names.map { "        \($0)\n" }.joined()
        try write(
            "topology.yaml",
            """
            regions: {here: {address: 127.0.0.1}}
            nodes: {dns-1: {tier: dns, region: here, workers: 1}}
            dns:
              zones:
            \(zones)    t.test:
                  file: t.test.zone
                  names:
            \(lines)
            """)
        let snapshot = try TopologyLoader.load(path: folder.appendingPathComponent("topology.yaml").path)
        let node = try #require(snapshot.node(named: "dns-1"))
        do throws(InvalidTopology) {
            _ = try Preparation(snapshot, node: node)
            return []
        } catch {
            return error.diagnostics.map { $0.description.replacing(folder.path + "/", with: "") }
        }
    }

    private let answer = "{answers: {here: {A: 192.0.2.1}}}"

    @Test func aNameAtOrBelowADelegation() throws {
        let records = "www A 192.0.2.9\nsub NS ns.sub\nsub NS ns1\nns.sub A 127.0.0.9"
        for (name, place) in [("sub", "at"), ("x.sub", "below"), ("a.b.sub", "below"), ("\"*.sub\"", "below")] {
            let found = try errors(records, names: ["\(name): \(answer)"])
            #expect(found.count == 1)
            #expect(found.first?.hasPrefix("t.test.zone:6:1: error: ") == true, "\(found)")
            #expect(found.first?.contains("it is \(place) the delegation of sub.t.test. here") == true, "\(found)")
        }
        #expect(try errors(records, names: ["notsub: \(answer)"]) == [])
    }

    @Test func aNameBelowADNAME() throws {
        let found = try errors("d DNAME target", names: ["x.d: \(answer)", "d: \(answer)"])
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("t.test.zone:5:1: error: ") == true, "\(found)")
        #expect(
            found.first?.contains("x.d.t.test. is never answered: it is below the DNAME of d.t.test.") == true,
            "\(found)")
    }

    @Test func aNameOfAnotherZoneOfThisServer() throws {
        let found = try errors(
            "child NS ns1", names: ["x.child: \(answer)", "child: \(answer)", "www: \(answer)"],
            others: ["child.t.test", "other.test"])
        #expect(found.count == 2, "\(found)")
        #expect(found.allSatisfy { $0.contains("it belongs to the zone child.t.test.") }, "\(found)")
    }

    @Test func aCNAMEToItself() throws {
        let found = try errors("", names: ["alias: {answers: {here: {CNAME: ALIAS.t.test.}}}"])
        #expect(found.count == 1)
        #expect(found.first?.contains("alias.t.test. answers with a CNAME to itself") == true, "\(found)")
        #expect(try errors("", names: ["alias: {answers: {here: {CNAME: www.t.test.}}}"]) == [])
    }

    @Test func aSetThatNoMessageHolds() throws {
        func texts(_ count: Int) -> String {
            (0..<count).map { "big TXT \"\($0 + 1000)\(String(repeating: "a", count: 246))\"" }
                .joined(separator: "\n")
        }
        let found = try errors("www A 192.0.2.9\n" + texts(300), names: ["dyn: \(answer)"])
        #expect(found.count == 1)
        #expect(
            found.first?.hasPrefix("t.test.zone:6:1: error: the TXT records of big.t.test. take ") == true, "\(found)")
        #expect(try errors(texts(240), names: ["dyn: \(answer)"]) == [])
        let long = (0..<300).map { "\($0 + 1000)\(String(repeating: "a", count: 246))" }.joined(separator: ", ")
        let dynamic = try errors("", names: ["dyn: {answers: {here: {TXT: [\(long)]}}}"])
        #expect(dynamic.count == 1, "\(dynamic.map { $0.prefix(300) })")
        #expect(dynamic.first?.contains("the TXT records of dyn.t.test. take ") == true)
    }
}
