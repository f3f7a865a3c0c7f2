import Glibc
package import Model

extension Timestamp {
    /// The wall clock. Only shells read it; pure code is told the time.
    package static var now: Timestamp { read(CLOCK_REALTIME) }

    /// Since the machine started: for distances only.
    package static var monotonic: Timestamp { read(CLOCK_BOOTTIME) }

    fileprivate static func read(_ clock: clockid_t) -> Timestamp {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}

/// Wall time at the start of the process plus what the monotonic clock counted since: reads like a wall clock, and never
/// jumps when somebody sets that. It goes on while the machine is suspended. Freshness and damping go by it.
package struct SteadyClock: Sendable {
    private let read: @Sendable () -> Timestamp

    package init() {
        let offset = Timestamp.now - Timestamp.read(CLOCK_BOOTTIME)
        read = { Timestamp.read(CLOCK_BOOTTIME) + offset }
    }

    /// For tests.
    package init(reading read: @escaping @Sendable () -> Timestamp) { self.read = read }

    package var now: Timestamp { read() }
}
