package import Model

/// An immutable map from address prefixes to values, with longest-prefix lookup.
///
/// Every address has a value: the one of the longest prefix that holds it, or `otherwise`. Prefixes of one value that lie
/// beside each other, and prefixes that repeat what encloses them, are joined, so that lookups report the widest range.
/// One million prefixes take at most 16 MiB (IPv4) or 40 MiB (IPv6). A lookup allocates nothing.
package struct PrefixTable: Sendable {
    private let v4: IntervalMap<UInt32>
    private let v6: IntervalMap<UInt128>

    package struct Match: Sendable, Hashable {
        package let value: UInt32
        /// The length of the widest prefix around the address all of whose addresses have `value`: 0 ... 32 or 128.
        /// It is what RFC 7871 section 7.2.1 wants as SCOPE PREFIX-LENGTH.
        package let width: Int

        package init(value: UInt32, width: Int) {
            self.value = value
            self.width = width
        }
    }

    private init(v4: IntervalMap<UInt32>, v6: IntervalMap<UInt128>) {
        self.v4 = v4
        self.v6 = v6
    }

    /// The table that gives `value` to every address, with width 0.
    package init(everywhere value: UInt32) {
        self.init(v4: IntervalMap(value: value), v6: IntervalMap(value: value))
    }

    /// - Parameters:
    ///   - entries: in any order; of two with the same prefix the later one wins.
    ///   - otherwise: the value of addresses that no prefix holds.
    ///   - duplicate: told the positions of two entries with the same prefix.
    package init(
        _ entries: [(prefix: IPPrefix, value: UInt32)], otherwise: UInt32,
        duplicate: (_ first: Int, _ second: Int) -> Void = { _, _ in }
    ) {
        var narrow: [IntervalMap<UInt32>.Entry] = []
        var wide: [IntervalMap<UInt128>.Entry] = []
        for (position, entry) in entries.enumerated() {
            let (prefix, value) = entry
            switch prefix.address.family {
            case .v4:
                let first = prefix.address.v4
                let last = first | UInt32.max.keepingLow(32 - prefix.length)
                narrow.append(.init(first: first, last: last, value: value, position: position))
            case .v6:
                let first = prefix.address.v6
                let last = first | UInt128.max.keepingLow(128 - prefix.length)
                wide.append(.init(first: first, last: last, value: value, position: position))
            }
        }
        self.init(
            v4: IntervalMap(flattening: narrow, otherwise: otherwise, duplicate: duplicate),
            v6: IntervalMap(flattening: wide, otherwise: otherwise, duplicate: duplicate))
    }

    /// Looks `address` up in the part of its own family: give `IPAddress.canonical` where IPv4 may come inside IPv6.
    package func lookup(_ address: IPAddress) -> Match {
        switch address.family {
        case .v4:
            let key = address.v4
            let position = v4.position(of: key)
            return Match(value: v4.values[position], width: v4.width(around: key, at: position))
        case .v6:
            let key = address.v6
            let position = v6.position(of: key)
            return Match(value: v6.values[position], width: v6.width(around: key, at: position))
        }
    }

    /// The ranges of one value that the table holds, both families together: at most twice its prefixes, and two.
    package var rangeCount: Int { v4.starts.count + v6.starts.count }

    /// The same prefixes with other values; ranges that become equal are joined.
    package func mapped(_ transform: (UInt32) -> UInt32) -> Self {
        Self(v4: v4.mapped(transform), v6: v6.mapped(transform))
    }

    /// The table whose value is `join(mine, other's)` for every address. `join` must be a function of its arguments.
    package func combined(with other: Self, _ join: (UInt32, UInt32) -> UInt32) -> Self {
        Self(v4: v4.combined(with: other.v4, join), v6: v6.combined(with: other.v6, join))
    }
}

extension IPAddress {
    /// All 128 bits of an IPv6 address as one number.
    fileprivate var v6: UInt128 { UInt128(high) << 64 | UInt128(low) }
}

extension FixedWidthInteger where Self: UnsignedInteger {
    /// The lowest `count` bits (0 ... `bitWidth`), the others cleared.
    fileprivate func keepingLow(_ count: Int) -> Self {
        // A smart shift by the whole width gives zero.
        self & ~(Self.max << count)
    }
}
