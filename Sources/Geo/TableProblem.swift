/// Why a line of a table was refused.
package struct TableProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// Counted from 1.
    package let line: Int
    /// In octets, counted from 1.
    package let column: Int
    package let message: String

    package init(line: Int, column: Int, message: String) {
        self.line = line
        self.column = column
        self.message = message
    }

    package var description: String { "\(line):\(column): \(message)" }
}

/// All that is wrong with a table, in the order of its lines; at most `limit` problems are collected.
package struct InvalidTable: Error, Sendable, Hashable, CustomStringConvertible {
    /// A file of another kind would have one problem a line: nobody reads a million.
    package static let limit = 20

    package let problems: [TableProblem]

    package init(problems: [TableProblem]) { self.problems = problems }

    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
