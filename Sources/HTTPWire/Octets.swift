/// Reading bytes of a head: every access is checked against the span.
extension RawSpan {
    @inline(__always)
    package func octet(_ offset: Int) -> UInt8 { unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self) }

    /// As `octet`, for an offset that the caller has just compared with `byteCount`.
    @inline(__always)
    func knownOctet(_ offset: Int) -> UInt8 { unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self) }

    /// As `word`, for an offset that the caller has just compared with `byteCount`.
    @inline(__always)
    func knownWord(_ offset: Int) -> UInt64 {
        unsafe UInt64(littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
    }

    /// Eight bytes as a little-endian word: the byte at `offset` is the lowest.
    @inline(__always)
    package func word(_ offset: Int) -> UInt64 {
        unsafe UInt64(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// Whether the bytes of `slice` are `text`, which is ASCII in lower case, in any case.
    @inline(__always)
    package func equals(_ slice: Slice, ignoringCase text: StaticString) -> Bool {
        guard slice.count == text.utf8CodeUnitCount else { return false }
        for index in 0..<slice.count where unsafe Octet.lowercased(octet(slice.start + index)) != text.utf8Start[index]
        {
            return false
        }
        return true
    }

    /// Whether two spans have the same bytes, with regard to case or without.
    package func equals(_ other: RawSpan, ignoringCase: Bool) -> Bool {
        guard byteCount == other.byteCount else { return false }
        for index in 0..<byteCount {
            let (left, right) = (octet(index), other.octet(index))
            guard left == right || ignoringCase && Octet.lowercased(left) == Octet.lowercased(right) else {
                return false
            }
        }
        return true
    }

    /// Whether two slices have the same bytes in any case.
    func equals(_ slice: Slice, _ other: Slice) -> Bool {
        guard slice.count == other.count else { return false }
        for index in 0..<slice.count
        where Octet.lowercased(octet(slice.start + index)) != Octet.lowercased(octet(other.start + index)) {
            return false
        }
        return true
    }
}

/// A range of bytes of a head, by offset. Heads are at most 64 KiB less one.
package struct Slice: Sendable, Hashable {
    private var lower: UInt16
    private var upper: UInt16

    package static let empty = Slice(0, 0)

    @inline(__always)
    package init(_ start: Int, _ end: Int) {
        lower = UInt16(truncatingIfNeeded: start)
        upper = UInt16(truncatingIfNeeded: end)
    }

    package var start: Int { Int(lower) }
    package var end: Int { Int(upper) }
    package var count: Int { Int(upper) &- Int(lower) }
    package var isEmpty: Bool { lower == upper }
}

/// The character classes of RFC 9110 section 5.6.2 and RFC 3986, as bit sets over the 128 ASCII characters.
package enum Octet {
    package static let carriageReturn: UInt8 = 0x0d
    package static let lineFeed: UInt8 = 0x0a
    package static let space: UInt8 = 0x20
    package static let tab: UInt8 = 0x09
    package static let colon: UInt8 = 0x3a
    package static let slash: UInt8 = 0x2f
    package static let percent: UInt8 = 0x25
    package static let question: UInt8 = 0x3f
    package static let backslash: UInt8 = 0x5c
    package static let dot: UInt8 = 0x2e
    package static let semicolon: UInt8 = 0x3b

    @inline(__always)
    private static func contains(_ low: UInt64, _ high: UInt64, _ octet: UInt8) -> Bool {
        let bits = octet < 64 ? low : high
        return octet < 128 && (bits >> UInt64(octet & 63)) & 1 == 1
    }

    /// `tchar`: letters, digits and !#$%&'*+-.^_`|~
    @inline(__always)
    package static func isToken(_ octet: UInt8) -> Bool {
        contains(0x03ff_6cfa_0000_0000, 0x57ff_ffff_c7ff_fffe, octet)
    }

    /// Letters, digits and -._~
    @inline(__always)
    package static func isUnreserved(_ octet: UInt8) -> Bool {
        contains(0x03ff_6000_0000_0000, 0x47ff_fffe_87ff_fffe, octet)
    }

    /// What a field value consists of (RFC 9110 section 5.5): no control character but HTAB.
    @inline(__always)
    static func isFieldContent(_ octet: UInt8) -> Bool { (octet >= 0x20 && octet != 0x7f) || octet == tab }

    /// The length of the well-formed UTF-8 sequence (Unicode, table 3-7) of two octets and more at `offset`, or of as much of
    /// one as is there; 0 for anything else.
    static func characterLength(_ bytes: RawSpan, _ offset: Int) -> Int {
        let first = bytes.octet(offset)
        var second: ClosedRange<UInt8> = 0x80...0xbf
        let length: Int
        switch first {
        case 0xc2...0xdf: length = 2
        case 0xe0...0xef:
            length = 3
            if first == 0xe0 { second = 0xa0...0xbf }
            // Surrogates.
            if first == 0xed { second = 0x80...0x9f }
        case 0xf0...0xf4:
            length = 4
            if first == 0xf0 { second = 0x90...0xbf }
            if first == 0xf4 { second = 0x80...0x8f }
        default: return 0
        }
        for index in 1..<length {
            guard offset &+ index < bytes.byteCount else { return index }
            let octet = bytes.octet(offset &+ index)
            guard index == 1 ? second.contains(octet) : octet & 0xc0 == 0x80 else { return 0 }
        }
        return length
    }

    @inline(__always)
    package static func isDigit(_ octet: UInt8) -> Bool { octet &- 0x30 < 10 }

    @inline(__always)
    package static func lowercased(_ octet: UInt8) -> UInt8 { octet &- 0x41 < 26 ? octet | 0x20 : octet }

    /// The value of a hexadecimal digit, or nil.
    @inline(__always)
    package static func hexadecimal(_ octet: UInt8) -> UInt8? {
        if octet &- 0x30 < 10 { return octet &- 0x30 }
        let letter = (octet | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : nil
    }

    /// Marks (with its top bit) each byte of `word` that is no letter, digit or hyphen.
    @inline(__always)
    static func uncommonInNames(_ word: UInt64) -> UInt64 {
        // Sums of seven-bit bytes do not carry into each other; adding 0x80 - n sets the top bit from n on.
        let seven = word & 0x7f7f_7f7f_7f7f_7f7f
        let lower = seven | 0x2020_2020_2020_2020
        let letters = (lower &+ 0x1f1f_1f1f_1f1f_1f1f) & ~(lower &+ 0x0505_0505_0505_0505)
        let digits = (seven &+ 0x5050_5050_5050_5050) & ~(seven &+ 0x4646_4646_4646_4646)
        let hyphens = ~((seven ^ 0x2d2d_2d2d_2d2d_2d2d) &+ 0x7f7f_7f7f_7f7f_7f7f)
        return (~(letters | digits | hyphens) | word) & 0x8080_8080_8080_8080
    }

    /// Marks (with its top bit) the lowest byte of `word` that is a control character or DEL; higher marks may be wrong.
    @inline(__always)
    static func controls(in word: UInt64) -> UInt64 {
        let below = (word &- 0x2020_2020_2020_2020) & ~word
        let delete = word ^ 0x7f7f_7f7f_7f7f_7f7f
        return (below | ((delete &- 0x0101_0101_0101_0101) & ~delete)) & 0x8080_8080_8080_8080
    }
}
