import Model

/// Holds what was read against the schema: types, ranges, required keys, unknown keys, and names that must exist.
/// Everything that is wrong is reported; what is right goes on.
struct SchemaChecker {
    /// The names that each section defines.
    private let names: [Referent: [String]]
    private let defined: [Referent: Set<String>]
    var diagnostics: [Diagnostic] = []
    /// The files that the topology names (not secrets or logs), for those who want to know whether they exist.
    var files: [(path: String, position: Position)] = []

    init(root: Tree) {
        var names: [Referent: [String]] = [:]
        if case .map(let sections) = root.content {
            for referent in Referent.allCases {
                guard let section = sections.first(where: { $0.key == referent.section }),
                    case .map(let entries) = section.value.content
                else { continue }
                names[referent] = entries.map(\.key)
            }
        }
        self.names = names
        self.defined = names.mapValues(Set.init)
    }

    mutating func check(_ tree: Tree, as shape: Shape, path: String) -> Checked {
        switch shape {
        case .scalar(let kind): scalar(tree, kind, path)
        case .record(let schema): record(tree, schema, path)
        case .map(let keys, let values, let least): map(tree, keys, values, least, path)
        case .list(let item, let least): list(tree, item, least, path)
        case .oneOrMany(let kind):
            if case .list = tree.content { list(tree, .scalar(kind), 1, path) } else { scalar(tree, kind, path) }
        case .either(let kind, let schema):
            if case .map = tree.content { record(tree, schema, path) } else { scalar(tree, kind, path) }
        }
    }

    // MARK: - Scalars

    private mutating func scalar(_ tree: Tree, _ kind: ScalarKind, _ path: String, secret: Bool = false) -> Checked {
        guard case .scalar(let text) = tree.content else {
            return refuse(tree.position, "\(path): read \(tree.kind)", kind.allowed)
        }
        guard let atom = atom(text, kind, tree.position, path, secret: secret) else {
            return Checked(position: tree.position, value: .invalid)
        }
        return Checked(position: tree.position, value: .atom(atom))
    }

    private mutating func atom(
        _ text: String, _ kind: ScalarKind, _ position: Position, _ path: String, secret: Bool = false
    ) -> Atom? {
        if case .reference(let referent) = kind {
            if defined[referent]?.contains(text) == true { return .text(text) }
            let known = names[referent, default: []]
            diagnostics.append(
                position.error(
                    "\(path): no \(referent.rawValue) is named '\(text.excerpt)'",
                    Self.hint(
                        known.isEmpty ? "none is defined" : "\(referent.section): \(Self.list(known))",
                        guess: NearestKey.nearest(to: text, among: known))))
            return nil
        }
        guard let atom = kind.read(text) else {
            let read = secret ? "read something else" : "read '\(text.excerpt)'"
            diagnostics.append(
                position.error(
                    "\(path): \(read)", Self.hint(kind.allowed, guess: secret ? nil : kind.guess(text))))
            return nil
        }
        guard case .text(let written) = atom else { return atom }
        switch kind {
        case .file:
            let resolved = position.source.resolve(written)
            if !secret { files.append((resolved, position)) }
            return .text(resolved)
        case .writtenFile:
            return .text(position.source.resolve(written))
        case .fileOrOutput where written != "-":
            return .text(position.source.resolve(written))
        default:
            return atom
        }
    }

    // MARK: - Collections

    private mutating func list(_ tree: Tree, _ item: Shape, _ least: Int, _ path: String) -> Checked {
        let trees: [Tree]
        switch tree.content {
        case .list(let items): trees = items
        case .empty: trees = []
        case .scalar, .map: return refuse(tree.position, "\(path): read \(tree.kind)", "a list, as in [a, b]")
        }
        if trees.count < least {
            return refuse(tree.position, "\(path): the list is empty", "at least \(least) must be given")
        }
        var items: [Checked] = []
        for (index, tree) in trees.enumerated() {
            items.append(check(tree, as: item, path: "\(path)[\(index)]"))
        }
        switch item {
        case .scalar(.reference), .scalar(.candidate), .scalar(.choice): reportRepeats(in: items, path)
        default: break
        }
        return Checked(position: tree.position, value: .list(items))
    }

    private mutating func reportRepeats(in items: [Checked], _ path: String) {
        var seen: Set<String> = []
        for item in items {
            guard let text = item.text, !seen.insert(text).inserted else { continue }
            diagnostics.append(item.position.error("\(path): '\(text)' is listed twice", "once is enough"))
        }
    }

    private mutating func map(
        _ tree: Tree, _ keys: ScalarKind, _ values: Shape, _ least: Int, _ path: String
    ) -> Checked {
        let pairs: [Tree.Entry]
        switch tree.content {
        case .map(let entries): pairs = entries
        case .empty: pairs = []
        case .scalar, .list: return refuse(tree.position, "\(path): read \(tree.kind)", "a map, as in {name: value}")
        }
        if pairs.count < least {
            return refuse(tree.position, "\(path): nothing is defined", "at least \(least) must be given")
        }
        var entries: [Checked.MapEntry] = []
        var seen: [Atom: Position] = [:]
        for pair in pairs {
            let key = atom(pair.key, keys, pair.position, path)
            let value = check(pair.value, as: values, path: "\(path).\(pair.key.excerpt)")
            guard let key else { continue }
            if let first = seen[key] {
                diagnostics.append(
                    pair.position.error("\(path): '\(pair.key.excerpt)' is the same as at \(first.text)", "keep one"))
                continue
            }
            seen[key] = pair.position
            entries.append(Checked.MapEntry(key: key, name: pair.key, position: pair.position, value: value))
        }
        return Checked(position: tree.position, value: .map(entries))
    }

