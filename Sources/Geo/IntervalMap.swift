/// A total function from keys to values, stored as the ascending first keys of the intervals on which it is constant.
///
/// A lookup walks a static tree of 16-way nodes: level 0 is `starts` itself, each level above keeps every 16th key of the
/// one below. 16 four-octet keys are one cache line; of the six levels over two million intervals all but the last two
/// stay in the second-level cache. Sixteen-octet keys cost four lines a node, of which a search touches two or three.
struct IntervalMap<Key: FixedWidthInteger & UnsignedInteger & Sendable>: Sendable {
    /// Ascending, the first one zero.
    let starts: [Key]
    /// One for each interval; neighbours differ.
    let values: [UInt32]
    /// The levels above `starts`, the topmost first.
    private let index: [Key]
    /// For each level in `index`, topmost first, where it begins and how many keys it has.
    private let levels: [Level]

    private struct Level: Sendable {
        let offset: Int
        let count: Int
    }

    /// The function that is `value` everywhere.
    init(value: UInt32) {
        self.init(starts: [0], values: [value])
    }

    /// - Parameters:
    ///   - starts: ascending, the first one zero.
    ///   - values: as many; neighbours must differ.
    init(starts: [Key], values: [UInt32]) {
        self.starts = starts
        self.values = values
        var layers: [[Key]] = []
        var below = starts
        while below.count > 16 {
            below = stride(from: 0, to: below.count, by: 16).map { below[$0] }
            layers.append(below)
        }
        var index: [Key] = []
        var levels: [Level] = []
        for layer in layers.reversed() {
            levels.append(Level(offset: index.count, count: layer.count))
            index += layer
        }
        self.index = index
        self.levels = levels
    }

    /// The position of the interval that holds `key`.
    func position(of key: Key) -> Int {
        var position = 0
        for level in levels {
            position = Self.descend(index, offset: level.offset, count: level.count, node: position, key: key)
        }
        return Self.descend(starts, offset: 0, count: starts.count, node: position, key: key)
    }

    /// The last of the (at most 16) keys of `node` that is not above `key`; the first one never is.
    private static func descend(_ keys: [Key], offset: Int, count: Int, node: Int, key: Key) -> Int {
        let first = node &* 16
        let last = min(first &+ 15, count &- 1)
        var position = first
        var step = 8
        while step > 0 {
            // Clamping makes a short last node look as if it repeated its last key: the answer is clamped likewise.
            let probe = min(position &+ step, last)
            position = keys[offset &+ probe] <= key ? probe : position
            step &>>= 1
        }
        return position
    }

    /// The length of the widest prefix around `key` that lies in interval `position`: 0 ... `Key.bitWidth`.
    ///
    /// A prefix of length L around `key` reaches out of the interval when it holds the last key before the interval or the
    /// first one behind it, which it does when that one shares L bits with `key`.
    func width(around key: Key, at position: Int) -> Int {
        var width = 0
        if position > 0 {
            width = (key ^ (starts[position] &- 1)).leadingZeroBitCount + 1
        }
        if position + 1 < starts.count {
            width = max(width, (key ^ starts[position + 1]).leadingZeroBitCount + 1)
        }
        return width
    }

    /// The same function with its values replaced.
    func mapped(_ transform: (UInt32) -> UInt32) -> Self {
        var builder = IntervalBuilder<Key>(capacity: starts.count)
        for position in starts.indices { builder.append(starts[position], transform(values[position])) }
        return builder.map
    }

    /// The function that is `join(this one's value, other's value)` everywhere.
    func combined(with other: Self, _ join: (UInt32, UInt32) -> UInt32) -> Self {
        var builder = IntervalBuilder<Key>(capacity: starts.count + other.starts.count)
        var left = 0
        var right = 0
        builder.append(0, join(values[0], other.values[0]))
        while left + 1 < starts.count || right + 1 < other.starts.count {
            let nextLeft = left + 1 < starts.count ? starts[left + 1] : nil
            let nextRight = right + 1 < other.starts.count ? other.starts[right + 1] : nil
            let next = min(nextLeft ?? Key.max, nextRight ?? Key.max)
            if nextLeft == next { left += 1 }
            if nextRight == next { right += 1 }
            builder.append(next, join(values[left], other.values[right]))
        }
        return builder.map
    }
}

/// Collects intervals in ascending order and joins neighbours of one value.
struct IntervalBuilder<Key: FixedWidthInteger & UnsignedInteger & Sendable> {
    private var starts: [Key] = []
    private var values: [UInt32] = []

    init(capacity: Int) {
        starts.reserveCapacity(capacity)
        values.reserveCapacity(capacity)
    }

    /// `start` is not below the one before; an equal one replaces it.
    mutating func append(_ start: Key, _ value: UInt32) {
        if starts.last == start {
            starts.removeLast()
            values.removeLast()
        }
        if values.last == value { return }
        starts.append(start)
        values.append(value)
    }

    var map: IntervalMap<Key> { IntervalMap(starts: starts, values: values) }
}

extension IntervalMap {
    /// A prefix of this key width: the keys `first ... last`.
    struct Entry {
        let first: Key
        let last: Key
        let value: UInt32
        /// Where the entry stood in the input.
        let position: Int
    }

    /// Longest-prefix semantics flattened to intervals. `entries` must be nested or disjoint, as prefixes are.
    /// Of two entries with the same range the later one wins; `duplicate` is told of both positions.
    init(
        flattening entries: [Entry], otherwise: UInt32, duplicate: (_ first: Int, _ second: Int) -> Void
    ) {
        let sorted = entries.sorted {
            if $0.first != $1.first { return $0.first < $1.first }
            if $0.last != $1.last { return $0.last > $1.last }
            return $0.position < $1.position
        }
        var builder = IntervalBuilder<Key>(capacity: 2 * entries.count + 1)
        builder.append(0, otherwise)
        var open: [Entry] = []
        /// Ends the innermost open entry: what encloses it goes on behind it.
        func close() {
            let entry = open.removeLast()
            if entry.last != Key.max { builder.append(entry.last + 1, open.last?.value ?? otherwise) }
        }
        for entry in sorted {
            while let innermost = open.last, innermost.last < entry.first { close() }
            if let innermost = open.last, innermost.first == entry.first, innermost.last == entry.last {
                duplicate(innermost.position, entry.position)
                open.removeLast()
            }
            builder.append(entry.first, entry.value)
            open.append(entry)
        }
        while !open.isEmpty { close() }
        self = builder.map
    }
}
