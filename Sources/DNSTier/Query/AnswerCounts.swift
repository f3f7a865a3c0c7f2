import Synchronization

/// How often one worker gave each kind of steered answer, by the numbers of an `AnswerLedger`. The worker alone writes, which
/// takes neither lock nor fence; anybody reads.
@safe
final class AnswerCounts: Sendable {
    /// Kinds that are told apart: names times lists of regions. 128 KiB for each worker.
    static let capacity = 1 << 14

    @safe
    struct View: @unchecked Sendable {
        let cells: UnsafeMutablePointer<Atomic<UInt64>>
        let mask: UInt32

        @inline(__always)
        func add(_ kind: UInt32) {
            let cell = unsafe cells + Int(kind & mask)
            unsafe cell.pointee.store(cell.pointee.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
        }
    }

    let view: View

    /// `capacity`: a power of two; 1 where nobody reads.
    init(capacity: Int = AnswerCounts.capacity) {
        let cells = UnsafeMutablePointer<Atomic<UInt64>>.allocate(capacity: capacity)
        for index in 0..<capacity { unsafe (cells + index).initialize(to: Atomic(0)) }
        unsafe view = View(cells: cells, mask: UInt32(capacity - 1))
    }

    deinit { unsafe view.cells.deallocate() }

    func count(_ kind: UInt32) -> UInt64 { unsafe view.cells[Int(kind & view.mask)].load(ordering: .relaxed) }
}
