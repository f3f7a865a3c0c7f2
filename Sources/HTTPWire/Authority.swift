import Model

/// The `host [":" port]` of Host and of absolute targets (RFC 9110 section 7.2).
package enum Authority {
    /// Octets of a name without the root's dot, and of a label (RFC 1035 section 2.3.4).
    private static let longestName = 253
    private static let longestLabel = 63

    @inline(__always)
    private static func isHost(_ octet: UInt8) -> Bool {
        let bits: UInt64 = octet < 64 ? 0x03ff_6000_0000_0000 : 0x07ff_fffe_87ff_fffe
        return octet < 128 && (bits >> UInt64(octet & 63)) & 1 == 1
    }

    /// The host without its port and without the root's dot; nil when `slice` is no valid authority. Names are labels of
    /// letters, digits, hyphens and underscores; an IPv6 address stands in brackets, without a zone; user information is
    /// refused.
    package static func host(in bytes: RawSpan, _ slice: Slice) -> Slice? {
        let end = slice.end
        guard slice.start < end, end <= bytes.byteCount else { return nil }
        let isLiteral = bytes.knownOctet(slice.start) == 0x5b
        let offset = isLiteral ? literalEnd(bytes, slice) : nameEnd(bytes, slice)
        guard let offset, offset == end || bytes.knownOctet(offset) == Octet.colon else { return nil }
        if offset < end, !isPort(bytes, from: offset &+ 1, to: end) { return nil }
        let isRooted = bytes.knownOctet(offset &- 1) == Octet.dot
        return Slice(slice.start, isRooted ? offset &- 1 : offset)
    }

    /// The offset behind `[IPv6 address]`.
    private static func literalEnd(_ bytes: RawSpan, _ slice: Slice) -> Int? {
        let limit = min(slice.end, slice.start &+ IPAddress.longestText &+ 2)
        var offset = slice.start &+ 1
        while offset < limit, bytes.knownOctet(offset) != 0x5d { offset &+= 1 }
        guard offset < limit, let address = IPAddress(bytes, Slice(slice.start &+ 1, offset)), address.family == .v6
        else { return nil }
        return offset &+ 1
    }

    /// The offset behind a name, its root's dot included.
    private static func nameEnd(_ bytes: RawSpan, _ slice: Slice) -> Int? {
        let limit = min(slice.end, slice.start &+ longestName &+ 2)
        var offset = slice.start
        var labelStart = offset
        while offset < limit {
            // Eight octets at a time while there are only letters, digits and hyphens.
            if offset &+ 8 <= limit {
                let marks = Octet.uncommonInNames(bytes.knownWord(offset))
                if marks == 0 {
                    offset &+= 8
                    continue
                }
                offset &+= marks.trailingZeroBitCount >> 3
            }
            let octet = bytes.knownOctet(offset)
            guard isHost(octet) else { break }
            offset &+= 1
            if octet == Octet.dot {
                guard offset &- labelStart >= 2, offset &- labelStart <= longestLabel &+ 1 else { return nil }
                labelStart = offset
            }
        }
        // After the root's dot there is no label.
        let isRooted = offset == labelStart
        guard offset > slice.start, isRooted || offset &- labelStart <= longestLabel,
            offset &- slice.start &- (isRooted ? 1 : 0) <= longestName
        else { return nil }
        return offset
    }

    /// Digits up to 65535, or nothing.
    private static func isPort(_ bytes: RawSpan, from start: Int, to end: Int) -> Bool {
        guard end &- start <= 5 else { return false }
        var port = 0
        for index in start..<end {
            let octet = bytes.knownOctet(index)
            guard Octet.isDigit(octet) else { return false }
            port = port &* 10 &+ Int(octet &- 0x30)
        }
        return port <= 65_535
    }
}
