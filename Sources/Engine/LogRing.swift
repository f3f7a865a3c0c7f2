import Synchronization

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
        let (first, second) = unsafe pending
        let taken = unsafe Array(first) + Array(second)
        discard(taken.count)
        return taken
    }

    /// Counts a line that its producer could not even lay out.
    package func countLost() { lost.add(1, ordering: .relaxed) }

    func countLost(_ lines: Int) { lost.add(UInt64(lines), ordering: .relaxed) }

    /// The consumer's view: all that is there, in two parts where it runs around the end. The last octet ends a line.
    var pending: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) {
        let start = consumed.load(ordering: .relaxed)
        let count = written.load(ordering: .acquiring) - start
        let offset = start & (capacity - 1)
        let head = min(count, capacity - offset)
        return unsafe (
            UnsafeRawBufferPointer(start: bytes + offset, count: head),
            UnsafeRawBufferPointer(start: bytes, count: count - head)
        )
    }

    func discard(_ count: Int) {
        consumed.store(consumed.load(ordering: .relaxed) + count, ordering: .releasing)
    }
}
