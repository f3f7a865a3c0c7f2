import Model

/// The order in which IPv4 comes before IPv6, and what encloses before what it encloses: by family, address and length; equal
/// prefixes stay in the order of their positions.
enum PrefixOrder {
    /// The positions 0 ..< `count` in order. Input that is in order already, as files of a tool are, is not sorted.
    static func positions(count: Int, _ prefix: (Int) -> IPPrefix) -> [Int] {
        var keys: [Key] = []
        keys.reserveCapacity(count)
        var isSorted = true
        for position in 0..<count {
            let key = Key(prefix(position), position)
            if let last = keys.last, key < last { isSorted = false }
            keys.append(key)
        }
        if isSorted { return Array(0..<count) }
        keys.sort()
        return keys.map { Int($0.rest & 0xffff_ffff_ffff) }
    }

    private struct Key: Comparable {
        let high: UInt64
        let low: UInt64
        /// Family, length, position, from the top.
        let rest: UInt64

        init(_ prefix: IPPrefix, _ position: Int) {
            high = prefix.address.high
            low = prefix.address.low
            rest =
                (prefix.address.family == .v4 ? 0 : 1 << 63) | UInt64(prefix.length) << 48
                | UInt64(position) & 0xffff_ffff_ffff
        }

        static func < (left: Self, right: Self) -> Bool {
            let (leftFamily, rightFamily) = (left.rest >> 63, right.rest >> 63)
            if leftFamily != rightFamily { return leftFamily < rightFamily }
            if left.high != right.high { return left.high < right.high }
            if left.low != right.low { return left.low < right.low }
            return left.rest < right.rest
        }
    }
}
