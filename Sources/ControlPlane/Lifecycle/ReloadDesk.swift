import Engine
import Synchronization
package import Topology

/// Takes wishes for a reload and fulfils them on a thread of its own, one after the other: a large topology takes seconds,
/// which neither the admin API nor the health loop has. Wishes that come meanwhile are fulfilled together by one reload
/// more, which sees the file as it was when the last of them came.
package final class ReloadDesk: Sendable {
    package typealias Outcome = Result<Configuration, InvalidTopology>
    package typealias Reply = @Sendable (Outcome) -> Void

    private struct State {
        var waiting: [Reply] = []
        var isWorking = false
        var isClosed = false
        var onClosed: [@Sendable () -> Void] = []
    }

    /// Wishes that wait at once; more than people have.
    private static let room = 64

    private let state = Mutex(State())

    package init() {}

    /// Has `work`, which may take its time, done on a thread. `reply` is called there with what came of it.
    ///
    /// - Returns: false when too many wait already or the node is leaving; then `reply` is never called.
    func reload(by work: @escaping @Sendable () -> Outcome, _ reply: @escaping Reply) -> Bool {
        let (isTaken, starts) = state.withLock { state in
            guard !state.isClosed, state.waiting.count < Self.room else { return (false, false) }
            state.waiting.append(reply)
            defer { state.isWorking = true }
            return (true, !state.isWorking)
        }
        if starts {
            // Where no thread can be had the caller's has to do.
            do { try Thread.start(name: "reload") { self.run(work) } } catch { run(work) }
        }
        return isTaken
    }

    private func run(_ work: () -> Outcome) {
        while true {
            let replies = state.withLock { state in
                defer { state.waiting = [] }
                return state.waiting
            }
            if !replies.isEmpty {
                let outcome = work()
                for reply in replies { reply(outcome) }
                continue
            }
            let told = state.withLock { state -> [@Sendable () -> Void]? in
                guard state.waiting.isEmpty else { return nil }
                state.isWorking = false
                defer { state.onClosed = [] }
                return state.onClosed
            }
            guard let told else { continue }
            for tell in told { tell() }
            return
        }
    }

    /// Takes no more wishes, and returns when none is being fulfilled.
    package func close() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                state.isClosed = true
                if state.isWorking { state.onClosed.append { continuation.resume() } }
                return !state.isWorking
            }
            if isIdle { continuation.resume() }
        }
    }
}
