/// The tables of Docs/Configuration.md: every key with its type, default and meaning.
package enum ConfigurationTables {
    /// Between these lines the page is generated; the rest of it is written by people.
    package static let begin = "<!-- generated from the schema: begin -->"
    package static let end = "<!-- generated from the schema: end -->"

    /// One section per kind of map, in the order in which a reader of the file meets them.
    package static var markdown: String {
        var sections: [String] = []
        var seen: Set<String> = []
        var waiting = [TopologySchema.root]
        while !waiting.isEmpty {
            let schema = waiting.removeFirst()
            guard seen.insert(schema.title).inserted else { continue }
            sections.append(section(schema))
            waiting.insert(contentsOf: schema.keys.flatMap { records(in: $0.shape) }, at: 0)
        }
        return sections.joined(separator: "\n")
    }

    /// The page with its generated part made anew; nil when the two lines are not there.
    package static func refresh(_ page: String) -> String? {
        guard let start = page.firstRange(of: begin), let stop = page.firstRange(of: end),
            start.upperBound <= stop.lowerBound
        else { return nil }
        return page[..<start.upperBound] + "\n\n" + markdown + "\n" + page[stop.lowerBound...]
    }

    private static func section(_ schema: RecordSchema) -> String {
        var lines = ["## \(heading(schema.title))", "", schema.summary, ""]
        if !schema.oneOf.isEmpty {
            lines += ["Exactly one of \(schema.oneOf.map { "`\($0)`" }.joined(separator: ", ")).", ""]
        }
        lines += ["| key | type and range | default | meaning |", "|---|---|---|---|"]
        for key in schema.keys {
            let cells = ["`\(key.name)`", type(key.shape), presence(key, in: schema), key.summary]
            lines.append("| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Paths of keys are set as code, names in words are not.
    private static func heading(_ title: String) -> String { title.contains(" ") ? title : "`\(title)`" }

    private static func presence(_ key: RecordSchema.Key, in schema: RecordSchema) -> String {
        switch key.presence {
        case .required: "**required**"
        case .optional: schema.oneOf.contains(key.name) ? "" : "none"
        case .standard(let text): "`\(text)`"
        case .derived(let text): text
        case .filled: "its defaults"
        }
    }

    private static func type(_ shape: Shape) -> String {
        switch shape {
        case .scalar(let kind): kind.documented
        case .record(let schema): link(schema)
        case .map(let keys, let values, _): "map: \(keys.documented) → \(type(values))"
        case .list(let item, _): "list of \(type(item))"
        case .oneOrMany(let kind): "\(kind.documented), or a list of such"
        case .either(let kind, let schema): "\(kind.documented), or \(link(schema))"
        }
    }

    private static func link(_ schema: RecordSchema) -> String {
        let anchor = schema.title.lowercased().filter { $0.isLetter || $0.isNumber || $0 == "-" || $0 == " " }
        return "[\(schema.title)](#\(anchor.replacing(" ", with: "-")))"
    }

    private static func records(in shape: Shape) -> [RecordSchema] {
        switch shape {
        case .scalar, .oneOrMany: []
        case .record(let schema), .either(_, let schema): [schema]
        case .map(_, let value, _): records(in: value)
        case .list(let item, _): records(in: item)
        }
    }
}

extension ScalarKind {
    /// Like `allowed`, in the few words of a table's cell. The page says what a duration is, once.
    fileprivate var documented: String {
        switch self {
        case .text: "text"
        case .name: "name"
        case .choice(let words): words.map { "`\($0)`" }.joined(separator: " ")
        case .boolean: "`true` `false`"
        case .integer(let range): "\(range.lowerBound) … \(range.upperBound)"
        case .number(let range): "\(range.lowerBound.short) … \(range.upperBound.short)"
        case .duration(let range): "duration, \(range.lowerBound.text) … \(range.upperBound.text)"
        case .timeToLive: "duration in whole seconds, 0s … 2147483647s"
        case .size(let range): "size, \(range.lowerBound.sizeText) … \(range.upperBound.sizeText)"
        case .share(let range): "share, \(range.lowerBound)% … \(range.upperBound)%"
        case .address: "address"
        case .socketAddress: "address:port"
        case .prefix: "address prefix"
        case .file, .writtenFile: "path"
        case .fileOrOutput: "path, or `-`"
        case .domain: "DNS name"
        case .label: "DNS name in the zone, or `@`"
        case .hostPattern: "host, `*.suffix` or `*`"
        case .host: "host"
        case .urlPath: "URL path"
        case .upgrade: "protocol"
        case .statuses: "status or range of them"
        case .country: "country code"
        case .subdivision: "subdivision code"
        case .city: "place/city"
        case .network: "AS number"
        case .clients: "address prefix, name of a set, or `*`"
        case .candidate: "name of an answer"
        case .environmentVariable: "name of a variable"
        case .reference(let referent): "name of a \(referent.rawValue)"
        case .word(let word, let other): "`\(word)`, or \(other.documented)"
        }
    }
}
