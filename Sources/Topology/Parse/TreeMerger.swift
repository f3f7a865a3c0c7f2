/// Puts two files together: sections are united, lists are joined, and what is defined twice is an error.
struct TreeMerger {
    private(set) var diagnostics: [Diagnostic] = []

    mutating func merge(_ left: Tree, _ right: Tree, as schema: RecordSchema, path: String) -> Tree {
        guard case .map(var entries) = left.content, case .map(let more) = right.content else { return left }
        for entry in more {
            guard let index = entries.firstIndex(where: { $0.key == entry.key }) else {
                entries.append(entry)
                continue
            }
            let keyPath = path.isEmpty ? entry.key : "\(path).\(entry.key)"
            let first = entries[index]
            guard let shape = schema.key(entry.key)?.shape,
                let merged = merge(first.value, entry.value, as: shape, path: keyPath)
            else {
                diagnostics.append(
                    entry.position.error("\(keyPath) is defined at \(first.position.text) already", "keep one"))
                continue
            }
            entries[index] = Tree.Entry(key: first.key, position: first.position, value: merged)
        }
        return Tree(position: left.position, content: .map(entries))
    }

    /// Nil when the two cannot stand side by side.
    private mutating func merge(_ left: Tree, _ right: Tree, as shape: Shape, path: String) -> Tree? {
        switch (shape, left.content, right.content) {
        case (_, .empty, _):
            return right
        case (_, _, .empty):
            return left
        case (.record(let schema), .map, .map) where schema.oneOf.isEmpty:
            return merge(left, right, as: schema, path: path)
        case (.list, .list(let first), .list(let second)):
            return Tree(position: left.position, content: .list(first + second))
        case (.map, .map(var entries), .map(let more)):
            let places = Dictionary(entries.map { ($0.key, $0.position) }, uniquingKeysWith: { first, _ in first })
            for entry in more {
                if let first = places[entry.key] {
                    diagnostics.append(
                        entry.position.error(
                            "\(path).\(entry.key.excerpt) is defined at \(first.text) already", "keep one"))
                } else {
                    entries.append(entry)
                }
            }
            return Tree(position: left.position, content: .map(entries))
        default:
            return nil
        }
    }
}
