import ControlPlane

/// An answer of `/explain` for people: what stands alone as `key: value`, lists of things as tables, and chains of
/// reasons as indented lines.
enum Explanation {
    static func text(_ value: StatusValue) -> String {
        var lines: [String] = []
        write(value, margin: "", to: &lines)
        return lines.joined(separator: "\n") + "\n"
    }

    /// Keys that come first, in this order; then the rest by the alphabet.
    private static let order = [
        "name", "type", "client", "zone", "service", "location", "class", "scope", "ttl", "region", "step", "kept",
        "before", "after", "healthy", "share", "up", "frozen", "fact", "reason", "text", "candidates", "verdicts",
        "steps",
        "answer", "answers", "records", "weight", "failOpen",
    ]

    private static func members(_ object: [String: StatusValue]) -> [(key: String, value: StatusValue)] {
        func rank(_ key: String) -> Int { order.firstIndex(of: key) ?? order.count }
        return object.sorted { (rank($0.key), $0.key) < (rank($1.key), $1.key) }
    }

    private static func write(_ value: StatusValue, margin: String, to lines: inout [String]) {
        let members = members(value.object)
        for (key, member) in members {
            if let text = scalar(member), !text.isEmpty { lines.append("\(margin)\(key): \(text)") }
        }
        for (key, member) in members where scalar(member) == nil {
            if key == "reasons" {
                lines += ReasonChain.lines(member).map { margin + $0 }
                continue
            }
            if margin.isEmpty, lines.last?.isEmpty == false { lines.append("") }
            lines.append("\(margin)\(key):")
            if case .array(let items) = member {
                write(items, margin: margin + "  ", to: &lines)
            } else {
                write(member, margin: margin + "  ", to: &lines)
            }
        }
    }

    private static func write(_ items: [StatusValue], margin: String, to lines: inout [String]) {
        let isTable = items.allSatisfy { item in
            guard case .object(let members) = item else { return false }
            return members.allSatisfy { $0.key == "reasons" || scalar($0.value) != nil }
        }
        guard isTable else {
            for item in items {
                if let text = scalar(item) {
                    lines.append(margin + text)
                } else {
                    write(item, margin: margin, to: &lines)
                }
            }
            return
        }
        var keys: [String] = []
        let used = items.reduce(into: [String: StatusValue]()) { all, item in
            all.merge(item.object) { first, _ in first }
        }
        for (key, _) in members(used) where key != "reasons" {
            if items.contains(where: { scalar($0[key])?.isEmpty == false }) { keys.append(key) }
        }
        var table = Table(keys)
        for item in items { table.add(keys.map { (scalar(item[$0]) ?? "").clipped(to: 100) }) }
        let rows = table.lines
        lines.append(margin + rows[0])
        for (row, item) in zip(rows.dropFirst(), items) {
            lines.append(margin + row)
            lines += ReasonChain.lines(item["reasons"]).map { margin + "  " + $0 }
        }
    }

    /// Nil for objects, and for lists that are not a line of words.
    static func scalar(_ value: StatusValue) -> String? {
        switch value {
        case .null: return ""
        case .bool(let value): return value ? "yes" : "no"
        case .int(let value): return "\(value)"
        case .double(let value): return Figure.plain(value)
        case .string(let value): return value
        case .array(let items):
            let words = items.compactMap { item -> String? in
                if case .array = item { return nil }
                return scalar(item)
            }
            guard words.count == items.count else { return nil }
            let line = words.joined(separator: ", ")
            return line.count <= 100 ? line : nil
        case .object: return nil
        }
    }
}

/// The facts behind a verdict, each one step further along `dependsOn` than the one that it explains.
enum ReasonChain {
    /// One line per fact, indented by its depth.
    static func lines(_ reasons: StatusValue) -> [String] {
        reasons.array.map { reason in
            let depth = Int(clamping: max(0, reason["depth"].int ?? 0))
            let source = reason["source"].string.map { "\($0): " } ?? ""
            let arrow = depth == 0 ? "- " : String(repeating: "  ", count: min(depth, 16)) + "because "
            return arrow + source + (reason["text"].string ?? reason.string ?? "")
        }
    }
}
