/// Keys that sign, and times that fit together.
enum FederationChecks {
    static func run(on root: Record) -> [Diagnostic] {
        let federation = root.section("federation")
        return keys(root, federation) + timing(federation)
    }

    private static func keys(_ root: Record, _ federation: Record) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        var seen: Set<String> = []
        for key in federation.items("keys").compactMap(\.record) {
            guard let id = key.optionalText("id"), !seen.insert(id).inserted else { continue }
            diagnostics.append(
                key.position(of: "id").error("federation.keys: '\(id)' is used twice", "each key has its own id"))
        }
        let members = root.records("nodes").filter { $0.record.has("federation") }
        if federation.items("keys").isEmpty, let second = members.dropFirst().first {
            diagnostics.append(
                second.record.position(of: "federation").error(
                    "nodes.\(second.name).federation: reports cannot be signed without a key",
                    "write federation: {keys: [{id: k1, secret: {env: MERIDIAN_FEDERATION_KEY}}]}"))
        }
        return diagnostics
    }

    private static func timing(_ federation: Record) -> [Diagnostic] {
        guard let interval = federation.optionalDuration("interval"),
            let staleAfter = federation.optionalDuration("staleAfter"), staleAfter <= interval
        else { return [] }
        return [
            federation.position(of: "staleAfter").error(
                "federation.staleAfter: \(staleAfter.text) is not longer than the interval of \(interval.text)",
                "every report would be stale before the next one comes")
        ]
    }
}
