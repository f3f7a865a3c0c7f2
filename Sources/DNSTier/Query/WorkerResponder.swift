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
    private let tallyCount = QueryCounter.allCases.count
    private let conduct: UnsafeMutablePointer<Conduct>
    private let counts: AnswerCounts

    /// `seed`: of the draws among weighted answers; not 0.
    package convenience init(table: AnswerTable, conduct: Conduct, seed: UInt64) {
        self.init(table: table, conduct: conduct, seed: seed, counts: AnswerCounts(capacity: 1))
    }

    /// `counts`: of the worker.
    init(table: AnswerTable, conduct: Conduct, seed: UInt64, counts: AnswerCounts) {
        self.table = table
        self.counts = counts
        unsafe names = .allocate(byteCount: 2 * FoldedName.capacity, alignment: 8)
        unsafe names.initializeMemory(as: UInt8.self, repeating: 0, count: 2 * FoldedName.capacity)
        unsafe tallies = .allocate(capacity: tallyCount)
        unsafe tallies.initialize(repeating: 0, count: tallyCount)
        unsafe self.conduct = .allocate(capacity: 1)
        unsafe self.conduct.initialize(to: conduct)
        unsafe responder = .allocate(capacity: 1)
        unsafe responder.initialize(
            to: Responder(
                zones: table.zones.view, dynamics: table.dynamics.view, maximumUDPSize: conduct.maximumUDPSize,
                random: seed, turn: ~seed, conduct: self.conduct, unquestioned: 0, names: names, lookAhead: LookAhead(),
                tallies: tallies, answerCounts: counts.view))
        settle()
    }

    deinit {
        unsafe responder.pointee.lookAhead.deallocate()
        unsafe responder.deinitialize(count: 1)
        unsafe responder.deallocate()
        unsafe conduct.deinitialize(count: 1)
        unsafe conduct.deallocate()
        unsafe names.deallocate()
        unsafe tallies.deallocate()
    }

    /// Answers from `next` from now on. Between queries only.
    package func use(_ next: AnswerTable) {
        table = next
        unsafe responder.pointee.zones = next.zones.view
        unsafe responder.pointee.dynamics = next.dynamics.view
        settle()
    }

    /// Behaves as `next` says from now on, but for the time, which stays. Between queries only.
    package func use(_ next: Conduct) {
        let time = time
        unsafe conduct.pointee = next
        self.time = time
        unsafe responder.pointee.maximumUDPSize = next.maximumUDPSize
        settle()
    }

    /// Answers that have something to tell beside are written where large ones are: with no answer beyond question every
    /// query goes there, and without such answers none has to ask.
    private func settle() {
        unsafe responder.pointee.unquestioned = table.dynamics.isStale ? 0 : conduct.pointee.unquestioned
    }

    /// Seconds since 1970 modulo 2^32, for cookies.
    package var time: UInt32 {
        get { unsafe conduct.pointee.time }
        set { unsafe conduct.pointee.time = newValue }
    }

    /// Of the table that answers.
    var generation: UInt64 { table.generation }

    package func tally(_ counter: QueryCounter) -> UInt64 { unsafe tallies[counter.rawValue] }

    /// Hands every tally that is not zero to `add` and clears it.
    func drainTallies(_ add: (_ counter: Int, _ amount: UInt64) -> Void) {
        for index in 0..<tallyCount where unsafe tallies[index] != 0 {
            add(index, unsafe tallies[index])
            unsafe tallies[index] = 0
        }
    }
}
