import Model

/// Steps and policies name answers that stand beside them, and their figures fit together.
struct StepChecks {
    /// The names of the answers.
    let answering: [String]
    /// Answers whose region has no coordinates.
    let unlocated: [(name: String, position: Position)]
    let sets: [(name: String, prefixes: [IPPrefix])]
    private(set) var diagnostics: [Diagnostic] = []

    init(
        answering: [String], unlocated: [(name: String, position: Position)],
        sets: [(name: String, prefixes: [IPPrefix])]
    ) {
        self.answering = answering
        self.unlocated = unlocated
        self.sets = sets
    }

    /// A step, or a policy: they share their keys' meaning.
    mutating func check(_ step: Record, _ path: String) {
        for key in ["failover", "priority"] {
            let items = step.record(key)?.items("order") ?? step.items(key).filter { $0.record == nil }
            for item in items { require(item.text, item.position, "\(path).\(key)") }
        }
        for entry in step.entries("weighted") { require(entry.name, entry.position, "\(path).weighted") }
        for key in ["geo", "geolocation"] {
            if let geo = step.record(key) { check(geo: geo, "\(path).\(key)") }
        }
        for key in ["prefix", "ip-based"] { check(prefixes: step.entries(key), "\(path).\(key)") }
        for key in ["proximity", "nearest", "geoproximity"] where step.has(key) {
            for entry in step.record(key)?.entries("bias") ?? [] {
                require(entry.name, entry.position, "\(path).\(key).bias")
            }
            checkCoordinates(step.position(of: key), "\(path).\(key)")
        }
        if step.has("fence"), !step.has("geo"), !step.has("prefix") {
            diagnostics.append(
                step.position(of: "fence").error(
                    "\(path): 'fence' stands beside a step without lists", "beside geo or prefix"))
        }
        if let latency = step.record("latency"), !latency.has("file"), !latency.boolean("measured") {
            diagnostics.append(
                latency.position.error(
                    "\(path).latency has no figures", "name a file, or let clients be measured with measured: true"))
        }
        if let shed = step.record("shed"), shed.integer("high") <= shed.integer("low") {
            diagnostics.append(
                shed.position.error(
                    "\(path).shed: high is \(shed.integer("high"))% and low \(shed.integer("low"))%",
                    "high above low: between them an answer is left out more and more"))
        }
    }

    mutating func check(preset word: String, _ position: Position, _ path: String) {
        let needs = [
            "latency": "{measured: true}", "geolocation": "{countries: {…}, default: …}", "ip-based": "{PREFIX: …}",
        ]
        if let need = needs[word] {
            diagnostics.append(
                position.error("\(path).policy: '\(word)' alone does not say enough", "policy: {\(word): \(need)}"))
        }
        if word == "geoproximity" { checkCoordinates(position, "\(path).policy") }
    }

    mutating func checkCoordinates(_ position: Position, _ path: String) {
        if unlocated.count == answering.count {
            diagnostics.append(
                position.error(
                    "\(path): no answer is in a region with coordinates",
                    "give the regions location: {latitude: …, longitude: …}"))
            return
        }
        for answer in unlocated {
            diagnostics.append(
                position.warning(
                    "\(path): '\(answer.name.excerpt)' is in no region with coordinates", "it is never the nearest"))
        }
    }

    private mutating func check(geo: Record, _ path: String) {
        for key in ["prefixes", "networks", "cities", "subdivisions", "countries", "continents"] {
            for entry in geo.entries(key) { require(entry.value, "\(path).\(key).\(entry.name)") }
        }
        if let otherwise = geo.fields["default"] { requireOrNone(otherwise, "\(path).default") }
    }

    private mutating func check(prefixes entries: [Checked.MapEntry], _ path: String) {
        var seen: [IPPrefix: Int] = [:]
        for (index, entry) in entries.enumerated() {
            switch entry.key {
            case .word: requireOrNone(entry.value, "\(path).*")
            case .text(let name):
                if !sets.contains(where: { $0.name == name }) {
                    let names = sets.map(\.name)
                    let guess = NearestKey.nearest(to: name, among: names).map { "; did you mean '\($0)'?" } ?? ""
                    diagnostics.append(
                        entry.position.error(
                            "\(path): no prefix set is named '\(name.excerpt)'",
                            (names.isEmpty ? "none is defined" : "dns.prefixSets: \(SchemaChecker.list(names))") + guess
                        ))
                }
                require(entry.value, "\(path).\(entry.name)")
            default: require(entry.value, "\(path).\(entry.name)")
            }
            for prefix in Self.prefixes(of: entry.key, sets: sets) {
                if let first = seen.updateValue(index, forKey: prefix), first != index {
                    diagnostics.append(
                        entry.position.error(
                            "\(path): \(prefix) stands at \(entries[first].position.text) already",
                            "each prefix has one list"))
                }
            }
        }
    }

    /// What a key of a `prefix` step stands for.
    static func prefixes(of key: Atom, sets: [(name: String, prefixes: [IPPrefix])]) -> [IPPrefix] {
        switch key {
        case .prefix(let prefix): [prefix]
        case .text(let name): sets.first { $0.name == name }?.prefixes ?? []
        default: []
        }
    }

    private mutating func requireOrNone(_ list: Checked, _ path: String) {
        if list.text != "none" { require(list, path) }
    }

    private mutating func require(_ list: Checked, _ path: String) {
        for item in list.items { require(item.text, item.position, path) }
    }

    private mutating func require(_ name: String?, _ position: Position, _ path: String) {
        guard let name, !answering.contains(name) else { return }
        let guess = NearestKey.nearest(to: name, among: answering).map { "; did you mean '\($0)'?" } ?? ""
        diagnostics.append(
            position.error(
                "\(path): '\(name.excerpt)' has no answers here",
                "with answers: \(SchemaChecker.list(answering))\(guess)"))
    }
}
