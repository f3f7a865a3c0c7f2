/// A text in Prometheus' exposition format 0.0.4, read as a scraper and a careful reviewer read it: `problems` has one
/// sentence for each rule of the format or of its naming conventions that is broken.
package struct Exposition {
    package struct Sample: Hashable {
        package let name: String
        package let labels: [String: String]
        package let value: Double
    }

    private struct Family {
        let help: String
        var type = ""
        var samples: [Sample] = []
    }

    package private(set) var problems: [String] = []
    private var families: [String: Family] = [:]
    private var order: [String] = []

    package init(_ text: String) {
        if !text.isEmpty, !text.hasSuffix("\n") { problems.append("the last line has no end") }
        for line in text.split(separator: "\n", omittingEmptySubsequences: true) { read(String(line)) }
        for name in order { judge(name, families[name]) }
    }

    package var names: [String] { order }

    package func type(_ family: String) -> String? { families[family]?.type }

    /// Every sample with this name, in order.
    package func samples(_ name: String) -> [Sample] {
        order.flatMap { families[$0]?.samples ?? [] }.filter { $0.name == name }
    }

    /// The value of the one sample that has the name and, among others perhaps, the labels.
    package func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        let found = samples(name).filter { sample in labels.allSatisfy { sample.labels[$0.key] == $0.value } }
        return found.count == 1 ? found[0].value : nil
    }

    // MARK: - Reading

    private mutating func read(_ line: String) {
        if line.hasPrefix("# HELP ") {
            let parts = line.dropFirst(7).split(separator: " ", maxSplits: 1).map(String.init)
            guard parts.count == 2, families[parts[0]] == nil else {
                return problems.append("a HELP without words, or a second one: \(line)")
            }
            families[parts[0]] = Family(help: parts[1])
            order.append(parts[0])
        } else if line.hasPrefix("# TYPE ") {
            let parts = line.dropFirst(7).split(separator: " ").map(String.init)
            guard parts.count == 2, parts[0] == order.last, families[parts[0]]?.type == "" else {
                return problems.append("a TYPE that does not follow its HELP: \(line)")
            }
            families[parts[0]]?.type = parts[1]
        } else {
            var reader = SampleReader(line)
            guard let sample = reader.sample() else { return problems.append("not a sample: \(line)") }
            guard let family = order.last, Self.belongs(sample.name, family, families[family]?.type ?? "") else {
                return problems.append("\(sample.name) does not stand under its own HELP and TYPE")
            }
            families[family]?.samples.append(sample)
        }
    }

    private static func belongs(_ sample: String, _ family: String, _ type: String) -> Bool {
        switch type {
        case "counter", "gauge": sample == family
        case "summary": ["", "_sum", "_count"].contains { sample == family + $0 }
        case "histogram": ["_bucket", "_sum", "_count"].contains { sample == family + $0 }
        default: false
        }
    }

    // MARK: - Judging

    /// Units that are not the base unit of what they measure.
    private static let foreignUnits = [
        "octets", "octet", "milliseconds", "microseconds", "nanoseconds", "ms", "minutes", "kilobytes", "percent",
    ]

    private mutating func judge(_ name: String, _ family: Family?) {
        guard let family else { return }
        let words = name.split(separator: "_").map(String.init)
        if !name.hasPrefix("meridian_") && !name.hasPrefix("process_") { problems.append("\(name): whose is it?") }
        if let unit = words.first(where: Self.foreignUnits.contains) { problems.append("\(name): the unit \(unit)") }
        if (family.type == "counter") != (words.last == "total") {
            problems.append("\(name): counters, and only they, end in _total")
        }
        if ["bucket", "sum", "count", "info"].contains(words.last ?? ""), family.type != "gauge" {
            problems.append("\(name): the ending belongs to another type")
        }
        if family.samples.isEmpty { problems.append("\(name): no samples") }
        var seen: Set<String> = []
        for sample in family.samples {
            let series =
                sample.name
                + sample.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(
                    separator: ",")
            if !seen.insert(series).inserted { problems.append("\(name): the series \(series) stands there twice") }
            if family.type == "counter", sample.value < 0 { problems.append("\(name): a negative count") }
        }
        let keys = Set(family.samples.map { Set($0.labels.keys).subtracting(["le", "quantile"]) })
        if keys.count > 1 { problems.append("\(name): its series have different labels: \(keys)") }
        // A moment is a number of seconds since 1970.
        if family.type == "gauge", words.last == "seconds", family.samples.contains(where: { $0.value > 1e9 }),
            !name.hasSuffix("_timestamp_seconds"), name != "process_start_time_seconds"
        {
            problems.append("\(name): a moment that does not end in _timestamp_seconds")
        }
        if family.type == "histogram" { judgeBuckets(name, family.samples) }
    }

    private mutating func judgeBuckets(_ name: String, _ samples: [Sample]) {
        let buckets = samples.filter { $0.name.hasSuffix("_bucket") }
        var groups: [[String: String]: [(bound: Double, count: Double)]] = [:]
        for bucket in buckets {
            var labels = bucket.labels
            guard let bound = labels.removeValue(forKey: "le").flatMap(SampleReader.number) else {
                problems.append("\(name): a bucket without a bound")
                continue
            }
            groups[labels, default: []].append((bound, bucket.value))
        }
        for (labels, group) in groups {
            let ascends = zip(group, group.dropFirst()).allSatisfy { $0.bound < $1.bound && $0.count <= $1.count }
            if !ascends || group.last?.bound != .infinity { problems.append("\(name): buckets of \(labels)") }
            let count = samples.first { $0.name == name + "_count" && $0.labels == labels }
            if count?.value != group.last?.count { problems.append("\(name): _count of \(labels) is another") }
            if !samples.contains(where: { $0.name == name + "_sum" && $0.labels == labels }) {
                problems.append("\(name): no _sum of \(labels)")
            }
        }
    }
}

