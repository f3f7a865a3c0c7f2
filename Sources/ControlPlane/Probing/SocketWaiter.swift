import CLinux
package import Engine
import Glibc
import Model
import Synchronization

/// Lets a task wait for a descriptor: one thread around poll(2), for the few dozen sockets of the probes. Tasks read as
/// straight lines; no thread of Swift's pool is ever blocked.
package final class SocketWaiter: Sendable {
    package struct Interest: OptionSet, Sendable {
        package let rawValue: Int16
        package init(rawValue: Int16) { self.rawValue = rawValue }
        package static let readable = Interest(rawValue: Int16(POLLIN))
        package static let writable = Interest(rawValue: Int16(POLLOUT))
    }

    private struct Entry {
        let descriptor: CInt
        let interest: Interest
        let deadline: ContinuousClock.Instant
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        /// Waits that were cancelled before they began.
        var cancelled: Set<UInt64> = []
        var next: UInt64 = 0
        var stopped = false
    }

    private let state = Mutex(State())
    private let wakeUp: CInt

    package init() throws(SocketError) {
        let descriptor = eventfd(0, CInt(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0 else { throw SocketError("eventfd", errno) }
        wakeUp = descriptor
        try Thread.start(name: "probes") { self.run() }
    }

    deinit { close(wakeUp) }

    /// Waits until `descriptor` can be read or written (errors and hang-ups count as both).
    ///
    /// The descriptor must stay open until this returns.
    /// - Returns: false when `deadline` passed, the task was cancelled or the waiter stopped.
    package func wait(
        _ descriptor: CInt, for interest: Interest, until deadline: ContinuousClock.Instant
    ) async -> Bool {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        defer { state.withLock { _ = $0.cancelled.remove(number) } }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let entered = state.withLock { state in
                    if state.stopped || state.cancelled.remove(number) != nil || Task.isCancelled { return false }
                    state.entries[number] = Entry(
                        descriptor: descriptor, interest: interest, deadline: deadline, continuation: continuation)
                    return true
                }
                if entered { wake() } else { continuation.resume(returning: false) }
            }
        } onCancel: {
            let entry = state.withLock { state in
                let entry = state.entries.removeValue(forKey: number)
                if entry == nil, !state.stopped { state.cancelled.insert(number) }
                return entry
            }
            entry?.continuation.resume(returning: false)
            wake()
        }
    }

    /// Ends every wait and the thread.
    package func stop() {
        state.withLock { $0.stopped = true }
        wake()
    }

    private func wake() { eventfd_write(wakeUp, 1) }

    private func run() {
        var numbers: [UInt64] = []
        var polled: [pollfd] = []
        while true {
            let (deadline, stopped) = state.withLock { state in
                numbers.removeAll(keepingCapacity: true)
                polled.removeAll(keepingCapacity: true)
                polled.append(pollfd(fd: wakeUp, events: Int16(POLLIN), revents: 0))
                var deadline: ContinuousClock.Instant?
                for (number, entry) in state.entries {
                    numbers.append(number)
                    polled.append(pollfd(fd: entry.descriptor, events: entry.interest.rawValue, revents: 0))
                    deadline = min(deadline ?? entry.deadline, entry.deadline)
                }
                return (deadline, state.stopped)
            }
            if stopped { break }
            unsafe poll(&polled, nfds_t(polled.count), Self.milliseconds(until: deadline))
            var count: eventfd_t = 0
            if polled[0].revents != 0 { unsafe eventfd_read(wakeUp, &count) }
            finish(numbers, polled)
        }
        let rest = state.withLock { state in
            defer { state.entries = [:] }
            return Array(state.entries.values)
        }
        for entry in rest { entry.continuation.resume(returning: false) }
    }

    private func finish(_ numbers: [UInt64], _ polled: [pollfd]) {
        let now = ContinuousClock.now
        var finished: [(Entry, Bool)] = []
        state.withLock { state in
            for (index, number) in numbers.enumerated() {
                // A cancelled entry is gone already.
                guard let entry = state.entries[number] else { continue }
                let ready = polled[index + 1].revents != 0
                guard ready || entry.deadline <= now else { continue }
                state.entries[number] = nil
                finished.append((entry, ready))
            }
        }
        for (entry, ready) in finished { entry.continuation.resume(returning: ready) }
    }

    private static func milliseconds(until deadline: ContinuousClock.Instant?) -> CInt {
        guard let deadline else { return -1 }
        let left = ContinuousClock.now.duration(to: deadline)
        // Rounded up, or the last millisecond is spent polling.
        return CInt(max(0, min(left.milliseconds + 1, 3_600_000)))
    }
}
