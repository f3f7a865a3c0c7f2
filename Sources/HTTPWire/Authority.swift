/// The `host [":" port]` of Host and of absolute targets (RFC 9110 section 7.2).
package enum Authority {
    @inline(__always)
    private static func isHost(_ octet: UInt8) -> Bool {
        let bits: UInt64 = octet < 64 ? 0x03ff_6000_0000_0000 : 0x07ff_fffe_87ff_fffe
        return octet < 128 && (bits >> UInt64(octet & 63)) & 1 == 1
    }

    /// The host without its port and without the root's dot; nil when `slice` is no valid authority. Names are letters,
    /// digits and -._ ; addresses may stand in brackets; user information is refused.
    package static func host(in bytes: RawSpan, _ slice: Slice) -> Slice? {
        var offset = slice.start
        let end = slice.end
        guard offset < end, end <= bytes.byteCount else { return nil }
        var hostEnd: Int
        if bytes.knownOctet(offset) == 0x5b {
            offset &+= 1
            while offset < end, bytes.knownOctet(offset) != 0x5d {
                let octet = bytes.knownOctet(offset)
                guard Octet.hexadecimal(octet) != nil || octet == Octet.colon || octet == Octet.dot else { return nil }
                offset &+= 1
            }
            guard offset < end, offset > slice.start &+ 2 else { return nil }
            offset &+= 1
            hostEnd = offset
        } else {
            while offset < end {
                // Eight octets at a time while there are only letters, digits and hyphens.
                if offset &+ 8 <= end {
                    let marks = Octet.uncommonInNames(bytes.knownWord(offset))
                    if marks == 0 {
                        offset &+= 8
                        continue
                    }
                    offset &+= marks.trailingZeroBitCount >> 3
                }
                guard isHost(bytes.knownOctet(offset)) else { break }
                offset &+= 1
            }
            hostEnd = offset
            if hostEnd &- slice.start > 1, bytes.knownOctet(hostEnd &- 1) == Octet.dot { hostEnd &-= 1 }
            // RFC 1035 section 2.3.4.
            guard hostEnd > slice.start, hostEnd &- slice.start <= 255 else { return nil }
        }
        guard offset == end || bytes.knownOctet(offset) == Octet.colon else { return nil }
        if offset < end, !isPort(bytes, from: offset &+ 1, to: end) { return nil }
        return Slice(slice.start, hostEnd)
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
