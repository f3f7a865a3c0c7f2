/// Where something is written: for diagnostics that come after the topology was read.
package struct SourcePlace: Sendable, Hashable {
    /// As the operator wrote it, or relative to the file that includes it.
    package let file: String
    /// From 1.
    package let line: Int
    package let column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }
}
