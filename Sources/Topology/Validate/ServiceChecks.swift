import Model

/// Dependencies end somewhere, and a role that is required can be learned.
enum ServiceChecks {
    static func run(on root: Record) -> [Diagnostic] {
        let services = root.records("services")
        return cycles(services) + roles(services, root)
    }

    private typealias Services = [(name: String, position: Position, record: Record)]

    /// One diagnostic per ring of services, at the dependency that closes it.
    private static func cycles(_ services: Services) -> [Diagnostic] {
        let records = Dictionary(services.map { ($0.name, $0.record) }, uniquingKeysWith: { first, _ in first })
        var diagnostics: [Diagnostic] = []
        var finished: Set<String> = []
        for service in services where !finished.contains(service.name) {
            // Depth first, with a stack of our own: the file decides how deep it goes.
            var path: [(name: String, rest: ArraySlice<Checked>)] = [(service.name, dependencies(service.record))]
            var onPath: Set<String> = [service.name]
            while let top = path.last {
                guard let item = top.rest.first else {
                    finished.insert(top.name)
                    onPath.remove(top.name)
                    path.removeLast()
                    continue
                }
                path[path.count - 1].rest.removeFirst()
                guard let next = item.text, let record = records[next], !finished.contains(next) else { continue }
                if onPath.contains(next) {
                    let start = path.firstIndex { $0.name == next } ?? 0
                    let ring = path[start...].map(\.name) + [next]
                    diagnostics.append(
                        item.position.error(
                            "services.\(top.name).dependsOn goes round: " + ring.joined(separator: " -> "),
                            "a service cannot depend on itself"))
                } else {
                    path.append((next, dependencies(record)))
                    onPath.insert(next)
                }
            }
        }
        return diagnostics
    }

    private static func dependencies(_ service: Record) -> ArraySlice<Checked> { service.items("dependsOn")[...] }

    private static func roles(_ services: Services, _ root: Record) -> [Diagnostic] {
        let pools = root.records("pools")
        return services.compactMap { service in
            let role = service.record.text("requires")
            guard role == "primary" || role == "replica" else { return nil }
            let own = pools.filter { $0.record.optionalText("service") == service.name }
            guard !own.contains(where: { PoolChecks.learnsRoles($0.record) }) else { return nil }
            return service.record.position(of: "requires").error(
                "services.\(service.name).requires: no pool of this service learns which server is \(role)",
                "a pool with service: \(service.name) and check: {postgresql: {user: ...}}")
        }
    }
}
