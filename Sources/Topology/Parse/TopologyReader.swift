import Crypto

/// Reads a topology and what it includes, and merges them into one tree.
struct TopologyReader {
    /// Octets of one file.
    static let maximumSize = 1 << 20
    static let maximumFiles = 64
    static let maximumIncludeDepth = 8

    /// Gives the octets of the file at an absolute path, or says in one phrase why it cannot.
    typealias Fetch = (_ path: String) -> Result<[UInt8], Refusal>

    struct Refusal: Error {
        let reason: String
    }

    private let fetch: Fetch
    private var hash = SHA256()
    private var trees: [Tree] = []
    private var seen: Set<String> = []
    private var diagnostics: [Diagnostic] = []

    struct Reading {
        let tree: Tree?
        /// See `Snapshot.fingerprint`.
        let fingerprint: UInt64
        let diagnostics: [Diagnostic]
    }

    /// Reads the file at the absolute `path`, which diagnostics call `name`, and everything that it includes.
    static func read(name: String, path: String, fetch: @escaping Fetch) -> Reading {
        var reader = TopologyReader(fetch: fetch)
        reader.readFile(name: name, path: path, includedAt: nil, chain: [])
        let fingerprint = reader.hash.finalize().prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        guard reader.diagnostics.isEmpty, let root = reader.trees.first else {
            return Reading(tree: nil, fingerprint: fingerprint, diagnostics: reader.diagnostics)
        }
        var merger = TreeMerger()
        let tree = reader.trees.dropFirst().reduce(root) { merger.merge($0, $1, as: TopologySchema.root, path: "") }
        return Reading(tree: tree, fingerprint: fingerprint, diagnostics: merger.diagnostics)
    }

    private init(fetch: @escaping Fetch) { self.fetch = fetch }

    private mutating func readFile(name: String, path: String, includedAt position: Position?, chain: [String]) {
        func complain(_ message: String, _ hint: String? = nil) {
            diagnostics.append(
                position?.error(message, hint) ?? Diagnostic(file: name, message: message, hint: hint))
        }
        if chain.contains(path) { return complain("include: '\(name)' includes itself", "remove one include") }
        if chain.count > Self.maximumIncludeDepth {
            return complain("include: includes are nested too deeply", "at most \(Self.maximumIncludeDepth) levels")
        }
        // Reached twice on different ways, a file still counts once.
        guard seen.insert(path).inserted else { return }
        if seen.count > Self.maximumFiles {
            if seen.count == Self.maximumFiles + 1 {
                complain("include: too many files", "at most \(Self.maximumFiles)")
            }
            return
        }

        let bytes: [UInt8]
        switch fetch(path) {
        case .success(let read): bytes = read
        case .failure(let refusal): return complain("'\(name)' cannot be read: \(refusal.reason)")
        }
        if bytes.count > Self.maximumSize {
            return complain("'\(name)' is too large", "at most \(Self.maximumSize.sizeText)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            return complain("'\(name)' is not UTF-8 text")
        }
        hash.update(data: (0..<8).map { UInt8(truncatingIfNeeded: bytes.count >> (56 - 8 * $0)) })
        hash.update(data: bytes)

        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        let source = Source(name: name, folder: folder.isEmpty ? "/" : folder)
        let (tree, problems) = YAMLReader.read(text, source: source)
        diagnostics += problems
        guard let tree else { return }
        guard case .map(let entries) = tree.content else {
            diagnostics.append(
                tree.position.error(
                    "read \(tree.kind)",
                    "a map with the keys " + TopologySchema.root.keys.map(\.name).joined(separator: ", ")))
            return
        }
        trees.append(tree)
        guard case .list(let includes) = entries.first(where: { $0.key == "include" })?.value.content else { return }
        for include in includes {
            // Anything else than text is reported by the schema.
            guard case .scalar(let written) = include.content, !written.isEmpty else { continue }
            readFile(
                name: Self.join(name, written), path: Self.normalize(source.resolve(written)),
                includedAt: include.position, chain: chain + [path])
        }
    }

    /// `relative` as seen from the file `name`, for people.
    private static func join(_ name: String, _ relative: String) -> String {
        guard !relative.hasPrefix("/"), let slash = name.lastIndex(of: "/") else { return relative }
        return name[...slash] + relative
    }

    /// Without `.` and `..`, so that the same file has the same path.
    static func normalize(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// From the disk.
    static func fetchFile(_ path: String) -> Result<[UInt8], Refusal> { Disk.read(path, limit: maximumSize) }
}
