/// Aligned columns of text for people.
struct Table {
    private var rows: [[String]]

    /// - Parameter columns: the headings, set in capitals.
    init(_ columns: [String]) { rows = [columns.map { $0.uppercased() }] }

    var isEmpty: Bool { rows.count == 1 }

    mutating func add(_ cells: [String]) { rows.append(cells) }

    /// Two blanks between columns, none at the ends of lines.
    var lines: [String] {
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell + String(repeating: " ", count: widths[column] - cell.count + 2)
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    var text: String { lines.joined(separator: "\n") + "\n" }
}
