import Dispatch
import Glibc
import Synchronization

/// SIGINT, SIGTERM and SIGHUP cancel what is under way, so that the world is taken down in order.
final class Interrupts: Sendable {
    private let work = Mutex<Task<Void, any Error>?>(nil)
    // Made and kept, never touched again.
    private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

    init() {
        let signals = [SIGINT, SIGTERM, SIGHUP]
        for signal in signals { Glibc.signal(signal, SIG_IGN) }
        unsafe sources = signals.map { DispatchSource.makeSignalSource(signal: $0, queue: .global()) }
        for source in unsafe sources {
            source.setEventHandler { [weak self] in self?.work.withLock { $0?.cancel() } }
            source.activate()
        }
    }

    /// Runs `body` in a task of its own.
    ///
    /// - Parameter body: Cancelled by a signal; a second signal changes nothing, because the end is already under way.
    /// - Throws: What `body` throws; `CancellationError` when it was cancelled.
    func cancelling(_ body: @escaping @Sendable () async throws -> Void) async throws {
        let task = Task { try await body() }
        work.withLock { $0 = task }
        try await task.value
        if task.isCancelled { throw CancellationError() }
    }
}
