/// Writes a head into memory that is there already. When it does not fit, `isFull` says so and nothing was written past
/// the end.
@safe
package struct HeadWriter {
    private let base: UnsafeMutableRawPointer
    private let capacity: Int
    package private(set) var count = 0
    package private(set) var isFull = false

    /// - Parameter room: not empty.
    package init?(_ room: UnsafeMutableRawBufferPointer) {
        guard let base = room.baseAddress, room.count > 0 else { return nil }
        unsafe self.base = base
        capacity = room.count
    }

    package var written: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: base, count: count) }

    /// Shows `body` what was written so far.
    @inline(__always)
    package func withWritten<Result>(_ body: (RawSpan) -> Result) -> Result { unsafe body(written.bytes) }

    @inline(__always)
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        guard bytes.count <= capacity &- count else {
            isFull = true
            return
        }
        unsafe (base + count).copyMemory(from: source, byteCount: bytes.count)
        count &+= bytes.count
    }

    @inline(__always)
    package mutating func append(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe append($0) }
    }

    /// The octets of `slice`.
    @inline(__always)
    package mutating func append(_ bytes: RawSpan, _ slice: Slice) {
        append(bytes.extracting(slice.start..<slice.end))
    }

    /// The octets of `slice`, those beyond ASCII percent-encoded.
    package mutating func append(escaping bytes: RawSpan, _ slice: Slice) {
        for offset in slice.start..<slice.end {
            let octet = bytes.octet(offset)
            if octet < 0x80, octet != Octet.backslash {
                append(octet)
            } else {
                append(Octet.percent)
                append(PathNormaliser.digit(octet >> 4))
                append(PathNormaliser.digit(octet & 15))
            }
        }
    }

    @inline(__always)
    package mutating func append(_ text: StaticString) {
        unsafe append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inline(__always)
    package mutating func append(_ octet: UInt8) {
        guard count < capacity else {
            isFull = true
            return
        }
        unsafe base.storeBytes(of: octet, toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    package mutating func append(decimal value: UInt64) {
        var divisor: UInt64 = 1
        while value / divisor >= 10 { divisor &*= 10 }
        while divisor > 0 {
            append(UInt8(truncatingIfNeeded: 0x30 &+ value / divisor % 10))
            divisor /= 10
        }
    }

    /// Sixteen digits, in lower case.
    package mutating func append(hexadecimal value: UInt64) {
        append(hexadecimal: UInt32(truncatingIfNeeded: value >> 32))
        append(hexadecimal: UInt32(truncatingIfNeeded: value))
    }

    /// Eight at once: the digits are spread over the octets of a word, then each becomes a character.
    private mutating func append(hexadecimal value: UInt32) {
        guard capacity &- count >= 8 else {
            isFull = true
            return
        }
        var digits = UInt64(value)
        digits = (digits | digits << 16) & 0x0000_ffff_0000_ffff
        digits = (digits | digits << 8) & 0x00ff_00ff_00ff_00ff
        digits = (digits | digits << 4) & 0x0f0f_0f0f_0f0f_0f0f
        let letters = ((digits &+ 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
        let text = digits &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
        unsafe base.storeBytes(of: text.bigEndian, toByteOffset: count, as: UInt64.self)
        count &+= 8
    }

    /// Two digits, as in dates.
    package mutating func append(twoDigits value: Int) {
        append(UInt8(truncatingIfNeeded: 0x30 &+ value / 10 % 10))
        append(UInt8(truncatingIfNeeded: 0x30 &+ value % 10))
    }
}
