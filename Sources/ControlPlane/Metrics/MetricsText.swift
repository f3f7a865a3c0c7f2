/// Writes Prometheus' text exposition format 0.0.4. Samples of one family stay together under one HELP and one TYPE line
/// however they are added, as the format demands.
package struct MetricsText: Sendable {
    package enum Kind: String, Sendable {
        case counter
        case gauge
        case histogram
        case summary
    }

    package typealias Labels = KeyValuePairs<String, String>

    private struct Family {
        let name: String
        let kind: Kind
        let help: String
        var samples: [String] = []
    }

    private var families: [Family] = []
    private var positions: [String: Int] = [:]

    package init() {}

    /// Adds a sample of a counter, whose `name` is `[a-zA-Z_:][a-zA-Z0-9_:]*` and ends in `_total`.
    package mutating func counter(_ name: String, help: String, labels: Labels = [:], _ value: UInt64) {
        append("\(name)\(Self.text(labels)) \(value)", to: name, .counter, help)
    }

    /// A counter of something that has parts, such as seconds.
    package mutating func counter(_ name: String, help: String, labels: Labels = [:], amount: Double) {
        append("\(name)\(Self.text(labels)) \(Self.text(amount))", to: name, .counter, help)
    }

    package mutating func gauge(_ name: String, help: String, labels: Labels = [:], _ value: Double) {
        append("\(name)\(Self.text(labels)) \(Self.text(value))", to: name, .gauge, help)
    }

    /// Adds a histogram: the buckets' upper `bounds`, ascending and without infinity; the observations in each bucket, not
    /// cumulative, one count more than bounds, the last being the overflow; and the sum of all observed values.
    package mutating func histogram(
        _ name: String, help: String, labels: Labels = [:], bounds: [Double], counts: [UInt64], sum: Double
    ) {
        var cumulative: UInt64 = 0
        for (index, count) in counts.enumerated() {
            cumulative += count
            let bound = index < bounds.count ? Self.text(bounds[index]) : "+Inf"
            let pairs = labels.map { ($0.key, $0.value) } + [("le", bound)]
            append("\(name)_bucket\(Self.text(pairs)) \(cumulative)", to: name, .histogram, help)
        }
        append("\(name)_sum\(Self.text(labels)) \(Self.text(sum))", to: name, .histogram, help)
        append("\(name)_count\(Self.text(labels)) \(cumulative)", to: name, .histogram, help)
    }

    /// Adds a summary without quantiles: how many observations there were, and the sum of all observed values.
    package mutating func summary(_ name: String, help: String, labels: Labels = [:], sum: Double, count: UInt64) {
        append("\(name)_sum\(Self.text(labels)) \(Self.text(sum))", to: name, .summary, help)
        append("\(name)_count\(Self.text(labels)) \(count)", to: name, .summary, help)
    }

    /// Adds what became of the lines of one of the node's own logs: a family that all tiers share.
    package mutating func droppedLines(_ log: StaticString, _ count: UInt64) {
        counter(
            "meridian_log_dropped_lines_total", help: "Lines that found no room, by the log they were meant for.",
            labels: ["log": "\(log)"], count)
    }

    /// The whole exposition, families in the order of their first sample.
    package var rendered: String {
        var text = ""
        for family in families {
            text += "# HELP \(family.name) \(Self.escaped(family.help, quotes: false))\n"
            text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
            for sample in family.samples { text += sample + "\n" }
        }
        return text
    }

    private mutating func append(_ sample: String, to name: String, _ kind: Kind, _ help: String) {
        let position = positions[name] ?? families.count
        if position == families.count {
            positions[name] = position
            families.append(Family(name: name, kind: kind, help: help))
        }
        families[position].samples.append(sample)
    }

    private static func text(_ labels: Labels) -> String { text(labels.map { ($0.key, $0.value) }) }

    private static func text(_ labels: [(String, String)]) -> String {
        if labels.isEmpty { return "" }
        return "{" + labels.map { "\($0.0)=\"\(escaped($0.1, quotes: true))\"" }.joined(separator: ",") + "}"
    }

    private static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value) { return String(whole) }
        return "\(value)"
    }

    /// Backslash and line feed are escaped everywhere, quotes in label values only.
    private static func escaped(_ text: String, quotes: Bool) -> String {
        guard text.utf8.contains(where: { $0 == 0x5c || $0 == 0x0a || $0 == 0x22 }) else { return text }
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
