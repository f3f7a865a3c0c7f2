import ControlPlane

/// An answer of `/explain` for people: objects as indented lines, chains of reasons as an indented tree.
enum Explanation {
    static func text(_ value: StatusValue) -> String {
        var lines: [String] = []
        write(value, indent: 0, to: &lines)
        return lines.joined(separator: "\n") + "\n"
    }

    private static func write(_ value: StatusValue, indent: Int, to lines: inout [String]) {
        let margin = String(repeating: "  ", count: indent)
        for (key, member) in value.object.sorted(by: { $0.key < $1.key }) {
            if key == "reasons" {
                lines += ReasonChain.lines(member).map { margin + $0 }
            } else if let text = scalar(member) {
                if !text.isEmpty { lines.append("\(margin)\(key): \(text)") }
            } else if case .array(let items) = member {
                guard !items.isEmpty else { continue }
                lines.append("\(margin)\(key):")
                for (index, item) in items.enumerated() {
                    if let text = scalar(item) {
                        lines.append("\(margin)  \(text)")
                    } else {
                        lines.append("\(margin)  \(index + 1).")
                        write(item, indent: indent + 2, to: &lines)
                    }
                }
            } else {
                lines.append("\(margin)\(key):")
                write(member, indent: indent + 1, to: &lines)
            }
        }
    }

    /// Nil for objects, and for lists that do not fit in a line.
    static func scalar(_ value: StatusValue) -> String? {
        switch value {
        case .null: return ""
        case .bool(let value): return value ? "yes" : "no"
        case .int(let value): return "\(value)"
        case .double(let value):
            return (value * 1_000).rounded() / 1_000 == value.rounded() ? "\(Int(value))" : "\(value)"
        case .string(let value): return value
        case .array(let items):
            let texts = items.compactMap(\.string)
            return texts.count == items.count && texts.joined().count < 80 && !texts.isEmpty
                ? texts.joined(separator: ", ") : nil
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
