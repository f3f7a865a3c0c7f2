import Model

/// Dynamic names lie in their zones, and groups and names answer with what exists.
enum NameChecks {
    static func run(on root: Record) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        var regions: [String: Set<String>] = [:]
        for pool in root.records("pools") {
            guard let service = pool.record.optionalText("service") else { continue }
            regions[service, default: []].formUnion(pool.record.entries("endpoints").map(\.name))
        }
        let checks = ChainChecks(root: root)
        for group in root.section("dns").records("groups") {
            diagnostics += checks.run(on: group.record, "dns.groups.\(group.name)", isApex: false)
        }
        for zone in root.section("dns").entries("zones") {
            guard case .text(let origin) = zone.key, let record = zone.value.record else { continue }
            var seen: [String: Position] = [:]
            for entry in record.entries("names") {
                guard case .text(let relative) = entry.key else { continue }
                let path = "dns.zones.\(zone.name).names.\(entry.name)"
                if let name = DomainText.join(relative, origin: origin) {
                    if let first = seen[name] {
                        diagnostics.append(
                            entry.position.error("\(path): \(name) is defined at \(first.text) already", "keep one"))
                    }
                    seen[name] = entry.position
                } else {
                    diagnostics.append(
                        entry.position.error("\(path) is not in the zone \(origin)", ScalarKind.label.allowed))
                }
                if let name = entry.value.record {
                    diagnostics += checks.run(on: name, path, isApex: relative == "@")
                    diagnostics += check(name, path, regions)
                }
            }
        }
        return diagnostics + NestingChecks.run(on: root) + CheckedAnswers.run(on: root)
    }

    private static func check(_ name: Record, _ path: String, _ regions: [String: Set<String>]) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        if let check = name.record("check") {
            diagnostics += PoolChecks.timing(of: check, "\(path).check")
            diagnostics += PoolChecks.encryption(of: check, "\(path).check")
            for kind in TopologySchema.check.oneOf {
                guard let probe = check.record(kind), !probe.has("port") else { continue }
                diagnostics.append(
                    probe.position.error("\(path).check.\(kind) has no 'port'", "the port that users connect to"))
            }
        }
        let ttl = name.duration("ttl")
        if let degraded = name.optionalDuration("ttlDegraded"), degraded > ttl || degraded == .zero && ttl > .zero {
            diagnostics.append(
                name.position(of: "ttlDegraded").error(
                    "\(path).ttlDegraded: \(degraded.text) with a ttl of \(ttl.text)",
                    "at least 1s, and at most the ttl"))
        }
        if let service = name.optionalText("service") { diagnostics += places(name, path, service, regions[service]) }
        return diagnostics
    }

    /// A region that answers for a service without a server of its own there: its verdict has no evidence.
    private static func places(_ name: Record, _ path: String, _ service: String, _ regions: Set<String>?)
        -> [Diagnostic]
    {
        guard let regions else {
            return [
                name.position(of: "service").warning(
                    "\(path).service: no pool implements '\(service)'",
                    "only its own check tells whether a region is healthy")
            ]
        }
        return name.records("answers").filter { answer in
            guard !answer.record.has("group"), !answer.record.has("name"), !answer.record.has("service") else {
                return false
            }
            return !regions.contains(answer.record.optionalText("region") ?? answer.name)
        }.map {
            $0.position.warning(
                "\(path).answers.\($0.name): '\(service)' has no servers in this region",
                "only its own check tells whether the region is healthy")
        }
    }
}
