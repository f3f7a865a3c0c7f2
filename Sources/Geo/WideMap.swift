/// IPv4: addresses are the keys.
struct NarrowRecord: IntervalRecord {
    let start: UInt32
    let value: UInt32
}

/// IPv6: the upper halves of addresses are the keys, since hardly a map tells clients of one /64 apart.
struct WideRecord: IntervalRecord {
    let start: UInt64
    let value: UInt32
    /// 0, or one more than the index of the detail of this one /64, whose addresses differ.
    let detail: UInt32
}

/// The intervals that one /64 meets, in which 128 bits are told apart.
struct WideDetail: BitwiseCopyable, Sendable {
    /// Where they begin among the detail intervals, and how many they are. The interval behind them follows them.
    let first: UInt32
    let count: UInt32
    /// Whether anything is before the first and behind the last one.
    let hasPrevious: Bool
    let hasNext: Bool
}

struct DetailInterval: BitwiseCopyable, Sendable {
    let start: UInt128
    let value: UInt32
}

extension IntervalMap<NarrowRecord> {
    init(_ builder: IntervalBuilder<UInt32>) {
        self.init(
            zip(builder.starts, builder.values).map { NarrowRecord(start: $0, value: $1) },
            sentinel: NarrowRecord(start: .max, value: 0))
    }

    /// Every interval in ascending order.
    var intervals: some Sequence<(start: UInt32, value: UInt32)> {
        (0..<count).lazy.map { (start: self[$0].start, value: self[$0].value) }
    }
}

/// A total function from 128-bit keys to values.
struct WideMap: Sendable {
    /// What the data path reads.
    @safe
    struct View: @unchecked Sendable {
        let map: IntervalMap<WideRecord>.View
        let details: UnsafePointer<WideDetail>
        let intervals: UnsafePointer<DetailInterval>
    }

    let view: View
    private let map: IntervalMap<WideRecord>
    private let details: FrozenMemory<WideDetail>
    private let detailIntervals: FrozenMemory<DetailInterval>
    /// Of the function, which is less than the records that hold it.
    let intervalCount: Int

    init(_ builder: IntervalBuilder<UInt128>) {
        let (starts, values) = (builder.starts, builder.values)
        var records: [WideRecord] = []
        records.reserveCapacity(starts.count)
        var details: [WideDetail] = []
        var detailIntervals: [DetailInterval] = []
        var position = 0
        while position < starts.count {
            let start = starts[position]
            let high = UInt64(truncatingIfNeeded: start >> 64)
            // All that begin in this /64.
            var end = position
            while end < starts.count, UInt64(truncatingIfNeeded: starts[end] >> 64) == high { end += 1 }
            let isAligned = UInt64(truncatingIfNeeded: start) == 0
            if isAligned, end == position + 1 {
                records.append(WideRecord(start: high, value: values[position], detail: 0))
                position = end
                continue
            }
            // The interval that goes on from before is one of those that the /64 meets; the first one of all is aligned.
            let first = isAligned ? position : position - 1
            let last = end < starts.count ? end : end - 1
            details.append(
                WideDetail(
                    first: UInt32(detailIntervals.count), count: UInt32(end - first), hasPrevious: first > 0,
                    hasNext: end < starts.count))
            for index in first...last {
                detailIntervals.append(DetailInterval(start: starts[index], value: values[index]))
            }
            records.append(WideRecord(start: high, value: values[first], detail: UInt32(details.count)))
            // The last one goes on behind the /64, unless another begins right there.
            let isFollowed = end < starts.count && starts[end] == (UInt128(high) + 1) << 64
            if high != .max, !isFollowed {
                records.append(WideRecord(start: high + 1, value: values[end - 1], detail: 0))
            }
            position = end
        }
        map = IntervalMap(records, sentinel: WideRecord(start: .max, value: 0, detail: 0))
        self.details = FrozenMemory(details)
        self.detailIntervals = FrozenMemory(detailIntervals)
        intervalCount = starts.count
        unsafe view = View(map: map.view, details: self.details.base, intervals: self.detailIntervals.base)
    }

    /// Every interval in ascending order; neighbours may have one value.
    var intervals: some Sequence<(start: UInt128, value: UInt32)> {
        (0..<map.count).lazy.flatMap { position in
            let record = map[position]
            let start = (start: UInt128(record.start) << 64, value: record.value)
            if record.detail == 0 { return [start] }
            let detail = details[Int(record.detail) - 1]
            return [start]
                + (Int(detail.first) + 1..<Int(detail.first + detail.count)).map {
                    (start: detailIntervals[$0].start, value: detailIntervals[$0].value)
                }
        }
    }
}

extension WideMap.View {
    /// The value at the key with these halves, and the length of the widest prefix around it that has it throughout.
    @inline(__always)
    func lookup(_ high: UInt64, _ low: UInt64) -> PrefixTable.Match {
        let position = map.position(of: high)
        let record = unsafe map.records + position
        if unsafe record.pointee.detail == 0 {
            // What is told apart inside of other /64s differs from this one in its upper half already.
            return unsafe PrefixTable.Match(
                value: record.pointee.value, width: map.width(around: high, at: position))
        }
        return unsafe lookup(high, low, details[Int(record.pointee.detail) - 1])
    }

    @inline(never)
    private func lookup(_ high: UInt64, _ low: UInt64, _ detail: WideDetail) -> PrefixTable.Match {
        let key = UInt128(high) << 64 | UInt128(low)
        let first = unsafe intervals + Int(detail.first)
        var position = 0
        var count = Int(detail.count)
        while count > 1 {
            let half = count &>> 1
            position = unsafe first[position &+ half].start <= key ? position &+ half : position
            count &-= half
        }
        var width = 0
        if position > 0 || detail.hasPrevious {
            width = unsafe (key ^ (first[position].start &- 1)).leadingZeroBitCount &+ 1
        }
        if position &+ 1 < Int(detail.count) || detail.hasNext {
            width = unsafe max(width, (key ^ first[position &+ 1].start).leadingZeroBitCount &+ 1)
        }
        return unsafe PrefixTable.Match(value: first[position].value, width: width)
    }
}
