import Engine

/// One value per worker, each touched by its worker's thread alone, so that a message sent to all workers finds it.
final class WorkerConfined<Value>: @unchecked Sendable {
    private let cells: [Cell]

    private final class Cell {
        var value: Value?
    }

    init(workers: Int) { cells = (0..<workers).map { _ in Cell() } }

    /// To be used on `worker`'s thread.
    subscript(worker: Worker) -> Value? {
        get { cells[worker.index].value }
        set { cells[worker.index].value = newValue }
    }
}
