/// The first key of an interval, with what is known of it.
protocol IntervalRecord: BitwiseCopyable, Sendable {
    associatedtype Key: FixedWidthInteger & UnsignedInteger & BitwiseCopyable & Sendable

    var start: Key { get }
}

/// Where the records that begin in one part of the key space are.
struct IntervalBucket<Key: FixedWidthInteger & UnsignedInteger & BitwiseCopyable & Sendable>: BitwiseCopyable, Sendable
{
    /// The first key inside of the bucket at which a record begins.
    let low: Key
    /// Where its slots begin.
    let slots: UInt32
    /// Number of slots less one, and in the uppermost octet how far the distance from `low` is shifted to be the slot.
    let layout: UInt32

    init(low: Key, slots: UInt32, shift: Int, lastSlot: Int) {
        self.low = low
        self.slots = slots
        // A bucket of 16 million slots would need as many records several times over.
        layout = UInt32(truncatingIfNeeded: shift) << 24 | UInt32(min(lastSlot, 0xff_ffff))
    }
}

/// A total function from keys to values, stored as the ascending first keys of the intervals on which it is constant.
///
/// Whatever the number of intervals, a lookup makes two accesses that may miss the caches: the upper bits of the key choose
/// a bucket (at most 4,096, which stay near), the bucket says where its inner keys begin and by how many bits they are told
/// apart, a slot holds the first record that may be meant, and the few records from there on, a cache line or two, are
/// searched in a fixed number of steps without a branch to mispredict. So each bucket has as fine an index as it has keys;
/// DXR (Zec, Rizzo and Mikuc 2012), which this follows, has one grain for all. Keys crowded on purpose cost more steps of
/// the search: the logarithm of those in one slot.
///
/// Memory: the records (8 octets with 32-bit keys, 16 with 64-bit ones), 1 to 2 octets a record for slots (at most 16 where
/// keys are crowded), and 64 KiB of buckets.
@safe
struct IntervalMap<Record: IntervalRecord>: Sendable {
    typealias Key = Record.Key

    /// Bare pointers for the data path: no reference counting, no bounds checks. The map that made them vouches for every
    /// index in them.
    @safe
    struct View: @unchecked Sendable {
        /// As many as the search may look beyond the last one repeat it with the highest start.
        let records: UnsafePointer<Record>
        let recordCount: Int
        let buckets: UnsafePointer<IntervalBucket<Key>>
        /// How far a key is shifted to be the number of its bucket.
        let bucketShift: Key
        let slots: UnsafePointer<UInt32>
        /// The first step of the search: a power of two, or 0. All steps together reach as far as any slot's records.
        let firstStep: Int
    }

    let view: View
    private let records: FrozenMemory<Record>
    private let buckets: FrozenMemory<IntervalBucket<Key>>
    private let slots: FrozenMemory<UInt32>

    /// Slots for this many records: two to four of them, or one to two, are half a cache line.
    private static var recordsPerSlot: Int { 32 / MemoryLayout<Record>.stride }
    /// More than this in one slot makes its bucket's slots finer. Four steps of the search find one of them.
    private static var crowd: Int { 15 }

    /// - Parameters:
    ///   - ascending: by `start`, strictly; the first one's is zero.
    ///   - sentinel: begins at the highest key.
    init(_ ascending: [Record], sentinel: Record) {
        // About a bucket for each record, so that small maps stay small.
        let bits = min(max(Int.bitWidth - ascending.count.leadingZeroBitCount, 1), 12)
        let shift = Key.bitWidth - bits
        var buckets: [IntervalBucket<Key>] = []
        buckets.reserveCapacity(1 << bits)
        var slots: [UInt32] = []
        slots.reserveCapacity(ascending.count / Self.recordsPerSlot * 2 + 2 << bits)
        var first = 1
        /// The most records that a search has to tell apart, beside the first.
        var widest = 0
        for bucket in 0..<(1 << bits) {
            let start = Key(truncatingIfNeeded: bucket) << shift
            // A record that begins where the bucket does encloses it: nothing before it is ever wanted.
            if first < ascending.count, ascending[first].start == start { first += 1 }
            var end = first
            while end < ascending.count, Int(truncatingIfNeeded: ascending[end].start >> shift) == bucket { end += 1 }
            let (entry, reach) = Self.bucket(ascending, first..<end, &slots)
            buckets.append(entry)
            widest = max(widest, reach)
            first = end
        }
        let firstStep = widest == 0 ? 0 : 1 << (Int.bitWidth - 1 - widest.leadingZeroBitCount)
        self.records = FrozenMemory(ascending + Array(repeating: sentinel, count: 2 * firstStep))
        self.buckets = FrozenMemory(buckets)
        self.slots = FrozenMemory(slots)
        unsafe view = View(
            records: records.base, recordCount: ascending.count, buckets: self.buckets.base,
            bucketShift: Key(truncatingIfNeeded: shift), slots: self.slots.base, firstStep: firstStep)
    }

