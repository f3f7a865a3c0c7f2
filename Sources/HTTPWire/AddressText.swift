package import Model

/// Addresses as heads name them (RFC 3986 section 3.2.2), read and written without memory of their own.
extension IPAddress {
    /// The longest text of an IPv6 address: seven groups of four and a dotted quad would be 45 octets.
    package static let longestText = 45

    /// Reads a dotted quad or IPv6 text. Nil for anything else: zone identifiers, leading zeros in a quad, brackets.
    package init?(_ bytes: RawSpan, _ slice: Slice) {
        guard slice.count >= 2, slice.count <= Self.longestText, slice.end <= bytes.byteCount else { return nil }
        var colon = slice.start
        while colon < slice.end, bytes.octet(colon) != Octet.colon { colon &+= 1 }
        if colon < slice.end {
            guard let value = Self.sixteen(bytes, slice) else { return nil }
            self.init(v6: UInt64(truncatingIfNeeded: value >> 64), UInt64(truncatingIfNeeded: value))
        } else {
            guard let value = Self.quad(bytes, slice.start, slice.end) else { return nil }
            self.init(v4: value)
        }
    }

    private static func quad(_ bytes: RawSpan, _ start: Int, _ end: Int) -> UInt32? {
        var value: UInt32 = 0
        var part: UInt32 = 0
        var digits = 0
        var parts = 0
        var offset = start
        while offset <= end {
            let octet = offset < end ? bytes.octet(offset) : Octet.dot
            if octet == Octet.dot {
                guard digits > 0, part <= 255, parts < 4 else { return nil }
                value = value << 8 | part
                parts &+= 1
                part = 0
                digits = 0
            } else {
                // "0" is a part, "01" is octal to some readers.
                guard Octet.isDigit(octet), digits < 3, digits == 0 || part > 0 else { return nil }
                part = part &* 10 &+ UInt32(octet &- 0x30)
                digits &+= 1
            }
            offset &+= 1
        }
        return parts == 4 ? value : nil
    }

    /// Groups before the gap fill the number from above, those behind it from below.
    private static func sixteen(_ bytes: RawSpan, _ slice: Slice) -> UInt128? {
        var front: UInt128 = 0
        var back: UInt128 = 0
        var frontCount = 0
        var backCount = 0
        var hasGap = false
        var offset = slice.start
        if bytes.octet(offset) == Octet.colon {
            guard bytes.octet(offset &+ 1) == Octet.colon else { return nil }
            hasGap = true
            offset &+= 2
        }
        while offset < slice.end {
            let start = offset
            var group: UInt128 = 0
            while offset < slice.end, let digit = Octet.hexadecimal(bytes.octet(offset)) {
                group = group << 4 | UInt128(digit)
                offset &+= 1
                guard offset &- start <= 4 else { return nil }
            }
            if offset < slice.end, bytes.octet(offset) == Octet.dot {
                guard let value = quad(bytes, start, slice.end) else { return nil }
                if hasGap {
                    back = back << 32 | UInt128(value)
                    backCount &+= 2
                } else {
                    front = front << 32 | UInt128(value)
                    frontCount &+= 2
                }
                offset = slice.end
                break
            }
            guard offset > start, frontCount &+ backCount < 8 else { return nil }
            if hasGap {
                back = back << 16 | group
                backCount &+= 1
            } else {
                front = front << 16 | group
                frontCount &+= 1
            }
            guard offset < slice.end else { break }
            guard bytes.octet(offset) == Octet.colon, offset &+ 1 < slice.end else { return nil }
            offset &+= 1
            if bytes.octet(offset) == Octet.colon {
                guard !hasGap else { return nil }
                hasGap = true
                offset &+= 1
            }
        }
        let count = frontCount &+ backCount
        guard hasGap ? count <= 7 : count == 8 else { return nil }
        // Shifts of 128 and more give 0.
        return front << UInt128((8 &- frontCount) &* 16) | back
    }
}

extension HeadWriter {
    /// A dotted quad, or the IPv6 text of RFC 5952.
    package mutating func append(address: IPAddress) {
        if address.family == .v4 {
            for index in 0..<4 {
                if index > 0 { append(Octet.dot) }
                append(decimal: UInt64(address.byte(at: index)))
            }
            return
        }
        // The longest run of zero groups, of two at least, the first of equals.
        var gap = 8..<8
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, Self.group(address, end) == 0 { end &+= 1 }
            if end &- start > max(gap.count, 1) { gap = start..<end }
            start = max(end, start &+ 1)
        }
        var index = 0
        while index < 8 {
            if index == gap.lowerBound, !gap.isEmpty {
                append("::")
                index = gap.upperBound
                continue
            }
            if index > 0, index != gap.upperBound || gap.isEmpty { append(Octet.colon) }
            append(group: Self.group(address, index))
            index &+= 1
        }
    }

    private static func group(_ address: IPAddress, _ index: Int) -> UInt16 {
        UInt16(address.byte(at: 2 &* index)) << 8 | UInt16(address.byte(at: 2 &* index &+ 1))
    }

    private mutating func append(group value: UInt16) {
        var shift: UInt16 = value == 0 ? 0 : UInt16(15 &- value.leadingZeroBitCount) & ~3
        while true {
            let digit = UInt8(truncatingIfNeeded: value >> shift) & 15
            append(digit < 10 ? 0x30 &+ digit : 0x57 &+ digit)
            if shift == 0 { break }
            shift &-= 4
        }
    }
}
