import Synchronization

/// Counters of one worker: written by its thread alone, read from anywhere, so a plain load and store will do.
@safe
package final class CounterBlock: Sendable {
    package let count: Int
    // Never changes after init, and each cell is atomic.
    private nonisolated(unsafe) let cells: UnsafeMutablePointer<Atomic<UInt64>>

    package init(count: Int) {
        self.count = count
        // A cache line of its own at either end keeps other workers' writes away.
        let bytes = UnsafeMutableRawPointer.allocate(
            byteCount: max(count, 1) * MemoryLayout<Atomic<UInt64>>.stride + 64, alignment: 64)
        unsafe cells = bytes.bindMemory(to: Atomic<UInt64>.self, capacity: max(count, 1))
        for index in 0..<count { unsafe (cells + index).initialize(to: Atomic(0)) }
    }

    deinit { unsafe UnsafeMutableRawPointer(cells).deallocate() }

    /// Adds on the owning worker's thread.
    package func add(_ index: Int, _ amount: UInt64 = 1) {
        precondition(index >= 0 && index < count)
        let value = unsafe cells[index].load(ordering: .relaxed)
        unsafe cells[index].store(value &+ amount, ordering: .relaxed)
    }

    package func read(_ index: Int) -> UInt64 {
        precondition(index >= 0 && index < count)
        return unsafe cells[index].load(ordering: .relaxed)
    }
}
