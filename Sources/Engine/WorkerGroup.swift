import CLinux
import Synchronization

/// The workers of one data plane.
package final class WorkerGroup: Sendable {
    private let mailboxes: [Mailbox]
    /// One block per worker.
    package let counters: [CounterBlock]
    private let exits: Mutex<Exits>

    private struct Exits {
        var running: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    /// Processors that this process may use.
    package static var processors: Int { Int(meridian_processor_count()) }

    /// Starts `count` workers and returns when each has run `setUp` on its own thread. When one of them throws, all are
    /// stopped.
    ///
    /// - Parameters:
    ///   - count: how many.
    ///   - name: of their threads, with the index behind it.
    ///   - counters: cells in each worker's counter block.
    ///   - setUp: makes the worker's channels.
    /// - Throws: the first error that a worker met.
    package init(
        count: Int, name: String, counters: Int, setUp: @escaping @Sendable (Worker) throws -> Void
    ) throws {
        let blocks = (0..<count).map { _ in CounterBlock(count: counters) }
        let starts = Starts()
        for index in 0..<count {
            do {
                try Thread.start(name: "\(name)-\(index)") {
                    do {
                        let worker = try Worker(index: index, counters: blocks[index])
                        // The worker's reference cycle with its channels ends with the process or with its loop.
                        try setUp(worker)
                        starts.finish(.success(worker.mailbox))
                        worker.run()
                    } catch {
                        starts.finish(.failure(error))
                    }
                    starts.exit()
                }
            } catch {
                starts.finish(.failure(error))
                starts.exit()
            }
        }
        let results = starts.waitForAll(count)
        var mailboxes: [Mailbox] = []
        var failure: (any Error)?
        for result in results {
            switch result {
            case .success(let mailbox): mailboxes.append(mailbox)
            case .failure(let error): failure = failure ?? error
            }
        }
        if let failure {
            for mailbox in mailboxes { mailbox.post { $0.stop() } }
            throw failure
        }
        self.mailboxes = mailboxes
        self.counters = blocks
        exits = Mutex(Exits(running: count))
        starts.onExit { [weak self] in self?.oneExited() }
    }

    package var count: Int { mailboxes.count }

    /// Runs `message` on every worker, soon.
    package func broadcast(_ message: @escaping @Sendable (Worker) -> Void) {
        for mailbox in mailboxes { mailbox.post(message) }
    }

    /// Sum of one counter over all workers.
    package func total(_ counter: Int) -> UInt64 { counters.reduce(0) { $0 &+ $1.read(counter) } }

    /// Stops the loops and returns when all threads have left them.
    package func stop() async {
        broadcast { $0.stop() }
        await withCheckedContinuation { continuation in
            let isOver = exits.withLock { exits in
                if exits.running == 0 { return true }
                exits.waiting.append(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    private func oneExited() {
        let waiting = exits.withLock { exits in
            exits.running -= 1
            guard exits.running == 0 else { return [CheckedContinuation<Void, Never>]() }
            let waiting = exits.waiting
            exits.waiting = []
            return waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}

/// What the threads report while they start and when they end.
private final class Starts: Sendable {
    private struct State {
        var results: [Result<Mailbox, any Error>] = []
        var exited = 0
        var onExit: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    private let signal = Semaphore()

    func finish(_ result: Result<Mailbox, any Error>) {
        state.withLock { $0.results.append(result) }
        signal.signal()
    }

    func waitForAll(_ count: Int) -> [Result<Mailbox, any Error>] {
        for _ in 0..<count { signal.wait() }
        return state.withLock { $0.results }
    }

    func exit() {
        let action = state.withLock { state in
            if state.onExit == nil { state.exited += 1 }
            return state.onExit
        }
        action?()
    }

    /// Calls `action` for each thread that has ended or will.
    func onExit(_ action: @escaping @Sendable () -> Void) {
        let already = state.withLock { state in
            state.onExit = action
            return state.exited
        }
        for _ in 0..<already { action() }
    }
}
