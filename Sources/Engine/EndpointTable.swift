package import Model
import Synchronization

/// What is known of an endpoint, in one word.
package struct EndpointState: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The last active check passed (or there is none).
    package static let up = EndpointState(rawValue: 1)
    /// A database that takes writes.
    package static let primary = EndpointState(rawValue: 2)
    /// A database that follows another.
    package static let replica = EndpointState(rawValue: 4)
    /// Takes no new traffic by an operator's wish.
    package static let draining = EndpointState(rawValue: 8)
    /// Out of the pool for a while because real traffic failed on it.
    package static let ejected = EndpointState(rawValue: 16)
    /// An active check has had a result.
    package static let checked = EndpointState(rawValue: 32)
    /// A replica further behind than its check allows: it keeps what it has, and new sessions go elsewhere if they can.
    package static let late = EndpointState(rawValue: 64)
    /// Calls itself primary while another one is written to.
    package static let fenced = EndpointState(rawValue: 128)

    /// Whether new traffic may go there.
    package var isUsable: Bool {
        // up and neither draining, ejected nor fenced
        rawValue & 0b1001_1001 == 1
    }

    /// Whether it holds `role`.
    package func holds(_ role: Role) -> Bool {
        switch role {
        case .any: true
        case .primary: contains(.primary)
        case .replica: contains(.replica)
        }
    }
}

