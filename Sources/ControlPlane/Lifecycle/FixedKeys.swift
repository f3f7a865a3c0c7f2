package import Model
package import Topology

/// The keys of a topology that a running node is bound to: a reload that changes one of them, as far as this node is
/// concerned, is refused and names it. All other keys take effect at a reload.
package enum FixedKeys {
    private struct Key {
        let name: String
        /// What the node goes by; "" when the key is absent.
        let value: (Snapshot, Node) -> String
    }

    private static func keys(of node: Node) -> [Key] {
        func mine(_ key: String, _ value: @escaping (Node) -> String) -> Key {
            Key(name: "nodes.\(node.name).\(key)") { value($1) }
        }
        var keys: [Key] = [
            Key(name: "nodes.\(node.name).region") { $0[$1.region].name },
            mine("address") { "\($0.address)" },
            mine("workers") { $0.workers.map { "\($0)" } ?? "auto" },
            mine("admin") { $0.admin?.description ?? "" },
            mine("federation") { $0.federation?.description ?? "" },
            // Without keys the node has no listener for its peers, with them it has. Other keys take effect at once.
            Key(name: "federation.keys") { snapshot, node in
                node.federation == nil || snapshot.federation.keys.isEmpty ? "" : "there"
            },
            mine("state") { $0.state ?? "" },
            mine("log.format") { $0.log.format.rawValue },
            mine("log.access") { $0.log.access ?? "" },
            mine("log.accessSample") { "\($0.log.accessSample)" },
        ]
        if node.tier == .dns {
            keys += [
                mine("log.explain") { $0.log.explain ?? "" },
                mine("log.explainSample") { "\($0.log.explainSample)" },
                Key(name: "dns.port") { snapshot, _ in "\(snapshot.dns.port)" },
                Key(name: "dns.proxy.port") { snapshot, _ in snapshot.dns.conduct.proxy.map { "\($0.port)" } ?? "" },
            ]
        }
        return keys
    }

    /// What `new` would change that cannot be changed, each in an error.
    package static func changes(
        from old: Snapshot, _ oldNode: NodeID, to new: Snapshot, _ newNode: NodeID, topology: String
    ) -> [Diagnostic] {
        keys(of: old[oldNode]).compactMap { key in
            let (before, after) = (key.value(old, old[oldNode]), key.value(new, new[newNode]))
            guard before != after else { return nil }
            return Diagnostic(
                file: topology,
                message: "\(key.name) is \(words(before)) and cannot become \(words(after)) while the node runs",
                hint: "restart the node")
        }
    }

    private static func words(_ value: String) -> String { value.isEmpty ? "absent" : "'\(value)'" }
}
