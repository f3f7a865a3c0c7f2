import Glibc
import Synchronization

/// Users on threads of their own, each of whom does one thing over and over.
package final class Crowd: Sendable {
    private struct State {
        var isOver = false
        var running = 0
        var served = 0
        var lost = 0
    }

    private let state: Mutex<State>

    /// - Parameters:
    ///   - count: how many users there are.
    ///   - visit: what one of them does once, blocking; false when it went wrong.
    package init(_ count: Int, _ visit: @escaping @Sendable () -> Bool) {
        state = Mutex(State(running: count))
        let state = self
        for _ in 0..<count { startThread { state.repeat(visit) } }
    }

    private func `repeat`(_ visit: @Sendable () -> Bool) {
        while !state.withLock({ $0.isOver }) {
            let isServed = visit()
            state.withLock { if isServed { $0.served += 1 } else { $0.lost += 1 } }
            // Not so fast that ports run out.
            usleep(2_000)
        }
        state.withLock { $0.running -= 1 }
    }

    /// Waits until all have gone.
    package func stop() async -> (served: Int, lost: Int) {
        state.withLock { $0.isOver = true }
        while state.withLock({ $0.running }) > 0 { try? await Task.sleep(for: .milliseconds(5)) }
        return state.withLock { ($0.served, $0.lost) }
    }
}

private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

func startThread(_ run: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let body = unsafe Unmanaged.passRetained(Body(run)).toOpaque()
    let code = unsafe pthread_create(
        &thread, nil,
        { pointer in
            guard let pointer = unsafe pointer else { return nil }
            unsafe Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue().run()
            return nil
        }, body)
    precondition(code == 0)
    pthread_detach(thread)
}
