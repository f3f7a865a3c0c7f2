/// Text that strangers chose, inside quotation marks.
extension LogLine {
    /// What stands behind text that was cut.
    private static let ellipsis: StaticString = "…"

    /// Appends `bytes` as the inside of a JSON string (RFC 8259 section 7): quotation marks, backslashes and control
    /// characters are escaped, and octets that are not part of UTF-8 are written as the code point of their number. So are
    /// those of U+0080 … U+009F, which terminals obey, of marks that turn the direction of writing, and of line separators.
    ///
    /// `limit`: octets to write at most, 8 or more; text that takes more is cut and ends with an ellipsis.
    package func append(escaping bytes: UnsafeRawBufferPointer, limit: Int = capacity) {
        var room = limit
        var index = 0
        while index < bytes.count {
            let octet = unsafe bytes[index]
            let length = unsafe Self.scalarLength(bytes, index)
            let isEscaped = octet == 0x22 || octet == 0x5c
            let cost = length == 0 ? 6 : isEscaped ? 2 : length
            let isLast = index &+ max(length, 1) == bytes.count
            guard cost <= room &- (isLast ? 0 : 3) else {
                append(Self.ellipsis)
                return
            }
            room &-= cost
            if length == 0 {
                append("\\u00")
                append(byte: Self.digit(octet >> 4))
                append(byte: Self.digit(octet & 15))
                index &+= 1
                continue
            }
            if isEscaped { append(byte: 0x5c) }
            for offset in index..<(index &+ length) { append(byte: unsafe bytes[offset]) }
            index &+= length
        }
    }

    /// Octets of the printable character at `index`, 1 to 4; 0 when the octet there has to be escaped by its number.
    private static func scalarLength(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Int {
        let first = unsafe bytes[index]
        // The ranges of the second octet are those of RFC 3629 section 4, without U+0080 … U+009F.
        let length: Int
        let second: ClosedRange<UInt8>
        switch first {
        case 0x20...0x7e: return 1
        case 0xc2: (length, second) = (2, 0xa0...0xbf)
        case 0xc3...0xdf: (length, second) = (2, 0x80...0xbf)
        case 0xe0: (length, second) = (3, 0xa0...0xbf)
        case 0xed: (length, second) = (3, 0x80...0x9f)
        case 0xe1...0xef: (length, second) = (3, 0x80...0xbf)
        case 0xf0: (length, second) = (4, 0x90...0xbf)
        case 0xf1...0xf3: (length, second) = (4, 0x80...0xbf)
        case 0xf4: (length, second) = (4, 0x80...0x8f)
        default: return 0
        }
        guard index &+ length <= bytes.count, unsafe second.contains(bytes[index &+ 1]) else { return 0 }
        for offset in (index &+ 2)..<(index &+ max(length, 2)) where unsafe bytes[offset] & 0xc0 != 0x80 { return 0 }
        if first == 0xe2 {
            switch unsafe (bytes[index &+ 1], bytes[index &+ 2]) {
            // U+200B … U+200F, U+2028 … U+202E, U+2060 … U+206F.
            case (0x80, 0x8b...0x8f), (0x80, 0xa8...0xae), (0x81, 0xa0...0xaf): return 0
            default: break
            }
        }
        return length
    }
}
