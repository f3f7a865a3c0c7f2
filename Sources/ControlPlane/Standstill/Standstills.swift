import Engine
import Glibc
package import Model
import Synchronization

/// A time in which this process did not run: it was stopped and continued, or its machine was suspended.
package struct Standstill: Sendable, Hashable {
    /// 1 for the first of the process.
    package let number: UInt64
    package let length: Duration
    /// On the steady clock.
    package let end: Timestamp
}

/// Notices standstills: a thread looks at the steady clock ten times a second, and whoever else wakes up first may ask. What
/// was under way meanwhile (a probe, a poll) proves nothing, and nobody is to blame that it took so long. Safe from any
/// thread.
package final class Standstills: Sendable {
    /// Well over what a thread waits for a processor on a crowded machine, and well under the time in which the world moves
    /// on: checks take a second or more to notice anything.
    package static let least = Duration.seconds(2)
    private static let pulse: UInt32 = 100_000

    private struct State {
        var lookedAt: Timestamp
        var latest: Standstill?
    }

    private let clock: SteadyClock
    private let state: Mutex<State>

    package init(clock: SteadyClock) {
        self.clock = clock
        state = Mutex(State(lookedAt: clock.now))
    }

    /// Has a thread look from now on, until the object goes. Without one, every time in which nobody asked is a standstill.
    ///
    /// - Throws: when there is no thread to be had.
    func watch() throws(SocketError) {
        try Thread.start(name: "standstill") { [weak self] in
            while self?.look() != nil { usleep(Self.pulse) }
        }
    }

    private func look() -> Bool {
        _ = latest
        return true
    }

    /// The latest one, this moment's included; nil when there was none. Costs a lock and a look at the clock.
    package var latest: Standstill? {
        state.withLock { state in
            // Within the lock: of two that look, the later time comes later.
            let now = clock.now
            let length = now - state.lookedAt
            state.lookedAt = max(now, state.lookedAt)
            if length > Self.least {
                state.latest = Standstill(number: (state.latest?.number ?? 0) + 1, length: length, end: now)
            }
            return state.latest
        }
    }

    /// How many there were: what two moments have in common when there was none between them.
    package var count: UInt64 { latest?.number ?? 0 }
}