/// One sample's line.
private struct SampleReader {
    private let characters: [Character]
    private var position = 0

    init(_ line: String) { characters = Array(line) }

    mutating func sample() -> Exposition.Sample? {
        guard let name = name(colons: true) else { return nil }
        var labels: [String: String] = [:]
        if take("{") {
            repeat {
                guard let key = self.name(colons: false), take("="), let value = quoted(), labels[key] == nil else {
                    return nil
                }
                labels[key] = value
            } while take(",")
            guard take("}") else { return nil }
        }
        guard take(" "), let value = Self.number(String(characters[position...])) else { return nil }
        return Exposition.Sample(name: name, labels: labels, value: value)
    }

    static func number(_ text: String) -> Double? {
        switch text {
        case "+Inf": .infinity
        case "-Inf": -.infinity
        case "NaN": .nan
        default: text.allSatisfy { "0123456789.e-+".contains($0) } ? Double(text) : nil
        }
    }

    private mutating func take(_ character: Character) -> Bool {
        guard position < characters.count, characters[position] == character else { return false }
        position += 1
        return true
    }

    private mutating func name(colons: Bool) -> String? {
        let start = position
        while position < characters.count, case let character = characters[position],
            character == "_" || (colons && character == ":") || (character.isASCII && character.isLetter)
                || (position > start && character.isASCII && character.isNumber)
        {
            position += 1
        }
        return position == start ? nil : String(characters[start..<position])
    }

    /// What stands between quotes, in which a quote, a backslash and a line's end are escaped and nothing else is.
    private mutating func quoted() -> String? {
        guard take("\"") else { return nil }
        var text = ""
        while position < characters.count {
            if take("\"") { return text }
            if take("\\") {
                if take("n") {
                    text.append("\n")
                } else if take("\"") {
                    text.append("\"")
                } else if take("\\") {
                    text.append("\\")
                } else {
                    return nil
                }
                continue
            }
            text.append(characters[position])
            position += 1
        }
        return nil
    }
}
