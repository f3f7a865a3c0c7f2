import Glibc
import Synchronization

/// One line per operation, written by a thread of its own. A worker never waits for it: a line that finds no room is
/// dropped and counted.
package final class AccessLog: Sendable {
    private let path: String
    private let rings: [LogRing]
    private let state: Mutex<State>
    /// Ends the writer's rest.
    private let wake = Semaphore()
    private let stopped = Semaphore()

    private struct State {
        var descriptor: CInt
        var isStopping = false
    }

    /// Opens the log and starts its writer.
    ///
    /// - Parameters:
    ///   - path: a file that is appended to, or `-` for standard output.
    ///   - workers: how many workers write; each takes `ring(_:)` of its own index.
    /// - Throws: when the file cannot be opened, or no thread can be started.
    package init(path: String, workers: Int) throws(SocketError) {
        self.path = path
        rings = (0..<max(workers, 1)).map { _ in LogRing() }
        state = Mutex(State(descriptor: try Self.open(path)))
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
        let fresh = try Self.open(path)
        state.withLock { state in
            close(state.descriptor)
            state.descriptor = fresh
        }
    }

    /// Writes what is left and ends the writer. Once.
    package func stop() {
        state.withLock { $0.isStopping = true }
        wake.signal()
        stopped.wait()
    }

    private static func open(_ path: String) throws(SocketError) -> CInt {
        let descriptor =
            path == "-"
            ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
            // A pipe that nobody reads is an error, and one that is read slowly loses lines: neither is waited for.
            : unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0o640)
        guard descriptor >= 0 else { throw SocketError("open access log \(path)", errno) }
        return descriptor
    }

    private func drainUntilStopped() {
        while true {
            let isLast = state.withLock { $0.isStopping }
            var wrote = false
            for ring in rings {
                while true {
                    let bytes = unsafe ring.pending
                    if unsafe bytes.isEmpty { break }
                    // Held while writing, so that `reopen` never closes the descriptor under a write.
                    let count = state.withLock { unsafe write($0.descriptor, bytes.baseAddress, bytes.count) }
                    // A full disk or a closed pipe must not stop the traffic: the lines are lost and counted.
                    if count < 0 && errno == EINTR { continue }
                    // A pipe is full: its reader gets time, for as long as the ring has room.
                    if count < 0 && errno == EAGAIN && !isLast { break }
                    wrote = true
                    if count < 0 { ring.countLost() }
                    ring.discard(count < 0 ? bytes.count : count)
                }
            }
            if isLast { break }
            // 20 ms of lines at 100,000 a second fill 300 KiB of the ring's 1 MiB.
            if !wrote { wake.wait(milliseconds: 20) }
        }
        state.withLock { _ = close($0.descriptor) }
        stopped.signal()
    }
}

/// Bytes from one worker to the log's writer: a ring with one producer and one consumer.
@safe
package final class LogRing: Sendable {
    private let capacity: Int

    // Each byte belongs to the producer or the consumer by the two positions.
    private nonisolated(unsafe) let bytes: UnsafeMutableRawPointer
    private let written = Atomic<Int>(0)
    private let consumed = Atomic<Int>(0)
    private let lost = Atomic<UInt64>(0)

    /// `capacity`: octets, a power of two.
    package init(capacity: Int = 1 << 20) {
        self.capacity = capacity
        unsafe bytes = .allocate(byteCount: capacity, alignment: 64)
    }

    deinit { unsafe bytes.deallocate() }

    package var dropped: UInt64 { lost.load(ordering: .relaxed) }

    /// Copies one line, newline included, and returns whether there was room. Never blocks.
    @discardableResult
    package func append(_ line: UnsafeRawBufferPointer) -> Bool {
        guard let source = line.baseAddress else { return true }
        let end = written.load(ordering: .relaxed)
        guard line.count <= capacity - (end - consumed.load(ordering: .acquiring)) else {
            countLost()
            return false
        }
        let offset = end & (capacity - 1)
        let head = min(line.count, capacity - offset)
        unsafe (bytes + offset).copyMemory(from: source, byteCount: head)
        if head < line.count { unsafe bytes.copyMemory(from: source + head, byteCount: line.count - head) }
        written.store(end + line.count, ordering: .releasing)
        return true
    }

    /// Everything that was appended, whole, for a consumer that has no writer's thread. One at a time.
    package func take() -> [UInt8] {
        let end = written.load(ordering: .acquiring)
        var taken: [UInt8] = []
        while true {
            let part = unsafe pending
            // What comes meanwhile waits: the part up to `end` ends with a whole line.
            let count = min(part.count, end - consumed.load(ordering: .relaxed))
            if count == 0 { return taken }
            unsafe taken.append(contentsOf: part[..<count])
            discard(count)
        }
    }

    /// Counts a line that its producer could not even lay out.
    package func countLost() { lost.add(1, ordering: .relaxed) }

    /// The consumer's view: the longest run that does not wrap.
    var pending: UnsafeRawBufferPointer {
        let start = consumed.load(ordering: .relaxed)
        let count = written.load(ordering: .acquiring) - start
        let offset = start & (capacity - 1)
        return unsafe UnsafeRawBufferPointer(start: bytes + offset, count: min(count, capacity - offset))
    }

    func discard(_ count: Int) {
        consumed.store(consumed.load(ordering: .relaxed) + count, ordering: .releasing)
    }
}