    /// `inner`: the records that begin inside of the bucket; the one before them encloses its first key.
    ///
    /// Each slot holds the last record that begins at or before it. Returns how far behind that one a search may have to go.
    private static func bucket(
        _ records: [Record], _ inner: Range<Int>, _ slots: inout [UInt32]
    ) -> (IntervalBucket<Key>, reach: Int) {
        let offset = slots.count
        let enclosing = inner.lowerBound - 1
        guard let last = inner.last else {
            slots.append(UInt32(enclosing))
            return (IntervalBucket(low: 0, slots: UInt32(offset), shift: Key.bitWidth - 1, lastSlot: 0), 0)
        }
        let low = records[inner.lowerBound].start
        let span = records[last].start - low
        let wanted = Key(2 * max(1, inner.count / recordsPerSlot))
        var shift = 0
        while span >> shift > wanted { shift += 1 }
        while true {
            let lastSlot = Int(span >> shift)
            // Keys below `low` are looked for in slot 0 too.
            slots.append(UInt32(enclosing))
            var position = inner.lowerBound
            var before = enclosing
            var reach = 0
            for slot in 1..<(lastSlot + 1) {
                let start = low + Key(slot) << shift
                while position < last, records[position + 1].start <= start { position += 1 }
                slots.append(UInt32(position))
                reach = max(reach, position - before)
                before = position
            }
            reach = max(reach, last - before)
            if reach <= crowd || shift < 2 || lastSlot > inner.count {
                return (IntervalBucket(low: low, slots: UInt32(offset), shift: shift, lastSlot: lastSlot), reach)
            }
            slots.removeSubrange(offset...)
            shift -= 2
        }
    }

    var count: Int { view.recordCount }

    /// Control path: checked.
    subscript(position: Int) -> Record {
        precondition(position < count)
        return records[position]
    }
}

extension IntervalMap.View {
    typealias Key = Record.Key

    /// Where the search for `key` begins.
    @inline(__always)
    func slot(of key: Key) -> UnsafePointer<UInt32> {
        let bucket = unsafe buckets + Int(truncatingIfNeeded: key &>> bucketShift)
        let low = unsafe bucket.pointee.low
        let layout = unsafe bucket.pointee.layout
        let distance = key > low ? key &- low : 0
        let wanted = distance &>> Key(truncatingIfNeeded: layout &>> 24)
        let slot = min(wanted, Key(truncatingIfNeeded: layout & 0xff_ffff))
        return unsafe slots + (Int(bucket.pointee.slots) &+ Int(truncatingIfNeeded: slot))
    }

    /// The position of the record whose interval holds `key`.
    @inline(__always)
    func position(of key: Key) -> Int {
        // This record is never above `key`.
        var position = unsafe Int(slot(of: key).pointee)
        var step = firstStep
        while step > 0 {
            let probe = position &+ step
            position = unsafe records[probe].start <= key ? probe : position
            step &>>= 1
        }
        // The highest key is not below the sentinels.
        return min(position, recordCount &- 1)
    }

    /// The length of the widest prefix around `key` that lies in interval `position`: 0 ... `Key.bitWidth`.
    ///
    /// A prefix of length L around `key` reaches out of the interval when it holds the last key before the interval or the
    /// first one behind it, which it does when that one shares L bits with `key`.
    @inline(__always)
    func width(around key: Key, at position: Int) -> Int {
        var width = 0
        if position > 0 {
            width = unsafe (key ^ (records[position].start &- 1)).leadingZeroBitCount &+ 1
        }
        if position &+ 1 < recordCount {
            width = unsafe max(width, (key ^ records[position &+ 1].start).leadingZeroBitCount &+ 1)
        }
        return width
    }
}
