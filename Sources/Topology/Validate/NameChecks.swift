import Model

/// Dynamic names lie in their zones, answer with what their types allow, and steer among the regions that answer.
enum NameChecks {
    static func run(on root: Record) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        var regions: [String: Set<String>] = [:]
        for pool in root.records("pools") {
            guard let service = pool.record.optionalText("service") else { continue }
            regions[service, default: []].formUnion(pool.record.entries("endpoints").map(\.name))
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
                    diagnostics += check(name, path, isApex: relative == "@", regions)
                }
            }
        }
        return diagnostics
    }

    private static func check(_ name: Record, _ path: String, isApex: Bool, _ regions: [String: Set<String>])
        -> [Diagnostic]
    {
        var diagnostics: [Diagnostic] = []
        for answer in name.records("answers") {
            diagnostics += answers(answer.record, "\(path).answers.\(answer.name)", isApex: isApex)
        }
        diagnostics += steps(name, path)
        if let check = name.record("check") {
            diagnostics += PoolChecks.timing(of: check, "\(path).check")
            for kind in TopologySchema.check.oneOf {
                guard let probe = check.record(kind), !probe.has("port") else { continue }
                diagnostics.append(
                    probe.position.error("\(path).check.\(kind) has no 'port'", "the port that users connect to"))
            }
        }
        if let service = name.optionalText("service") { diagnostics += places(name, path, service, regions[service]) }
        return diagnostics
    }

    private static func answers(_ record: Record, _ path: String, isApex: Bool) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        for (type, family) in [("A", IPAddress.Family.v4), ("AAAA", .v6)] {
            for item in record.items(type) {
                guard let text = item.text, IPAddress(text)?.family != family else { continue }
                diagnostics.append(
                    item.position.error(
                        "\(path).\(type): read '\(text.excerpt)'", "an IPv\(family.rawValue) address"))
            }
        }
        let types = TopologySchema.answers.keys.map(\.name).filter(record.has)
        if types.isEmpty {
            diagnostics.append(
                record.position.error(
                    "\(path) has no records",
                    "one or more of " + SchemaChecker.list(TopologySchema.answers.keys.map(\.name))))
        }
        if types.contains("CNAME"), types.count > 1 {
            diagnostics.append(
                record.position(of: "CNAME").error(
                    "\(path): CNAME stands beside \(types.filter { $0 != "CNAME" }.joined(separator: ", "))",
                    "a canonical name allows no other records (RFC 1034 section 3.6.2)"))
        }
        if types.contains("CNAME"), isApex {
            diagnostics.append(
                record.position(of: "CNAME").error(
                    "\(path): CNAME at the zone itself", "the zone has SOA and NS records; answer with addresses"))
        }
        return diagnostics
    }

    private static func steps(_ name: Record, _ path: String) -> [Diagnostic] {
        let answering = name.entries("answers").map(\.name)
        guard !answering.isEmpty else { return [] }
        var diagnostics: [Diagnostic] = []
        func require(_ region: String?, _ position: Position, _ place: String) {
            guard let region, !answering.contains(region) else { return }
            let guess = NearestKey.nearest(to: region, among: answering).map { "; did you mean '\($0)'?" } ?? ""
            diagnostics.append(
                position.error(
                    "\(place): '\(region.excerpt)' has no answers here",
                    "regions with answers: \(SchemaChecker.list(answering))\(guess)"))
        }
        for (index, item) in name.items("steps").enumerated() {
            guard let step = item.record else { continue }
            let place = "\(path).steps[\(index)]"
            for region in step.items("failover") { require(region.text, region.position, "\(place).failover") }
            for entry in step.entries("weighted") { require(entry.name, entry.position, "\(place).weighted") }
            guard let geo = step.record("geo") else { continue }
            for key in ["prefixes", "countries", "continents"] {
                for entry in geo.entries(key) {
                    for region in entry.value.items {
                        require(region.text, region.position, "\(place).geo.\(key).\(entry.name)")
                    }
                }
            }
            for region in geo.items("default") { require(region.text, region.position, "\(place).geo.default") }
        }
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
        return name.entries("answers").filter { !regions.contains($0.name) }.map {
            $0.position.warning(
                "\(path).answers.\($0.name): '\(service)' has no servers in this region",
                "only its own check tells whether the region is healthy")
        }
    }
}
