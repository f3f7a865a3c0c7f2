/// Keeps the first `InvalidTable.limit` problems.
struct ProblemCollector {
    private var problems: [TableProblem] = []

    mutating func add(_ problem: TableProblem) {
        if problems.count < InvalidTable.limit { problems.append(problem) }
    }

    func finish() throws(InvalidTable) {
        if problems.isEmpty { return }
        throw InvalidTable(problems: problems.sorted { ($0.line, $0.column) < ($1.line, $1.column) })
    }
}