    // MARK: - Records

    private mutating func record(_ tree: Tree, _ schema: RecordSchema, _ path: String) -> Checked {
        let entries: [Tree.Entry]
        switch tree.content {
        case .map(let map): entries = map
        case .empty: entries = []
        case .scalar where schema.isSecret:
            return refuse(
                tree.position, "\(path): a secret is written in the file",
                "keep it elsewhere and write {env: NAME} or {file: path}; and change it, it may have been read")
        case .scalar, .list:
            return refuse(
                tree.position, "\(path): read \(tree.kind)",
                "a map with the keys " + Self.list(schema.keys.map(\.name)))
        }
        var fields: [String: Checked] = [:]
        for entry in entries {
            guard let key = schema.key(entry.key) else {
                reportUnknown(entry, schema, path)
                continue
            }
            let isAbsent = if case .empty = entry.value.content { true } else { false }
            if isAbsent, !Self.mayBeEmpty(key.shape) { continue }
            let keyPath = path.isEmpty ? key.name : "\(path).\(key.name)"
            if schema.isSecret, case .scalar(let kind) = key.shape {
                fields[key.name] = scalar(entry.value, kind, keyPath, secret: true)
            } else {
                fields[key.name] = check(entry.value, as: key.shape, path: keyPath)
            }
        }
        checkAlternatives(tree.position, entries, schema, path)
        for key in schema.keys where fields[key.name] == nil {
            fields[key.name] = absent(key, tree.position, path)
        }
        return Checked(position: tree.position, value: .record(Record(position: tree.position, fields: fields)))
    }

    /// `tcp:` without a value is a tcp check without keys; `port:` without a value is no port.
    private static func mayBeEmpty(_ shape: Shape) -> Bool {
        if case .record(let schema) = shape { return !schema.isSecret }
        return false
    }

    private mutating func absent(_ key: RecordSchema.Key, _ position: Position, _ path: String) -> Checked? {
        switch key.presence {
        case .optional, .derived:
            return nil
        case .required:
            let place = path.isEmpty ? "the topology" : path
            return refuse(position, "\(place) has no '\(key.name)'", Self.allowed(key.shape))
        case .standard(let text):
            return check(Tree(position: position, content: .scalar(text)), as: key.shape, path: key.name)
        case .filled:
            return check(Tree(position: position, content: .map([])), as: key.shape, path: "\(path).\(key.name)")
        }
    }

    private mutating func checkAlternatives(
        _ position: Position, _ entries: [Tree.Entry], _ schema: RecordSchema, _ path: String
    ) {
        guard !schema.oneOf.isEmpty else { return }
        let present = entries.filter { schema.oneOf.contains($0.key) }
        if present.count > 1 {
            diagnostics.append(
                present[1].position.error(
                    "\(path) has both '\(present[0].key)' and '\(present[1].key)'",
                    "exactly one of " + Self.list(schema.oneOf)))
        } else if present.isEmpty, entries.allSatisfy({ schema.key($0.key) != nil }) {
            diagnostics.append(
                position.error("\(path) says nothing", "exactly one of " + Self.list(schema.oneOf)))
        }
    }

    private mutating func reportUnknown(_ entry: Tree.Entry, _ schema: RecordSchema, _ path: String) {
        let known = schema.keys.map(\.name)
        let place = path.isEmpty ? "at the top level" : "in \(path)"
        let hint =
            entry.key == "<<"
            ? "merge keys are not used; an alias stands for a whole value"
            : Self.hint("known here: \(Self.list(known))", guess: NearestKey.nearest(to: entry.key, among: known))
        diagnostics.append(entry.position.error("unknown key '\(entry.key.excerpt)' \(place)", hint))
    }

    // MARK: - Wording

    private mutating func refuse(_ position: Position, _ message: String, _ hint: String) -> Checked {
        diagnostics.append(position.error(message, hint))
        return Checked(position: position, value: .invalid)
    }

    private static func allowed(_ shape: Shape) -> String {
        switch shape {
        case .scalar(let kind), .oneOrMany(let kind), .either(let kind, _): kind.allowed
        case .record(let schema): "a map with the keys " + list(schema.keys.map(\.name))
        case .map: "a map, as in {name: value}"
        case .list: "a list, as in [a, b]"
        }
    }

    private static func hint(_ allowed: String, guess: String?) -> String {
        guess.map { "\(allowed); did you mean '\($0)'?" } ?? allowed
    }

    /// At most a dozen names, so that a diagnostic stays one readable line.
    static func list(_ names: [String]) -> String {
        let shown = names.prefix(12).map(\.excerpt).joined(separator: ", ")
        return names.count > 12 ? "\(shown) and \(names.count - 12) more" : shown
    }
}