/// Health and load of every endpoint of this process as flat atomics, written by checks and workers and read by all, so
/// that every worker balances on the whole node's truth.
///
/// A slot belongs to (pool name, region name, address) for the life of the process, so counters continue over a reload.
@safe
package final class EndpointTable: Sendable {
    /// 65,536 endpoints over the life of a process.
    package static let capacity = 65_536
    private static let chunkSize = 256

    private struct Key: Hashable {
        let pool: String
        let region: String
        let address: SocketAddress
    }

    private let known = Mutex<[Key: Int]>([:])
    private let changeCount = Atomic<UInt64>(0)
    // Written under `known`'s lock before any slot in the chunk is handed out; read without it afterwards.
    private nonisolated(unsafe) let chunks: UnsafeMutablePointer<UnsafeMutablePointer<Cell>?>

    package init() {
        unsafe chunks = .allocate(capacity: Self.capacity / Self.chunkSize)
        unsafe chunks.initialize(repeating: nil, count: Self.capacity / Self.chunkSize)
    }

    deinit {
        for index in 0..<(Self.capacity / Self.chunkSize) {
            if let chunk = unsafe chunks[index] {
                unsafe chunk.deinitialize(count: Self.chunkSize)
                unsafe UnsafeMutableRawPointer(chunk).deallocate()
            }
        }
        unsafe chunks.deallocate()
    }

    /// The slot of each endpoint of `snapshot`, by `EndpointID.index`. New endpoints start `up` when their pool has no
    /// check, and down until their first result otherwise. Nil when the table is full.
    package func slots(for snapshot: Snapshot) -> [Int]? {
        known.withLock { known in
            var slots: [Int] = []
            slots.reserveCapacity(snapshot.endpoints.count)
            for endpoint in snapshot.endpoints {
                let pool = snapshot[endpoint.pool]
                let key = Key(pool: pool.name, region: snapshot[endpoint.region].name, address: endpoint.address)
                if let slot = known[key] {
                    slots.append(slot)
                    continue
                }
                let slot = known.count
                guard slot < Self.capacity else { return nil }
                known[key] = slot
                if slot % Self.chunkSize == 0 {
                    let bytes = UnsafeMutableRawPointer.allocate(
                        byteCount: Self.chunkSize * MemoryLayout<Cell>.stride, alignment: 64)
                    let chunk = unsafe bytes.bindMemory(to: Cell.self, capacity: Self.chunkSize)
                    for index in 0..<Self.chunkSize { unsafe (chunk + index).initialize(to: Cell()) }
                    unsafe chunks[slot / Self.chunkSize] = chunk
                }
                if pool.check == nil { insert(.up, at: slot) }
                slots.append(slot)
            }
            return slots
        }
    }

    /// Grows whenever any state changes: compare it to see whether anything moved.
    package var changes: UInt64 { changeCount.load(ordering: .acquiring) }

    private func cell(_ slot: Int) -> UnsafeMutablePointer<Cell> {
        precondition(slot >= 0 && slot < Self.capacity)
        // A slot is only known after its chunk was made.
        return unsafe chunks[slot / Self.chunkSize].unsafelyUnwrapped + slot % Self.chunkSize
    }

    // MARK: - State

    package func state(_ slot: Int) -> EndpointState {
        EndpointState(rawValue: unsafe cell(slot).pointee.state.load(ordering: .relaxed))
    }

    /// Sets bits and returns whether that changed anything.
    @discardableResult
    package func insert(_ bits: EndpointState, at slot: Int) -> Bool {
        let old = unsafe cell(slot).pointee.state.bitwiseOr(bits.rawValue, ordering: .relaxed).oldValue
        return noteChange(old & bits.rawValue != bits.rawValue)
    }

    /// Clears bits and returns whether that changed anything.
    @discardableResult
    package func remove(_ bits: EndpointState, at slot: Int) -> Bool {
        let old = unsafe cell(slot).pointee.state.bitwiseAnd(~bits.rawValue, ordering: .relaxed).oldValue
        return noteChange(old & bits.rawValue != 0)
    }

    private func noteChange(_ changed: Bool) -> Bool {
        if changed { changeCount.add(1, ordering: .releasing) }
        return changed
    }

    // MARK: - Load

    /// Requests or connections on the endpoint now, over all workers.
    package func inFlight(_ slot: Int) -> Int { unsafe cell(slot).pointee.inFlight.load(ordering: .relaxed) }

    package func began(_ slot: Int) { unsafe cell(slot).pointee.inFlight.add(1, ordering: .relaxed) }

    package func ended(_ slot: Int) { unsafe cell(slot).pointee.inFlight.subtract(1, ordering: .relaxed) }

    /// Counts one operation by how it went.
    package func count(success: Bool, at slot: Int) {
        if success {
            unsafe cell(slot).pointee.successes.add(1, ordering: .relaxed)
        } else {
            unsafe cell(slot).pointee.failures.add(1, ordering: .relaxed)
        }
    }

    package func successes(_ slot: Int) -> UInt64 { unsafe cell(slot).pointee.successes.load(ordering: .relaxed) }

    package func failures(_ slot: Int) -> UInt64 { unsafe cell(slot).pointee.failures.load(ordering: .relaxed) }

    /// Adds a latency sample in nanoseconds to the moving average (weight 1/8). Two workers at once may lose a sample.
    package func observeLatency(_ nanoseconds: UInt64, at slot: Int) {
        let old = unsafe cell(slot).pointee.latency.load(ordering: .relaxed)
        let new = old == 0 ? nanoseconds : old &- old / 8 &+ nanoseconds / 8
        unsafe cell(slot).pointee.latency.store(new, ordering: .relaxed)
        unsafe cell(slot).pointee.latencySum.add(nanoseconds, ordering: .relaxed)
    }

    /// The moving average in nanoseconds; 0 before the first sample.
    package func latency(_ slot: Int) -> UInt64 { unsafe cell(slot).pointee.latency.load(ordering: .relaxed) }

    /// All samples together, in nanoseconds. There is one with each success.
    package func latencySum(_ slot: Int) -> UInt64 { unsafe cell(slot).pointee.latencySum.load(ordering: .relaxed) }

    /// How far a replica is behind, in milliseconds; `UInt64.max` when nobody knows, 0 for everything else.
    package func lag(_ slot: Int) -> UInt64 { unsafe cell(slot).pointee.lag.load(ordering: .relaxed) }

    package func setLag(_ milliseconds: UInt64, at slot: Int) {
        unsafe cell(slot).pointee.lag.store(milliseconds, ordering: .relaxed)
    }

    /// Failures in a row; see `EjectionPolicy`.
    package func failuresInARow(_ slot: Int) -> Int { unsafe cell(slot).pointee.streak.load(ordering: .relaxed) }

    /// Which kinds of failures are in that row.
    package func kindsInARow(_ slot: Int) -> TrafficFailures {
        TrafficFailures(rawValue: unsafe cell(slot).pointee.notes.load(ordering: .relaxed) & Self.kinds)
    }

    /// Adds a failure to the row and returns its length.
    @discardableResult
    package func extendRow(_ failure: TrafficFailures, at slot: Int) -> Int {
        unsafe cell(slot).pointee.notes.bitwiseOr(failure.rawValue & Self.kinds, ordering: .relaxed)
        return unsafe cell(slot).pointee.streak.add(1, ordering: .relaxed).newValue
    }

    /// A success ends the row. On a clean endpoint it costs one load.
    package func endRow(at slot: Int) {
        guard unsafe cell(slot).pointee.streak.load(ordering: .relaxed) != 0 else { return }
        unsafe cell(slot).pointee.streak.store(0, ordering: .relaxed)
        unsafe cell(slot).pointee.notes.bitwiseAnd(~Self.kinds, ordering: .relaxed)
    }

    // The lowest octet of `notes` has the kinds, the others count.
    private static let kinds: UInt32 = 0xff
    private static let oneConnect: UInt32 = 0x100

    /// Active checks that passed on a connection of their own. It begins anew after 2^24: compare for equality.
    package func passedConnects(_ slot: Int) -> UInt32 {
        unsafe cell(slot).pointee.notes.load(ordering: .relaxed) / Self.oneConnect
    }

    package func countPassedConnect(at slot: Int) {
        unsafe cell(slot).pointee.notes.wrappingAdd(Self.oneConnect, ordering: .relaxed)
    }
}

/// 64 bytes: one endpoint, one cache line.
private struct Cell: ~Copyable {
    let state = Atomic<UInt32>(0)
    let notes = Atomic<UInt32>(0)
    let inFlight = Atomic<Int>(0)
    let successes = Atomic<UInt64>(0)
    let failures = Atomic<UInt64>(0)
    let latency = Atomic<UInt64>(0)
    let streak = Atomic<Int>(0)
    let latencySum = Atomic<UInt64>(0)
    let lag = Atomic<UInt64>(0)
}
