import DNSWire

/// The responder of one worker with the memory behind it: the table that it reads, which this object keeps alive, its room
/// for names, and its tallies. Confined to the worker.
@safe
package final class WorkerResponder {
    /// For the worker's sockets. A pointer, because a query must not pay for checked access to an object's field.
    package let responder: UnsafeMutablePointer<Responder>
    private var table: AnswerTable
    private let names: UnsafeMutableRawPointer
    private let tallies: UnsafeMutablePointer<UInt64>

    /// `maximumUDPSize`: 512 ... 4096.
    /// `seed`: of the draws among weighted answers; not 0.
    package init(table: AnswerTable, maximumUDPSize: Int, seed: UInt64) {
        self.table = table
        unsafe names = .allocate(byteCount: 2 * FoldedName.capacity, alignment: 8)
        unsafe names.initializeMemory(as: UInt8.self, repeating: 0, count: 2 * FoldedName.capacity)
        unsafe tallies = .allocate(capacity: QueryCounter.allCases.count)
        unsafe tallies.initialize(repeating: 0, count: QueryCounter.allCases.count)
        unsafe responder = .allocate(capacity: 1)
        unsafe responder.initialize(
            to: Responder(
                zones: table.zones.view, dynamics: table.dynamics.view, maximumUDPSize: maximumUDPSize, random: seed,
                names: names, tallies: tallies))
    }

    deinit {
        unsafe responder.deallocate()
        unsafe names.deallocate()
        unsafe tallies.deallocate()
    }

    /// Answers from `next` from now on. Between queries only.
    package func use(_ next: AnswerTable, maximumUDPSize: Int) {
        table = next
        unsafe responder.pointee.zones = next.zones.view
        unsafe responder.pointee.dynamics = next.dynamics.view
        unsafe responder.pointee.maximumUDPSize = maximumUDPSize
    }

    package func tally(_ counter: QueryCounter) -> UInt64 { unsafe tallies[counter.rawValue] }

    /// Hands every tally that is not zero to `add` and clears it.
    func drainTallies(_ add: (_ counter: Int, _ amount: UInt64) -> Void) {
        for index in 0..<QueryCounter.allCases.count where unsafe tallies[index] != 0 {
            add(index, unsafe tallies[index])
            unsafe tallies[index] = 0
        }
    }
}
