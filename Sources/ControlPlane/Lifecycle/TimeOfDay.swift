package import Model
import Synchronization

/// The time of day that a node goes by with others: by which reports are issued and believed, polls are authorized and
/// overrides end. It is the wall clock's. When that was set to something else while the process runs, and the peers go by the
/// time that it showed before, it is that: a step of hours at one machine makes nobody silent and ends nobody's word.
///
/// What peers go by is learned from their reports. One that goes by what the wall clock shows now is enough to follow it, as
/// after a start with a wrong clock that was put right; so is hearing nobody, as when the machine was paused and the steady
/// clock with it. What others issue is believed by either. Safe from any thread.
package final class TimeOfDay: Sendable {
    /// Differences up to this are none: clocks are put right in small steps, and reports take their time.
    private static let agreement = Duration.seconds(10)
    /// How long a peer's report tells what it goes by, at least.
    private static let patience = Duration.seconds(15)

    private struct Voice {
        /// How much its clock is ahead of our steady one.
        let offset: Duration
        let heardAt: Timestamp
    }

    private struct State {
        var voices: [String: Voice] = [:]
        var patience = TimeOfDay.patience
    }

    private let wall: @Sendable () -> Timestamp
    private let steady: SteadyClock
    private let state = Mutex(State())

    package init(steady: SteadyClock, wall: @escaping @Sendable () -> Timestamp = { .now }) {
        self.steady = steady
        self.wall = wall
    }

    package var now: Timestamp {
        let (wall, steady) = (wall(), steady.now)
        let step = wall - steady
        if Self.agrees(step, .zero) { return wall }
        return state.withLock { state in
            let offsets = state.voices.values.filter { steady - $0.heardAt <= state.patience }.map(\.offset)
            if offsets.contains(where: { Self.agrees($0, step) }) { return wall }
            return offsets.contains { Self.agrees($0, .zero) } ? steady : wall
        }
    }

    /// What the wall clock shows, and what it would show if nobody had set it since the start.
    package var candidates: [Timestamp] {
        let (wall, steady) = (wall(), steady.now)
        return Self.agrees(wall - steady, .zero) ? [wall] : [wall, steady]
    }

    /// The one of `candidates` that is nearest to `time`.
    package func nearest(to time: Timestamp) -> Timestamp {
        let candidates = candidates
        return candidates.min { abs(($0 - time).nanoseconds) < abs(($1 - time).nanoseconds) } ?? candidates[0]
    }

    /// A report of `peer` was believed that it issued at `time` by its clock, and that was news `age` ago.
    func heard(_ peer: String, issuedAt time: Timestamp, age: Duration) {
        let now = steady.now
        state.withLock { $0.voices[peer] = Voice(offset: time - (now - age), heardAt: now) }
    }

    /// Follows a topology: peers that it no longer has tell nothing, and those that it has report every `interval`.
    func follow(_ names: Set<String>, interval: Duration) {
        state.withLock { state in
            state.voices = state.voices.filter { names.contains($0.key) }
            state.patience = max(Self.patience, interval * 3)
        }
    }

    private static func agrees(_ one: Duration, _ other: Duration) -> Bool {
        one - other <= agreement && other - one <= agreement
    }
}
