/// A file that was read.
final class Source: Sendable {
    /// For diagnostics.
    let name: String
    /// Absolute folder: paths written in the file are relative to it.
    let folder: String

    init(name: String, folder: String) {
        self.name = name
        self.folder = folder
    }

    /// `path` as seen from this file.
    func resolve(_ path: String) -> String {
        path.hasPrefix("/") ? path : folder == "/" ? "/" + path : folder + "/" + path
    }
}

/// A place in a file; line and column count from 1.
struct Position: Sendable {
    let source: Source
    let line: Int
    let column: Int

    func error(_ message: String, _ hint: String? = nil) -> Diagnostic {
        Diagnostic(file: source.name, line: line, column: column, message: message, hint: hint)
    }

    func warning(_ message: String, _ hint: String? = nil) -> Diagnostic {
        Diagnostic(
            severity: .warning, file: source.name, line: line, column: column, message: message, hint: hint)
    }

    var text: String { "\(source.name):\(line):\(column)" }
}

/// What a file says, before anything is known of its meaning: scalars are still text.
struct Tree: Sendable {
    enum Content: Sendable {
        case scalar(String)
        /// Nothing, `~` or `null`.
        case empty
        case list([Tree])
        case map([Entry])
    }

    struct Entry: Sendable {
        let key: String
        let position: Position
        let value: Tree
    }

    let position: Position
    let content: Content

    /// For "read …" in diagnostics.
    var kind: String {
        switch content {
        case .scalar(let text): "'\(text.excerpt)'"
        case .empty: "nothing"
        case .list: "a list"
        case .map: "a map"
        }
    }
}

extension String {
    /// Short enough for one line of a diagnostic, without control characters.
    var excerpt: String {
        let clean = String(unicodeScalars.prefix(61).map { $0.properties.isPrintable ? Character($0) : "\u{FFFD}" })
        return clean.count > 60 ? clean.prefix(57) + "..." : clean
    }
}

extension Unicode.Scalar.Properties {
    fileprivate var isPrintable: Bool {
        switch generalCategory {
        case .control, .format, .surrogate, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}
