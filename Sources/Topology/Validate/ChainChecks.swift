import Model

/// The answers of a name or group are what their types allow, and its steps choose among them.
struct ChainChecks {
    private let regions: [String]
    private let located: Set<String>
    private let sets: [(name: String, prefixes: [IPPrefix])]

    init(root: Record) {
        regions = root.entries("regions").map(\.name)
        located = Set(
            root.records("regions").filter { $0.record.record("location")?.has("latitude") == true }.map(\.name))
        sets = root.section("dns").entries("prefixSets").map { ($0.name, Self.prefixes($0.value)) }
    }

    static func prefixes(_ list: Checked) -> [IPPrefix] {
        list.items.compactMap { if case .prefix(let prefix) = $0.atom { prefix } else { nil } }
    }

    /// `path`: of the name or group.
    func run(on chain: Record, _ path: String, isApex: Bool) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        for answer in chain.records("answers") {
            diagnostics += place(answer, path)
            diagnostics += answers(answer.record, "\(path).answers.\(answer.name)", isApex: isApex)
        }
        if chain.has("steps"), chain.has("policy") {
            diagnostics.append(
                chain.position(of: "policy").error(
                    "\(path) has both 'steps' and 'policy'", "a policy stands for steps; keep one"))
        }
        let answering = chain.entries("answers").map(\.name).filter { isKnown($0, in: chain) }
        guard !answering.isEmpty else { return diagnostics }
        var steps = StepChecks(answering: answering, unlocated: unlocated(chain), sets: sets)
        for (index, item) in chain.items("steps").enumerated() {
            if let step = item.record { steps.check(step, "\(path).steps[\(index)]") }
            if item.text == "proximity" { steps.checkCoordinates(item.position, "\(path).steps[\(index)]") }
        }
        if let policy = chain.record("policy") { steps.check(policy, "\(path).policy") }
        if let word = chain.optionalText("policy") { steps.check(preset: word, chain.position(of: "policy"), path) }
        return diagnostics + steps.diagnostics
    }

    /// Whether an answer stands for something: a region, its own or that of its name, or a chain.
    private func isKnown(_ answer: String, in chain: Record) -> Bool {
        guard let record = chain.records("answers").first(where: { $0.name == answer })?.record else {
            return regions.contains(answer)
        }
        return record.has("region") || record.has("group") || record.has("name") || regions.contains(answer)
    }

    private func unlocated(_ chain: Record) -> [(name: String, position: Position)] {
        chain.records("answers").compactMap { answer in
            let region = answer.record.optionalText("region") ?? answer.name
            return located.contains(region) ? nil : (answer.name, answer.position)
        }
    }

    private func place(
        _ answer: (name: String, position: Position, record: Record), _ path: String
    ) -> [Diagnostic] {
        if answer.name == "none" {
            return [
                answer.position.error(
                    "\(path).answers: an answer is called 'none'", "that word stands for no answer in steps")
            ]
        }
        let record = answer.record
        guard !record.has("region"), !record.has("group"), !record.has("name"), !regions.contains(answer.name) else {
            return []
        }
        let guess = NearestKey.nearest(to: answer.name, among: regions).map { "; did you mean '\($0)'?" } ?? ""
        return [
            answer.position.error(
                "\(path).answers: no region is named '\(answer.name.excerpt)'",
                "regions: \(SchemaChecker.list(regions))\(guess)")
        ]
    }

    private func answers(_ record: Record, _ path: String, isApex: Bool) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        for (type, family) in [("A", IPAddress.Family.v4), ("AAAA", .v6)] {
            for item in record.items(type) {
                guard let text = item.text, IPAddress(text)?.family != family else { continue }
                diagnostics.append(
                    item.position.error(
                        "\(path).\(type): read '\(text.excerpt)'", "an IPv\(family.rawValue) address"))
            }
        }
        let types = TopologySchema.recordTypes.filter(record.has)
        let chains = ["group", "name"].filter(record.has)
        if chains.count == 2 {
            diagnostics.append(
                record.position(of: "name").error("\(path) is both a group and a name", "one of them"))
        } else if let chain = chains.first, let type = types.first {
            diagnostics.append(
                record.position(of: type).error(
                    "\(path): \(type) stands beside '\(chain)'", "the records are those of the \(chain)"))
        } else if types.isEmpty, chains.isEmpty {
            diagnostics.append(
                record.position.error(
                    "\(path) has no records", "one or more of " + SchemaChecker.list(TopologySchema.recordTypes)))
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
}
