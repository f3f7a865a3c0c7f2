import Glibc
import Synchronization

/// One line per operation, written by a thread of its own. A worker never waits for it: a line that finds no room is
/// dropped and counted.
package final class AccessLog: Sendable {
    private let path: String
    private let key: String
    private let rings: [LogRing]
    private let state: Mutex<State>
    /// Ends the writer's rest.
    private let wake = Semaphore()
    private let stopped = Semaphore()

    private struct State {
        var descriptor: CInt
        var isStopping = false
        /// The file was opened anew since the last write: a line that was begun goes on in the one before.
        var isFresh = false
    }

    /// Opens the log and starts its writer.
    ///
    /// - Parameters:
    ///   - path: a file that is appended to, or `-` for standard output.
    ///   - key: of the topology, that names the file.
    ///   - workers: how many workers write; each takes `ring(_:)` of its own index.
    /// - Throws: when the file cannot be opened, or no thread can be started.
    package init(path: String, key: String = "log.access", workers: Int) throws(SocketError) {
        self.path = path
        self.key = key
        rings = (0..<max(workers, 1)).map { _ in LogRing() }
        state = Mutex(State(descriptor: try Self.open(path, key)))
        let log = self
        do throws(SocketError) {
            try Thread.start(name: "access-log") { log.drainUntilStopped() }
        } catch {
            state.withLock { _ = close($0.descriptor) }
            throw error
        }
    }

    /// The ring of one worker.
    package func ring(_ worker: Int) -> LogRing { rings[worker] }

    /// Lines that found no room.
    package var dropped: UInt64 { rings.reduce(0) { $0 + $1.dropped } }

    /// Opens the file anew, as after logrotate moved it. On failure the old one stays.
    package func reopen() throws(SocketError) {
        if path == "-" { return }
        let fresh = try Self.open(path, key)
        state.withLock { state in
            close(state.descriptor)
            state.descriptor = fresh
            state.isFresh = true
        }
    }

    /// Writes what is left and ends the writer. Once.
    package func stop() {
        state.withLock { $0.isStopping = true }
        wake.signal()
        stopped.wait()
    }

    private static func open(_ path: String, _ key: String) throws(SocketError) -> CInt {
        let descriptor =
            path == "-"
            ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
            // A pipe that nobody reads is an error, and one that is read slowly loses lines: neither is waited for.
            : unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0o640)
        guard descriptor >= 0 else { throw SocketError("\(key): the log file \(path) cannot be opened", errno) }
        return descriptor
    }

    /// Until the pipe takes octets again.
    private func awaitReader(milliseconds: CInt) {
        // Not locked: `reopen` may close the descriptor meanwhile, and the next write goes to the new one.
        var place = pollfd(fd: state.withLock { $0.descriptor }, events: Int16(POLLOUT), revents: 0)
        unsafe poll(&place, 1, milliseconds)
    }

    private func drainUntilStopped() {
        var writer = LineWriter(rings)
        while true {
            let isLast = state.withLock { $0.isStopping }
            let wrote = unsafe writer.drain(isLast: isLast) { parts in
                // Held while writing, so that `reopen` never closes the descriptor under a write.
                state.withLock { state in
                    if state.isFresh {
                        state.isFresh = false
                        return .reopened
                    }
                    let count = unsafe writev(state.descriptor, parts.baseAddress, CInt(parts.count))
                    return count < 0 ? .failed(errno) : .wrote(count)
                }
            }
            if isLast { break }
            // 20 ms of lines at 100,000 a second fill 300 KiB of the ring's 1 MiB.
            if wrote { continue }
            if writer.isBlocked { awaitReader(milliseconds: 20) } else { wake.wait(milliseconds: 20) }
        }
        state.withLock { _ = close($0.descriptor) }
        stopped.signal()
    }
}
