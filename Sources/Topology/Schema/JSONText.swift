/// JSON whose members keep their order, so that generated files change only where they must.
indirect enum JSONText {
    case string(String)
    case integer(Int)
    case number(Double)
    case boolean(Bool)
    case array([JSONText])
    case object([(String, JSONText)])

    var rendered: String {
        var text = ""
        write(to: &text, indent: "")
        return text
    }

    private func write(to text: inout String, indent: String) {
        switch self {
        case .string(let value): text += Self.quoted(value)
        case .integer(let value): text += "\(value)"
        case .number(let value): text += value.short
        case .boolean(let value): text += "\(value)"
        case .array(let items) where items.allSatisfy(\.isShort):
            text += "["
            for (index, item) in items.enumerated() {
                if index > 0 { text += ", " }
                item.write(to: &text, indent: indent)
            }
            text += "]"
        case .array(let items):
            Self.writeLines(items, "[", "]", to: &text, indent: indent) { item, text, inner in
                item.write(to: &text, indent: inner)
            }
        case .object(let members) where members.isEmpty:
            text += "{}"
        case .object(let members):
            Self.writeLines(members, "{", "}", to: &text, indent: indent) { member, text, inner in
                text += Self.quoted(member.0) + ": "
                member.1.write(to: &text, indent: inner)
            }
        }
    }

    private static func writeLines<Item>(
        _ items: [Item], _ open: String, _ close: String, to text: inout String, indent: String,
        _ write: (Item, inout String, String) -> Void
    ) {
        let inner = indent + "  "
        text += open
        for (index, item) in items.enumerated() {
            text += (index > 0 ? ",\n" : "\n") + inner
            write(item, &text, inner)
        }
        text += "\n" + indent + close
    }

    private var isShort: Bool {
        switch self {
        case .string, .integer, .number, .boolean: true
        case .array, .object: false
        }
    }

    /// RFC 8259 section 7.
    private static func quoted(_ value: String) -> String {
        var text = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
