/// A block of memory lent by a worker's pool, with a readable and a writable part:
/// `[ consumed | readable | writable ]`.
///
/// A value with a pointer inside: exactly one holder at a time, who gives it back to the pool it came from.
@safe
package struct Buffer {
    /// 16 KiB: a request head within the default limit fits whole, and a read fills it in one call.
    package static let capacity = 16 * 1024

    let block: UnsafeMutableRawPointer
    package private(set) var start = 0
    package private(set) var end = 0

    init(block: UnsafeMutableRawPointer) { unsafe self.block = block }

    package var count: Int { end &- start }
    package var isEmpty: Bool { start == end }
    package var space: Int { Self.capacity &- end }

    /// The bytes that were committed and not consumed.
    package var readable: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: block + start, count: end &- start)
    }

    /// The same bytes for writing in place.
    package var mutableReadable: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: block + start, count: end &- start)
    }

    /// Room behind the readable bytes.
    package var writable: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: block + end, count: Self.capacity &- end)
    }

    /// Declares `count` bytes of `writable` as written.
    package mutating func commit(_ count: Int) {
        precondition(count >= 0 && count <= space)
        end &+= count
    }

    /// Drops `count` readable bytes from the front.
    package mutating func consume(_ count: Int) {
        precondition(count >= 0 && count <= self.count)
        start &+= count
        if start == end { clear() }
    }

    /// Keeps the first `count` readable bytes and drops those behind them.
    package mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count)
        end = start &+ count
    }

    package mutating func clear() {
        start = 0
        end = 0
    }

    /// Moves the readable bytes to the front, so that all free space is behind them.
    package mutating func compact() {
        guard start > 0 else { return }
        unsafe block.copyMemory(from: block + start, byteCount: count)
        end &-= start
        start = 0
    }

    /// Copies as many of `bytes` as fit and returns how many that were.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) -> Int {
        let taken = min(bytes.count, space)
        if taken > 0, let base = bytes.baseAddress {
            unsafe (block + end).copyMemory(from: base, byteCount: taken)
            end &+= taken
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

    /// An empty buffer. Give it back with `give(_:)`.
    package func take() -> Buffer {
        lent &+= 1
        if let block = unsafe free.popLast() { return unsafe Buffer(block: block) }
        return unsafe Buffer(block: .allocate(byteCount: Buffer.capacity, alignment: 64))
    }

    package func give(_ buffer: Buffer) {
        lent &-= 1
        if unsafe free.count < Self.keep {
            unsafe free.append(buffer.block)
        } else {
            unsafe buffer.block.deallocate()
        }
    }

    deinit { while let block = unsafe free.popLast() { unsafe block.deallocate() } }
}
