package import Model

/// From a topology file to a `Snapshot`. `check` and boot call the same functions.
package enum TopologyLoader {
    /// What was found out about a topology.
    package struct Inspection: Sendable {
        /// Nil when there are errors.
        package let snapshot: Snapshot?
        /// Errors and warnings, in the order of the file.
        package let diagnostics: [Diagnostic]

        package var errors: [Diagnostic] { diagnostics.filter { $0.severity == .error } }
        package var warnings: [Diagnostic] { diagnostics.filter { $0.severity == .warning } }
    }

    /// Reads a topology and what it includes.
    ///
    /// File paths in the result are absolute, each resolved against the file in which it is written. Secrets are not
    /// read; whether zone files and maps exist is for those who use them to say.
    /// - Parameter path: relative to the working folder, or absolute.
    /// - Returns: the topology, with dense ids in the order of the file.
    /// - Throws: every error of the topology at once.
    package static func load(path: String) throws(InvalidTopology) -> Snapshot {
        try snapshot(of: inspect(path: path))
    }

    /// The same for text in memory, as if it stood in `file`. Includes are looked up in `files`, by absolute path; the
    /// disk is not read.
    package static func load(
        text: String, file: String, files: [String: String] = [:]
    ) throws(InvalidTopology) -> Snapshot {
        try snapshot(of: inspect(text: text, file: file, files: files))
    }

    /// Reads a topology and says everything there is to say about it, warnings included. With `lookingForFiles`, a file
    /// that the topology names and that does not exist is an error.
    package static func inspect(path: String, lookingForFiles: Bool = false) -> Inspection {
        inspect(
            name: path, path: Disk.absolute(path), fetch: TopologyReader.fetchFile,
            missing: lookingForFiles ? { !Disk.exists($0) } : { _ in false })
    }

    package static func inspect(text: String, file: String, files: [String: String] = [:]) -> Inspection {
        let path = Disk.absolute(file)
        return inspect(
            name: file, path: path,
            fetch: { wanted in
                if wanted == path { return .success(Array(text.utf8)) }
                guard let found = files[wanted] else {
                    return .failure(TopologyReader.Refusal(reason: "it does not exist"))
                }
                return .success(Array(found.utf8))
            },
            missing: { _ in false })
    }

    private static func snapshot(of inspection: Inspection) throws(InvalidTopology) -> Snapshot {
        guard let snapshot = inspection.snapshot else {
            throw InvalidTopology(diagnostics: inspection.errors)
        }
        return snapshot
    }

    private static func inspect(
        name: String, path: String, fetch: @escaping TopologyReader.Fetch, missing: (String) -> Bool
    ) -> Inspection {
        let reading = TopologyReader.read(name: name, path: path, fetch: fetch)
        guard let tree = reading.tree else { return Inspection(snapshot: nil, diagnostics: reading.diagnostics) }

        var checker = SchemaChecker(root: tree)
        let checked = checker.check(tree, as: .record(TopologySchema.root), path: "")
        guard let root = checked.record else { return Inspection(snapshot: nil, diagnostics: checker.diagnostics) }

        var diagnostics = reading.diagnostics + checker.diagnostics + CrossChecks.run(on: root)
        for file in checker.files where missing(file.path) {
            diagnostics.append(
                file.position.error("there is no file '\(file.path)'", "paths are relative to this file"))
        }
        diagnostics = sorted(diagnostics, first: name)
        guard !diagnostics.contains(where: { $0.severity == .error }) else {
            return Inspection(snapshot: nil, diagnostics: diagnostics)
        }
        let snapshot = Compiler(root: root, fingerprint: reading.fingerprint).compile()
        return Inspection(snapshot: snapshot, diagnostics: diagnostics)
    }

    /// In the order of the files' lines, the topology itself first. What an alias repeats is said once.
    private static func sorted(_ diagnostics: [Diagnostic], first: String) -> [Diagnostic] {
        var seen: Set<Diagnostic> = []
        return diagnostics.filter { seen.insert($0).inserted }.sorted {
            let left = ($0.file == first ? 0 : 1, $0.file, $0.line, $0.column)
            return left < ($1.file == first ? 0 : 1, $1.file, $1.line, $1.column)
        }
    }
}
