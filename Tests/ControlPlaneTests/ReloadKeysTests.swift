import Foundation
import Model
import Testing

@testable import ControlPlane
@testable import Topology

/// What a reload does with each key of a topology: the plan that follows is another, or the reload is refused and names the
/// key. A key that is new stands in neither table, which is an error.
@Suite("Every key at a reload", .serialized)
struct ReloadKeysTests {
    private static let folder = "/tmp/meridian-keys-\(ProcessInfo.processInfo.processIdentifier)"

    private static func load(_ text: String) throws -> Snapshot {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (name, threshold) in [("a", "20%"), ("b", "21%")] {
            try "services: {included: {threshold: \(threshold)}}\n".write(
                toFile: "\(folder)/\(name).yaml", atomically: true, encoding: .utf8)
        }
        try text.write(toFile: "\(folder)/main.yaml", atomically: true, encoding: .utf8)
        return try TopologyLoader.load(path: "\(folder)/main.yaml")
    }

    /// What a node makes of a topology, without what only tells texts apart.
    private static func meaning(_ snapshot: Snapshot) -> String {
        var text = ""
        for part in [
            snapshot.regions, snapshot.nodes, snapshot.services, snapshot.pools, snapshot.endpoints, snapshot.dns,
            snapshot.http, snapshot.tcp, snapshot.federation, snapshot.safety,
        ] as [Any] { dump(part, to: &text) }
        return text
    }

    /// Why each node would refuse to go from `old` to `new`.
    private static func refusals(_ old: Snapshot, _ new: Snapshot) -> [String] {
        old.nodes.indices.flatMap { index -> [String] in
            let node = old.nodes[index]
            do throws(InvalidTopology) {
                let next = try NodeRuntime.find(node.name, in: new, tier: node.tier, topology: "t.yaml")
                return FixedKeys.changes(from: old, NodeID(index), to: new, next, topology: "t.yaml")
                    .map(\.description)
            } catch {
                return error.diagnostics.map(\.description)
            }
        }
    }

    private static func records(in shape: Shape) -> [RecordSchema] {
        switch shape {
        case .scalar, .oneOrMany: []
        case .record(let schema), .either(_, let schema): [schema]
        case .map(_, let values, _): records(in: values)
        case .list(let item, _): records(in: item)
        }
    }

    /// Every kind of map of a topology, by its title.
    private static var schemas: [String: RecordSchema] {
        var found: [String: RecordSchema] = [:]
        var waiting = [TopologySchema.root]
        while let schema = waiting.popLast() {
            if found.updateValue(schema, forKey: schema.title) != nil { continue }
            waiting += schema.keys.flatMap { records(in: $0.shape) }
        }
        return found
    }

    @Test("None is missing, and none is left over")
    func complete() {
        let keys = Set(Self.schemas.values.flatMap { schema in schema.keys.map { "\(schema.title): \($0.name)" } })
        let known = Set(Self.fates.flatMap { title, keys in keys.keys.map { "\(title): \($0)" } })
        #expect(keys.subtracting(known).sorted() == [], "say what a reload does with them")
        #expect(known.subtracting(keys).sorted() == [], "there are no such keys")
    }

    @Test("Each is applied, or refused by its name", arguments: fates.keys.sorted())
    func each(title: String) throws {
        let old = try Self.load(Self.topology)
        let before = Self.meaning(old)
        for (key, fate) in (Self.fates[title] ?? [:]).sorted(by: { $0.key < $1.key }) {
            let (from, to) =
                switch fate {
                case .applied(let from, let to), .refused(let from, let to, _): (from, to)
                }
            #expect(Self.topology.ranges(of: from).count == 1, "\(title): \(key): \(from)")
            let new: Snapshot
            do { new = try Self.load(Self.topology.replacing(from, with: to)) } catch {
                Issue.record("\(title): \(key): \(error)")
                continue
            }
            let refusals = Self.refusals(old, new)
            switch fate {
            case .applied:
                #expect(refusals == [], "\(title): \(key)")
                #expect(Self.meaning(new) != before, "\(title): \(key) is read and goes nowhere")
            case .refused(_, _, let words):
                let wanted = words.replacing("$", with: Self.folder)
                #expect(refusals.contains { $0.contains(wanted) }, "\(title): \(key): \(refusals)")
            }
        }
    }

    @Test("Federation keys where there were none are refused: the node would not listen for its peers")
    func firstKeys() throws {
        func text(_ keys: String) -> String {
            """
            federation: {\(keys)}
            regions: {east: {address: 10.0.1.1}}
            nodes: {l7: {tier: l7, region: east, federation: "10.0.1.1:9091"}, l4: {tier: l4, region: east}}
            """
        }
        let (without, with) = (text("interval: 1s"), text("keys: [{id: k1, secret: {env: KEY}}]"))
        for (old, new) in [(without, with), (with, without)] {
            let refusals = Self.refusals(try Self.load(old), try Self.load(new))
            #expect(refusals.count == 1 && refusals[0].contains("federation.keys is "), "\(refusals)")
        }
        let two = text("keys: [{id: k2, secret: {env: KEY}}]")
        #expect(Self.refusals(try Self.load(with), try Self.load(two)) == [])
    }
}
