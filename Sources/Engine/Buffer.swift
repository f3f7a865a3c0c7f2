/// A block of memory lent by a worker's pool, with a readable and a writable part:
/// `[ consumed | readable | writable ]`. Vacant until `BufferPool.lend` gives it a block.
///
/// It cannot be copied, and its octets are only seen through spans that the compiler does not let outlive the access: none
/// can be stored, and none is left when octets are moved, dropped or overwritten. What has to be remembered about octets
/// is an offset from the first readable one.
@safe
package struct Buffer: ~Copyable {
    /// 16 KiB: a request head within the default limit fits whole, and a read fills it in one call.
    package static let capacity = 16 * 1024

    fileprivate var block: UnsafeMutableRawPointer?
    private var start = 0
    private var end = 0

    /// Without a block.
    package init() { unsafe block = nil }

    fileprivate mutating func adopt(_ fresh: UnsafeMutableRawPointer) {
        unsafe block = fresh
        clear()
    }

    fileprivate mutating func release() -> UnsafeMutableRawPointer? {
        let old = unsafe block
        unsafe block = nil
        clear()
        return unsafe old
    }

    deinit { unsafe block?.deallocate() }

    /// It has no block, and so neither octets nor room.
    package var isVacant: Bool { unsafe block == nil }
    package var count: Int { end &- start }
    package var isEmpty: Bool { start == end }
    /// Octets of room behind the readable ones.
    package var space: Int { isVacant ? 0 : Self.capacity &- end }

    /// The octets that were committed and not consumed.
    package var readable: RawSpan {
        @_lifetime(borrow self)
        get {
            guard let block = unsafe block else { return RawSpan() }
            let bytes = unsafe UnsafeRawBufferPointer(start: block + start, count: end &- start)
            return unsafe _overrideLifetime(bytes.bytes, borrowing: self)
        }
    }

    /// Shows `body` the readable octets, for as long as it runs.
    @inline(__always)
    package borrowing func withReadable<Result>(_ body: (RawSpan) -> Result) -> Result { body(readable) }

    /// Shows `body` the readable octets of `range`.
    @inline(__always)
    package borrowing func withBytes<Result>(_ range: Range<Int>, _ body: (RawSpan) -> Result) -> Result {
        body(readable.extracting(range))
    }

    /// Shows `body` the same octets from `offset` on, for writing in place.
    @inline(__always)
    package mutating func withMutableBytes<Result>(
        from offset: Int, _ body: (consuming MutableRawSpan) -> Result
    ) -> Result {
        precondition(offset >= 0 && offset <= count)
        let base = unsafe block.map { unsafe $0 + start + offset }
        let bytes = unsafe UnsafeMutableRawBufferPointer(start: base, count: count &- offset)
        return unsafe body(bytes.mutableBytes)
    }

    /// Has `source` write into the room behind the readable octets; what it returns is how many it wrote.
    @inline(__always)
    mutating func fill(_ source: (UnsafeMutableRawBufferPointer) -> Int) {
        guard let block = unsafe block else { return }
        let count = unsafe source(UnsafeMutableRawBufferPointer(start: block + end, count: Self.capacity &- end))
        precondition(count >= 0 && count <= space)
        end &+= count
    }

    /// Drops `count` readable octets from the front.
    package mutating func consume(_ count: Int) {
        precondition(count >= 0 && count <= self.count)
        start &+= count
        if start == end { clear() }
    }

    /// Takes the octets of `range` out and closes the gap behind them.
    package mutating func remove(_ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        guard !range.isEmpty, let block = unsafe block else { return }
        let rest = count &- range.upperBound
        if rest > 0 {
            unsafe (block + start + range.lowerBound).copyMemory(
                from: block + start + range.upperBound, byteCount: rest)
        }
        end &-= range.count
    }

    package mutating func clear() {
        start = 0
        end = 0
    }

    /// Moves the readable octets to the front, so that all free space is behind them.
    package mutating func compact() {
        guard start > 0, let block = unsafe block else { return }
        unsafe block.copyMemory(from: block + start, byteCount: count)
        end &-= start
        start = 0
    }

    /// Copies as many of `bytes` as fit and returns how many that were.
    package mutating func append(_ bytes: RawSpan) -> Int {
        let taken = min(bytes.byteCount, space)
        guard taken > 0 else { return 0 }
        unsafe fill { room in
            unsafe bytes.withUnsafeBytes { bytes in
                if let target = room.baseAddress, let source = bytes.baseAddress {
                    unsafe target.copyMemory(from: source, byteCount: taken)
                }
            }
            return taken
        }
        return taken
    }
}

/// Blocks that a worker lends and keeps: in the steady state nothing is allocated.
@safe
package final class BufferPool {
    /// 1,024 blocks, 16 MiB: beyond that a returned block goes back to the system.
    private static let keep = 1024

    private var free: [UnsafeMutableRawPointer] = unsafe []
    package private(set) var lent = 0

    init() { unsafe free.reserveCapacity(Self.keep) }

    /// Gives a vacant buffer a block, and leaves one that has a block alone. Give it back with `reclaim`.
    package func lend(_ buffer: inout Buffer) {
        guard buffer.isVacant else { return }
        lent &+= 1
        if let block = unsafe free.popLast() {
            unsafe buffer.adopt(block)
        } else {
            unsafe buffer.adopt(.allocate(byteCount: Buffer.capacity, alignment: 64))
        }
    }

    /// Takes the buffer's block back, if it has one; its octets are gone.
    package func reclaim(_ buffer: inout Buffer) {
        guard let block = unsafe buffer.release() else { return }
        lent &-= 1
        if unsafe free.count < Self.keep {
            unsafe free.append(block)
        } else {
            unsafe block.deallocate()
        }
    }

    deinit { while let block = unsafe free.popLast() { unsafe block.deallocate() } }
}
