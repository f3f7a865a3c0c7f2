/// Collects intervals in ascending order and joins neighbours of one value.
struct IntervalBuilder<Key: FixedWidthInteger & UnsignedInteger & Sendable> {
    /// Ascending, the first one zero.
    private(set) var starts: [Key] = []
    /// As many; neighbours differ.
    private(set) var values: [UInt32] = []

    init(capacity: Int = 0) {
        starts.reserveCapacity(capacity)
        values.reserveCapacity(capacity)
    }

    /// The function that is `value` everywhere.
    init(everywhere value: UInt32) {
        starts = [0]
        values = [value]
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

    /// The function that is `join(left's value, right's value)` everywhere.
    init(
        _ left: some Sequence<(start: Key, value: UInt32)>, _ right: some Sequence<(start: Key, value: UInt32)>,
        capacity: Int, _ join: (UInt32, UInt32) -> UInt32
    ) {
        self.init(capacity: capacity)
        var lefts = left.makeIterator()
        var rights = right.makeIterator()
        var leftValue = lefts.next()?.value ?? 0
        var rightValue = rights.next()?.value ?? 0
        append(0, join(leftValue, rightValue))
        var nextLeft = lefts.next()
        var nextRight = rights.next()
        while nextLeft != nil || nextRight != nil {
            let start = min(nextLeft?.start ?? Key.max, nextRight?.start ?? Key.max)
            if let next = nextLeft, next.start == start {
                leftValue = next.value
                nextLeft = lefts.next()
            }
            if let next = nextRight, next.start == start {
                rightValue = next.value
                nextRight = rights.next()
            }
            append(start, join(leftValue, rightValue))
        }
    }

    /// A prefix: the keys `first ... last`.
    struct Entry {
        let first: Key
        let last: Key
        let value: UInt32
        /// Where the entry stood in the input.
        let position: Int
    }

    /// Longest-prefix semantics flattened to intervals.
    ///
    /// - Parameters:
    ///   - entries: in `PrefixOrder`; nested or disjoint, as prefixes are. Of two with the same range the later one wins.
    ///   - otherwise: the value outside of all of them.
    ///   - duplicate: told of the positions of two entries with the same range.
    init(
        flattening entries: some Collection<Entry>, otherwise: UInt32,
        duplicate: (_ first: Int, _ second: Int) -> Void
    ) {
        self.init(capacity: entries.count + entries.count / 2 + 1)
        append(0, otherwise)
        var open: [Entry] = []
        for entry in entries {
            while let innermost = open.last, innermost.last < entry.first { close(&open, otherwise) }
            if let innermost = open.last, innermost.first == entry.first, innermost.last == entry.last {
                duplicate(innermost.position, entry.position)
                open.removeLast()
            }
            append(entry.first, entry.value)
            open.append(entry)
        }
        while !open.isEmpty { close(&open, otherwise) }
    }

    /// Ends the innermost open entry: what encloses it goes on behind it.
    private mutating func close(_ open: inout [Entry], _ otherwise: UInt32) {
        let entry = open.removeLast()
        if entry.last != Key.max { append(entry.last + 1, open.last?.value ?? otherwise) }
    }
}
