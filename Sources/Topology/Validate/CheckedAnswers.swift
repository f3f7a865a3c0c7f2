import Model

/// What a name's check is to look at can be looked at: an address of its own for each answer, wherever it stands.
struct CheckedAnswers {
    private let groups: [String: Record]
    private var names: [String: (record: Record, path: String, origin: String)] = [:]
    private var diagnostics: [Diagnostic] = []

    static func run(on root: Record) -> [Diagnostic] {
        var checks = CheckedAnswers(root.section("dns"))
        for name in checks.names.values.sorted(by: { $0.path < $1.path }) where name.record.has("check") {
            var seen: Set<NestingChecks.Chain> = []
            checks.look(at: name.record, name.path, origin: name.origin, checkOf: name.path, isJudged: false, &seen)
        }
        return checks.diagnostics
    }

    private init(_ dns: Record) {
        groups = Dictionary(dns.records("groups").map { ($0.name, $0.record) }) { first, _ in first }
        for zone in dns.entries("zones") {
            guard case .text(let origin) = zone.key, let record = zone.value.record else { continue }
            for entry in record.entries("names") {
                guard case .text(let relative) = entry.key, let chain = entry.value.record,
                    let name = DomainText.join(relative, origin: origin)
                else { continue }
                names[name] = (chain, "dns.zones.\(zone.name).names.\(entry.name)", origin)
            }
        }
    }

    /// `isJudged`: whether a service of the chain around it decides about answers of `chain`.
    private mutating func look(
        at chain: Record, _ path: String, origin: String?, checkOf name: String, isJudged: Bool,
        _ seen: inout Set<NestingChecks.Chain>
    ) {
        let isJudged = isJudged || chain.has("service")
        for answer in chain.records("answers") {
            let record = answer.record
            if let target = NestingChecks.target(of: record, origin: origin) {
                guard seen.insert(target).inserted else { continue }
                let inner = isJudged || record.has("service")
                switch target {
                case .group(let group):
                    guard let record = groups[group] else { continue }
                    look(at: record, "dns.groups.\(group)", origin: nil, checkOf: name, isJudged: inner, &seen)
                case .name(let other):
                    guard let found = names[other] else { continue }
                    look(
                        at: found.record, found.path, origin: found.origin, checkOf: name, isJudged: inner, &seen)
                }
            } else if record.has("CNAME"), !record.has("A"), !record.has("AAAA") {
                diagnostics.append(
                    record.position(of: "CNAME").error(
                        "\(path).answers.\(answer.name): \(name).check cannot look at what a CNAME leads to",
                        "answer with A and AAAA, or leave the check to the name that it leads to"))
            } else if !record.has("A"), !record.has("AAAA"), !isJudged, !record.has("service"),
                TopologySchema.recordTypes.contains(where: record.has)
            {
                diagnostics.append(
                    answer.position.error(
                        "\(path).answers.\(answer.name) has no address that \(name).check could look at",
                        "give it A or AAAA, or let a service decide"))
            }
        }
    }
}
