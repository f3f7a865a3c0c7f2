import Model

/// One thing to say about a topology or a file that it names, at the place where it was read.
package struct Diagnostic: Sendable, Hashable, CustomStringConvertible {
    package enum Severity: String, Sendable, Hashable {
        /// The topology cannot be used.
        case error
        /// It can, but probably does not do what was meant.
        case warning
    }

    package let severity: Severity
    /// As the operator wrote it, or relative to the file that includes it.
    package let file: String
    /// From 1; 0 when it is about the file as a whole.
    package let line: Int
    /// From 1, in characters; 0 when it is about the line or file as a whole.
    package let column: Int
    /// Which key, and what was read.
    package let message: String
    /// What to do about it: the allowed values, the nearest known key.
    package let hint: String?

    package init(
        severity: Severity = .error, file: String, line: Int = 0, column: Int = 0, message: String, hint: String? = nil
    ) {
        self.severity = severity
        self.file = file
        self.line = line
        self.column = column
        self.message = message
        self.hint = hint
    }

    /// `file:line:column: error: message; hint`
    package var description: String {
        let place = line > 0 ? "\(file):\(line):\(max(column, 1))" : file
        // Files are written by strangers too, and messages quote them.
        return "\(place): \(severity.rawValue): \(message)".printable + (hint.map { "; \($0)" } ?? "").printable
    }
}

/// Why a topology was refused: every error that was found, in the order of the file.
package struct InvalidTopology: Error, Sendable, Hashable, CustomStringConvertible {
    package let diagnostics: [Diagnostic]

    package init(diagnostics: [Diagnostic]) { self.diagnostics = diagnostics }

    /// One line per diagnostic.
    package var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}
