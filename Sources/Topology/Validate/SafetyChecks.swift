/// Safety rules are told apart by their names, ask for no more regions than there are, and speak of names that exist.
enum SafetyChecks {
    static func run(on root: Record) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        var seen: Set<String> = []
        let regions = root.entries("regions").count
        let names = dynamicNames(root)
        for (index, rule) in root.items("safety").enumerated() {
            guard let record = rule.record else { continue }
            let path = "safety[\(index)]"
            if let name = record.optionalText("name"), !seen.insert(name).inserted {
                diagnostics.append(
                    record.position(of: "name").error(
                        "\(path).name: '\(name)' is used twice", "each rule has its own name"))
            }
            let scope = record.has("of") ? Set(record.items("of").compactMap(\.text)).count : regions
            if let least = record.optionalInteger("atLeast"), least > scope {
                diagnostics.append(
                    record.position(of: "atLeast").error(
                        "\(path).atLeast: \(least) of \(scope) regions can never stay on", "1 to \(scope)"))
            }
            for item in record.items("names") {
                guard let name = item.text, !names.contains(name) else { continue }
                let guess = NearestKey.nearest(to: name, among: names.sorted()).map { "; did you mean '\($0)'?" } ?? ""
                diagnostics.append(
                    item.position.error(
                        "\(path).names: no dynamic name is called '\(name.excerpt)'", "write it in full\(guess)"))
            }
        }
        return diagnostics
    }

    private static func dynamicNames(_ root: Record) -> Set<String> {
        var names: Set<String> = []
        for zone in root.section("dns").entries("zones") {
            guard case .text(let origin) = zone.key, let record = zone.value.record else { continue }
            for entry in record.entries("names") {
                guard case .text(let relative) = entry.key, let name = DomainText.join(relative, origin: origin) else {
                    continue
                }
                names.insert(name)
            }
        }
        return names
    }
}
