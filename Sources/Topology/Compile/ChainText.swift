package import Model

/// Dynamic names with the steps that decide for them, as they would be written out in a topology: presets and chains in
/// chains expanded.
package enum ChainText {
    /// All dynamic names, in the order of the file; empty when there are none.
    package static func text(_ snapshot: Snapshot) -> String {
        snapshot.dns.zones.flatMap(\.names).map { name($0, snapshot) + "\n" }.joined()
    }

    static func name(_ name: DynamicName, _ snapshot: Snapshot) -> String {
        let policy = name.policy.map { "policy \($0.rawValue), " } ?? ""
        var lines = ["\(name.name): \(policy)ttl \(name.ttl)s, \(name.ttlDegraded)s while anything is down"]
        add(name.candidates, name.steps, margin: "  ", snapshot, to: &lines)
        return lines.joined(separator: "\n") + "\n"
    }

    private static func add(
        _ candidates: [DynamicName.Candidate], _ steps: [SteeringStep], margin: String, _ snapshot: Snapshot,
        to lines: inout [String]
    ) {
        let names = candidates.map(\.name)
        lines.append(margin + "answers:")
        for candidate in candidates {
            let region = candidate.region.map { snapshot[$0].name }
            let place = region == candidate.name ? "" : region.map { " in \($0)" } ?? ""
            guard let chain = candidate.chain else {
                let records = candidate.records.map { "\($0.type) \($0.data)" }.joined(separator: ", ")
                lines.append("\(margin)  \(candidate.name)\(place): \(records)")
                continue
            }
            lines.append("\(margin)  \(candidate.name)\(place): \(chain.title)")
            add(chain.candidates, chain.steps, margin: margin + "    ", snapshot, to: &lines)
        }
        lines.append(margin + "steps:")
        for step in steps { lines.append("\(margin)  - \(text(step, names))") }
        if steps.isEmpty { lines.append(margin + "  (none: all answers together)") }
    }

    /// One step in the form in which a topology has it.
    static func text(_ step: SteeringStep, _ names: [String]) -> String {
        func list(_ positions: [Int]) -> String {
            "[" + positions.map { names[$0] }.joined(separator: ", ") + "]"
        }
        func byName(_ values: [Int]) -> String {
            "{" + zip(names, values).map { "\($0): \($1)" }.joined(separator: ", ") + "}"
        }
        func map<Key: Hashable>(_ title: String, _ lists: [Key: [Int]], _ key: (Key) -> String) -> [String] {
            if lists.isEmpty { return [] }
            let entries = lists.map { "\(key($0.key)): \(list($0.value))" }.sorted()
            return ["\(title): {\(entries.joined(separator: ", "))}"]
        }
        func otherwise(_ positions: [Int], _ fence: SteeringStep.Fence) -> String? {
            positions.isEmpty ? fence == .absent ? nil : "none" : list(positions)
        }
        // A default of none is a closed fence without further words.
        func fenced(_ text: String, _ positions: [Int], _ fence: SteeringStep.Fence) -> String {
            if fence == .absent || fence == .closed && positions.isEmpty { return text }
            return "{\(text), fence: \(fence.rawValue)}"
        }
        switch step {
        case .healthy(let step):
            var keys: [String] = []
            if step.servers > 0 { keys.append("servers: \(step.servers)%") }
            if step.quorum > 0 { keys.append("quorum: \(step.quorum)%") }
            return keys.isEmpty ? "healthy" : "healthy: {\(keys.joined(separator: ", "))}"
        case .geo(let step):
            var keys = map("prefixes", step.prefixes) { "\($0)" }
            keys += map("networks", step.networks) { "AS\($0)" }
            keys += map("cities", step.cities) { $0 }
            keys += map("subdivisions", step.subdivisions) { $0 }
            keys += map("countries", step.countries) { $0 }
            keys += map("continents", step.continents) { $0 }
            if let otherwise = otherwise(step.otherwise, step.fence) { keys.append("default: \(otherwise)") }
            return fenced("geo: {\(keys.joined(separator: ", "))}", step.otherwise, step.fence)
        case .prefix(let step):
            var entries = step.prefixes.map { "\($0.key): \(list($0.value))" }.sorted()
            if let otherwise = otherwise(step.otherwise, step.fence) { entries.append("\"*\": \(otherwise)") }
            return fenced("prefix: {\(entries.joined(separator: ", "))}", step.otherwise, step.fence)
        case .proximity(let step):
            let bias = step.bias.contains { $0 != 0 } ? "bias: \(byName(step.bias))" : ""
            guard let count = step.count else { return bias.isEmpty ? "proximity" : "proximity: {\(bias)}" }
            return bias.isEmpty ? "nearest: \(count)" : "nearest: {count: \(count), \(bias)}"
        case .latency(let step):
            var keys = step.file.map { ["file: \($0)"] } ?? []
            if step.isMeasured { keys += ["measured: true", "explore: \(step.explore)%"] }
            return "latency: {\(keys.joined(separator: ", ")), tolerance: \(step.tolerance.text)}"
        case .weighted(let weights): return "weighted: \(byName(weights))"
        case .priority(let step):
            let trickle = step.trickle > 0 ? ", trickle: \(step.trickle)%" : ""
            return "priority: {order: \(list(step.order))\(trickle)}"
        case .hash: return "hash"
        case .capacity(let step): return "capacity: {limit: \(step.limit)%}"
        case .shed(let step): return "shed: {low: \(step.low)%, high: \(step.high)%}"
        case .take(let count): return "take: \(count)"
        case .sample(let count): return "sample: \(count)"
        }
    }
}
