import Model

/// Routes and TCP listeners use pools of their kind, and no route hides another.
enum ListenerChecks {
    static func run(on root: Record) -> [Diagnostic] {
        let pools = Dictionary(
            root.records("pools").map { ($0.name, $0.record) }, uniquingKeysWith: { first, _ in first })
        let http = root.section("http")
        let tcp = root.section("tcp")
        let nodes = root.records("nodes")
        func regions(_ tier: String) -> [(region: String, node: String)] {
            var seen: Set<String> = []
            return nodes.compactMap { node in
                guard node.record.text("tier") == tier, let region = node.record.optionalText("region"),
                    seen.insert(region).inserted
                else { return nil }
                return (region, node.name)
            }
        }
        return routes(http, pools) + self.tcp(tcp, pools)
            + gaps(
                http.items("routes").compactMap(\.record), regions("l7"), pools, "every request is answered with 503")
            + gaps(tcp.records("listeners").map(\.record), regions("l4"), pools, "every connection is closed")
    }

    /// Pools without servers where their users run.
    private static func gaps(
        _ users: [Record], _ regions: [(region: String, node: String)], _ pools: [String: Record], _ outcome: String
    ) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        var seen: Set<String> = []
        for user in users {
            guard let name = user.optionalText("pool"), let pool = pools[name], seen.insert(name).inserted else {
                continue
            }
            let places = Set(pool.entries("endpoints").map(\.name))
            for (region, node) in regions where !places.isEmpty && !places.contains(region) {
                diagnostics.append(
                    user.position(of: "pool").warning(
                        "pools.\(name) has no servers in \(region), where \(node) runs", "there " + outcome))
            }
        }
        return diagnostics
    }

    private static func routes(_ http: Record, _ pools: [String: Record]) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        var names: [String: Position] = [:]
        var matches: [Match: (name: String, position: Position)] = [:]
        for (index, route) in http.items("routes").compactMap(\.record).enumerated() {
            if let name = route.optionalText("name") {
                if let first = names[name] {
                    diagnostics.append(
                        route.position(of: "name").error(
                            "http.routes[\(index)].name: '\(name)' is used at \(first.text) already",
                            "each route has its own name"))
                } else {
                    names[name] = route.position(of: "name")
                }
            }
            diagnostics += kind(of: route, "http", "http.routes[\(index)].pool", pools)
            guard let host = route.optionalText("host"), !route.has("path") || route.record("path") != nil else {
                continue
            }
            for key in ["exact", "prefix"] {
                guard let record = route.record("path"), let path = record.optionalText(key),
                    let fault = RoutePath.fault(path, key: key)
                else { continue }
                diagnostics.append(
                    record.position(of: key).error(
                        "http.routes[\(index)].path.\(key): '\(path)' matches nothing: \(fault.problem)", fault.cure))
            }
            let match = Match(host: Compiler.host(host), path: Compiler.path(route))
            if let first = matches[match] {
                diagnostics.append(
                    route.position.error(
                        "http.routes[\(index)] matches the same requests as '\(first.name)' (\(first.position.text))",
                        "another host or path"))
            } else {
                matches[match] = (route.text("name"), route.position)
            }
        }
        if let listeners = http.fields["listeners"], !http.entries("listeners").isEmpty, http.items("routes").isEmpty {
            diagnostics.append(
                listeners.position.warning("http has listeners but no routes", "every request is answered with 404"))
        }
        return diagnostics
    }

    private struct Match: Hashable {
        let host: HTTPRoute.Host
        let path: HTTPRoute.Path
    }

    private static func tcp(_ tcp: Record, _ pools: [String: Record]) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        for listener in tcp.records("listeners") {
            let path = "tcp.listeners.\(listener.name)"
            diagnostics += kind(of: listener.record, "tcp", "\(path).pool", pools)
            let role = listener.record.text("role")
            if listener.record.has("fallback"), role != "replica" {
                diagnostics.append(
                    listener.record.position(of: "fallback").error(
                        "\(path).fallback: a listener for \(role == "any" ? "servers of any role" : "the primary") has"
                            + " nothing to fall back from",
                        "role: replica, or leave it out"))
            }
            guard role == "primary" || role == "replica", let name = listener.record.optionalText("pool"),
                let pool = pools[name], !PoolChecks.learnsRoles(pool)
            else { continue }
            diagnostics.append(
                listener.record.position(of: "role").error(
                    "\(path).role: nothing tells which server of '\(name)' is \(role)",
                    "give pools.\(name) a check: {postgresql: {user: ...}}, or write role: any"))
        }
        return diagnostics
    }

    private static func kind(
        of user: Record, _ wanted: String, _ path: String, _ pools: [String: Record]
    ) -> [Diagnostic] {
        guard let name = user.optionalText("pool"), let kind = pools[name]?.optionalText("kind"), kind != wanted else {
            return []
        }
        let other = pools.filter { $0.value.optionalText("kind") == wanted }.keys.sorted()
        return [
            user.position(of: "pool").error(
                "\(path): '\(name)' is a pool of kind \(kind)",
                other.isEmpty ? "a pool of kind \(wanted)" : "\(wanted) pools: \(SchemaChecker.list(other))")
        ]
    }
}
