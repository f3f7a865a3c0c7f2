package import Model

/// An immutable map from address prefixes to values, with longest-prefix lookup.
///
/// Every address has a value: the one of the longest prefix that holds it, or `otherwise`. Prefixes of one value that lie
/// beside each other, and prefixes that repeat what encloses them, are joined, so that lookups report the widest range.
/// One million prefixes with gaps between them are two million ranges: 20 MiB (IPv4) or 40 MiB (IPv6). A lookup allocates
/// nothing and takes some 80 instructions (IPv4) or 100 (IPv6).
@safe
package struct PrefixTable: Sendable {
    private let narrow: IntervalMap<NarrowRecord>
    private let wide: WideMap

    /// What the data path reads, without counting references: bare pointers, valid as long as somebody holds the table.
    @safe
    package struct View: @unchecked Sendable {
        let narrow: IntervalMap<NarrowRecord>.View
        let wide: WideMap.View
    }

    package var view: View { View(narrow: narrow.view, wide: wide.view) }

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

    init(v4: IntervalBuilder<UInt32>, v6: IntervalBuilder<UInt128>) {
        narrow = IntervalMap(v4)
        wide = WideMap(v6)
    }

    /// The table that gives `value` to every address, with width 0.
    package init(everywhere value: UInt32) {
        self.init(v4: IntervalBuilder(everywhere: value), v6: IntervalBuilder(everywhere: value))
    }

    /// - Parameters:
    ///   - entries: in any order; of two with the same prefix the later one wins.
    ///   - otherwise: the value of addresses that no prefix holds.
    ///   - duplicate: told the positions of two entries with the same prefix.
    package init(
        _ entries: [(prefix: IPPrefix, value: UInt32)], otherwise: UInt32,
        duplicate: (_ first: Int, _ second: Int) -> Void = { _, _ in }
    ) {
        var narrow: [IntervalBuilder<UInt32>.Entry] = []
        var wide: [IntervalBuilder<UInt128>.Entry] = []
        for position in PrefixOrder.positions(count: entries.count, { entries[$0].prefix }) {
            let (prefix, value) = entries[position]
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
            v4: IntervalBuilder(flattening: narrow, otherwise: otherwise, duplicate: duplicate),
            v6: IntervalBuilder(flattening: wide, otherwise: otherwise, duplicate: duplicate))
    }

    /// Looks `address` up in the part of its own family: give `IPAddress.canonical` where IPv4 may come inside IPv6.
    @inline(__always)
    package func lookup(_ address: IPAddress) -> Match { view.lookup(address) }

    /// The ranges of one value that the table holds, both families together: at most twice its prefixes, and two.
    package var rangeCount: Int { narrow.count + wide.intervalCount }

    /// The same prefixes with other values; ranges that become equal are joined.
    package func mapped(_ transform: (UInt32) -> UInt32) -> Self {
        var v4 = IntervalBuilder<UInt32>(capacity: narrow.count)
        for (start, value) in narrow.intervals { v4.append(start, transform(value)) }
        var v6 = IntervalBuilder<UInt128>(capacity: wide.intervalCount)
        for (start, value) in wide.intervals { v6.append(start, transform(value)) }
        return Self(v4: v4, v6: v6)
    }

    /// The table whose value is `join(mine, other's)` for every address. `join` must be a function of its arguments.
    package func combined(with other: Self, _ join: (UInt32, UInt32) -> UInt32) -> Self {
        Self(
            v4: IntervalBuilder(
                narrow.intervals, other.narrow.intervals, capacity: narrow.count + other.narrow.count, join),
            v6: IntervalBuilder(
                wide.intervals, other.wide.intervals, capacity: wide.intervalCount + other.wide.intervalCount, join))
    }
}

extension PrefixTable.View {
    @inline(__always)
    package func lookup(_ address: IPAddress) -> PrefixTable.Match {
        if address.family == .v4 {
            let key = address.v4
            let position = narrow.position(of: key)
            return unsafe PrefixTable.Match(
                value: narrow.records[position].value, width: narrow.width(around: key, at: position))
        }
        return wide.lookup(address.high, address.low)
    }

    /// Where a look-up of `address` reads first outside of what stays near: for fetching ahead.
    @inline(__always)
    package func firstRead(of address: IPAddress) -> UnsafePointer<UInt32> {
        unsafe address.family == .v4 ? narrow.slot(of: address.v4) : wide.map.slot(of: address.high)
    }

    /// Where it reads then; `first` is read for it.
    @inline(__always)
    @unsafe
    package func secondRead(of address: IPAddress, behind first: UnsafePointer<UInt32>) -> UnsafeRawPointer {
        let position = unsafe Int(first.pointee)
        return unsafe address.family == .v4
            ? UnsafeRawPointer(narrow.records + position) : UnsafeRawPointer(wide.map.records + position)
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
