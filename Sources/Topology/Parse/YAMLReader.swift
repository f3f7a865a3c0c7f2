import Yams

/// Text → `Tree`, within bounds that no honest topology reaches.
struct YAMLReader {
    /// Values deeper than this are refused. The deepest key of a topology stands at 9.
    static let maximumDepth = 32
    /// Values after aliases have been expanded; more is an alias bomb.
    static let maximumValues = 100_000

    let source: Source
    private var values = 0
    private var diagnostics: [Diagnostic] = []

    /// Nil when the text is not YAML that can be used; `diagnostics` then says why.
    static func read(_ text: String, source: Source) -> (tree: Tree?, diagnostics: [Diagnostic]) {
        var reader = YAMLReader(source: source)
        let tree = reader.read(text)
        return (tree, reader.diagnostics)
    }

    private init(source: Source) { self.source = source }

    private mutating func read(_ text: String) -> Tree? {
        if let line = AliasKeyScan.firstOffence(in: text) {
            diagnostics.append(
                Position(source: source, line: line, column: 1)
                    .error("an alias or a list is used as a key", "keys are plain text"))
            return nil
        }
        do {
            // Without rules the resolver leaves scalars as text, and tags make no objects of anything.
            let parser = try Parser(yaml: text, resolver: .basic, constructor: .default, encoding: .utf8)
            guard let root = try parser.singleRoot() else {
                return Tree(position: Position(source: source, line: 1, column: 1), content: .empty)
            }
            let tree = convert(root, depth: 0)
            return diagnostics.isEmpty ? tree : nil
        } catch {
            diagnostics.append(diagnostic(for: error))
            return nil
        }
    }

    private mutating func convert(_ node: Yams.Node, depth: Int) -> Tree {
        let position = position(of: node)
        values += 1
        guard depth <= Self.maximumDepth, values <= Self.maximumValues else {
            if diagnostics.isEmpty {
                diagnostics.append(
                    depth > Self.maximumDepth
                        ? position.error("values are nested too deeply", "at most \(Self.maximumDepth) levels")
                        : position.error(
                            "the file holds too many values", "at most \(Self.maximumValues), aliases expanded"))
            }
            return Tree(position: position, content: .empty)
        }
        if !Self.plainTags.contains(node.tag.description) {
            diagnostics.append(
                position.error("the tag '\(node.tag.description.excerpt)' is written", "tags are not used"))
        }
        switch node {
        case .scalar(let scalar):
            let isNull = scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
            return Tree(position: position, content: isNull ? .empty : .scalar(scalar.string))
        case .sequence(let sequence):
            var list: [Tree] = []
            for item in sequence {
                if values > Self.maximumValues { break }
                list.append(convert(item, depth: depth + 1))
            }
            return Tree(position: position, content: .list(list))
        case .mapping(let mapping):
            var entries: [Tree.Entry] = []
            for (key, value) in mapping {
                if values > Self.maximumValues { break }
                guard case .scalar(let name) = key else {
                    diagnostics.append(self.position(of: key).error("a key is not plain text", "keys are plain text"))
                    continue
                }
                entries.append(
                    Tree.Entry(
                        key: name.string, position: self.position(of: key), value: convert(value, depth: depth + 1)))
            }
            return Tree(position: position, content: .map(entries))
        case .alias:
            // compose() has put what an alias stands for in its place.
            return Tree(position: position, content: .empty)
        }
    }

    private static let plainTags: Set<String> = [
        Tag.Name.str, .null, .bool, .int, .float, .timestamp, .seq, .map, .implicit,
    ].reduce(into: []) { $0.insert($1.rawValue) }

    private func position(of node: Yams.Node) -> Position {
        Position(source: source, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
    }

    private func diagnostic(for error: any Error) -> Diagnostic {
        func at(_ mark: Mark, _ problem: String, _ context: YamlError.Context?) -> Diagnostic {
            let context = context.map { " \($0.text)" } ?? ""
            return Position(source: source, line: mark.line, column: mark.column)
                .error("not YAML: \(problem)\(context)")
        }
        switch error as? YamlError {
        case .composer(_, let problem, let mark, _) where problem == "but found another document":
            return Position(source: source, line: mark.line, column: mark.column)
                .error("a second document begins", "a file holds one")
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            return at(mark, problem, context)
        case .duplicatedKeysInMapping(let keys, let context):
            return Position(source: source, line: context.mark.line, column: context.mark.column)
                .error("'\(keys.first?.excerpt ?? "")' stands here and once more in the same map", "keep one")
        case .reader(let problem, _, _, _):
            return Diagnostic(file: source.name, message: "not YAML: \(problem)")
        default:
            return Diagnostic(file: source.name, message: "not YAML: \(error)")
        }
    }
}

/// Finds keys that are aliases or collections before the YAML library sees them: it hashes every key to find duplicates,
/// and hashing an alias expands it, which a bomb makes exponential. Topologies have text for keys. The scan is by line
/// and knows no quotes, so it may refuse an unusual line, never let one pass.
enum AliasKeyScan {
    /// The number of the first line that may hold such a key, from 1.
    static func firstOffence(in text: String) -> Int? {
        var number = 0
        // U+0085, U+2028 and U+2029 end lines in YAML 1.1 too, and none of them belongs in a topology's syntax; a line
        // that is longer than YAML's only makes the scan stricter.
        for line in text.utf8.split(omittingEmptySubsequences: false, whereSeparator: { $0 == 0x0a || $0 == 0x0d }) {
            number += 1
            if isOffence(Array(line)) { return number }
        }
        return nil
    }

    private static func isOffence(_ line: [UInt8]) -> Bool {
        var sawAlias = false
        for (index, byte) in line.enumerated() {
            let next = index + 1 < line.count ? line[index + 1] : 0x20
            switch byte {
            case UInt8(ascii: "?") where isBlank(next):
                let before = index == 0 ? 0x20 : line[index - 1]
                if isBlank(before) || isOpening(before) { return true }
            case UInt8(ascii: "*") where isWord(next):
                sawAlias = true
                let afterName = line[(index + 1)...].drop(while: isWord)
                if afterName.drop(while: isBlank).first == UInt8(ascii: ":") { return true }
            case UInt8(ascii: "]") where sawAlias, UInt8(ascii: "}") where sawAlias:
                if line[(index + 1)...].drop(while: isBlank).first == UInt8(ascii: ":") { return true }
            default: break
            }
        }
        return false
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private static func isOpening(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "[") || byte == UInt8(ascii: "{") || byte == UInt8(ascii: ",")
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }
}
