/// One thing wrong with a topology or a file that it names.
package struct Diagnostic: Sendable, Hashable, CustomStringConvertible {
    package enum Severity: String, Sendable, Hashable {
        case error
        case warning
    }

    package let severity: Severity
    package let file: String
    /// From 1; 0 when the problem is no single line's.
    package let line: Int
    package let column: Int
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

    /// `file:line:column: error: message; hint`.
    package var description: String {
        var text = file
        if line > 0 { text += ":\(line):\(max(column, 1))" }
        text += ": \(severity.rawValue): \(message)"
        if let hint { text += "; \(hint)" }
        return text
    }
}

/// A topology that cannot be used, with everything that is wrong with it.
package struct InvalidTopology: Error, CustomStringConvertible {
    package let diagnostics: [Diagnostic]

    package init(diagnostics: [Diagnostic]) { self.diagnostics = diagnostics }

    package var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}
