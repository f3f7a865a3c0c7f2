import Engine
import HTTPWire

/// One route as one worker sees it. Lives as long as the process, as pools do: exchanges refer to it without owning.
final class WorkerRoute {
    let counters: CounterBlock
    /// The name as the access log writes it.
    let logName: [UInt8]
    private(set) var pool: WorkerPool

    init(name: String, counters: CounterBlock, pool: WorkerPool) {
        logName = Array(name.utf8)
        self.counters = counters
        self.pool = pool
    }

    /// A reload may send the route elsewhere.
    func adopt(_ pool: WorkerPool) { self.pool = pool }
}
