/// One path for routing, forwarding and logging, so that no two of them can disagree (RFC 3986 section 6.2.2).
///
/// - Escapes of unreserved characters are decoded (`%61` is `a`), all other escapes stay and get upper-case digits.
/// - Octets beyond ASCII are escaped.
/// - Dot segments are taken out; a path that climbs above the root is refused.
/// - `%00` and broken escapes are refused.
/// - `%2F`, `%5C` and `%3B` are data: they stay escaped and separate nothing. A `..` next to one of them, or next to a
///   `;`, is refused, because a backend that decodes them would see a dot segment that routing did not.
/// - Empty segments (`//`) and matrix parameters (`;x=1`) stay as they are.
package enum PathNormaliser {
    /// Writes the normal form of `path`, which starts with a slash, into `room`, which has space for `path.byteCount`, and for
    /// three times that if there are octets beyond ASCII.
    ///
    /// - Returns: its length, or nil when the path is refused.
    package static func normalise(_ path: RawSpan, into room: UnsafeMutableRawBufferPointer) -> Int? {
        guard path.byteCount > 0, room.count >= path.byteCount, path.octet(0) == Octet.slash else { return nil }
        var read = 0
        var written = 0
        var segmentStart = 0
        while read < path.byteCount {
            let octet = path.octet(read)
            if octet == Octet.slash {
                guard let kept = unsafe close(room, segmentStart, written, isLast: false) else { return nil }
                written = kept
                unsafe room[written] = octet
                written &+= 1
                segmentStart = written
                read &+= 1
            } else if octet == Octet.percent {
                guard read &+ 2 < path.byteCount, let high = Octet.hexadecimal(path.octet(read &+ 1)),
                    let low = Octet.hexadecimal(path.octet(read &+ 2))
                else { return nil }
                let value = high << 4 | low
                if value == 0 { return nil }
                if Octet.isUnreserved(value) {
                    unsafe room[written] = value
                    written &+= 1
                } else {
                    unsafe room[written] = octet
                    unsafe room[written &+ 1] = digit(high)
                    unsafe room[written &+ 2] = digit(low)
                    written &+= 3
                }
                read &+= 3
            } else if octet >= 0x80 {
                guard room.count / 3 >= path.byteCount else { return nil }
                unsafe room[written] = Octet.percent
                unsafe room[written &+ 1] = digit(octet >> 4)
                unsafe room[written &+ 2] = digit(octet & 15)
                written &+= 3
                read &+= 1
            } else {
                unsafe room[written] = octet
                written &+= 1
                read &+= 1
            }
        }
        return unsafe close(room, segmentStart, written, isLast: true)
    }

    /// Ends the segment `start ..< end`: a dot segment goes, together with its parent when it has two dots. The result is
    /// where writing continues; nil refuses the path.
    private static func close(
        _ room: UnsafeMutableRawBufferPointer, _ start: Int, _ end: Int, isLast: Bool
    ) -> Int? {
        // The text before the first slash is empty.
        guard start > 0 else { return end }
        let count = end &- start
        let slash = start &- 1
        if count == 1, unsafe room[start] == Octet.dot {
            // "/a/." is "/a/": the caller writes the slash again, except at the end.
            return isLast ? start : slash
        }
        if count == 2, unsafe room[start] == Octet.dot && room[start &+ 1] == Octet.dot {
            guard slash > 0 else { return nil }
            var parent = slash &- 1
            while unsafe parent > 0 && room[parent] != Octet.slash { parent &-= 1 }
            return isLast ? parent &+ 1 : parent
        }
        return unsafe hidesDotSegment(room, start, end) ? nil : end
    }

    /// Whether a `..` stands between separators that only a backend would see: %2F, %5C, ; and %3B.
    private static func hidesDotSegment(_ room: UnsafeMutableRawBufferPointer, _ start: Int, _ end: Int) -> Bool {
        var offset = start
        var atStart = true
        while offset < end {
            let step = unsafe separator(room, offset, end)
            if step > 0 {
                offset &+= step
                atStart = true
                continue
            }
            if atStart, offset &+ 1 < end, unsafe room[offset] == Octet.dot && room[offset &+ 1] == Octet.dot {
                let behind = offset &+ 2
                if unsafe behind == end || separator(room, behind, end) > 0 { return true }
            }
            atStart = false
            offset &+= 1
        }
        return false
    }

    /// The length of the hidden separator at `offset`, 0 when there is none.
    private static func separator(_ room: UnsafeMutableRawBufferPointer, _ offset: Int, _ end: Int) -> Int {
        if unsafe room[offset] == Octet.semicolon { return 1 }
        guard offset &+ 2 < end, unsafe room[offset] == Octet.percent else { return 0 }
        let code = unsafe UInt16(room[offset &+ 1]) << 8 | UInt16(room[offset &+ 2])
        // "2F", "5C" and "3B".
        return code == 0x3246 || code == 0x3543 || code == 0x3342 ? 3 : 0
    }

    static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 &+ value : 0x37 &+ value }
}
