package import Model

/// Builds one line at a time for an access log in memory of its own: no `String`, no allocation per line. What does not
/// fit is cut off.
@safe
package final class LogLine {
    /// Four kilobytes: a long URL and a long user agent fit.
    private static let capacity = 4096

    private let block: UnsafeMutableRawPointer
    private var count = 0

    package init() { unsafe block = .allocate(byteCount: Self.capacity, alignment: 64) }

    deinit { unsafe block.deallocate() }

    /// What was built since `clear()`.
    package var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: block, count: count) }

    package func clear() { count = 0 }

    package func append(byte: UInt8) {
        guard count < Self.capacity else { return }
        unsafe block.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    package func append(_ text: StaticString) {
        unsafe append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    package func append(_ bytes: UnsafeRawBufferPointer) {
        let taken = min(bytes.count, Self.capacity &- count)
        guard taken > 0, let base = bytes.baseAddress else { return }
        unsafe (block + count).copyMemory(from: base, byteCount: taken)
        count &+= taken
    }

    /// UTF-8 that was made ahead of time, such as a listener's name.
    package func append(_ text: [UInt8]) { unsafe text.withUnsafeBytes { unsafe append($0) } }

    /// Bytes from outside, as the inside of a JSON string: quotes, backslashes and control characters are escaped, and
    /// whatever is no ASCII as well, since nobody has checked that it is UTF-8.
    package func append(escaping bytes: UnsafeRawBufferPointer) {
        for index in bytes.indices {
            let byte = unsafe bytes[index]
            switch byte {
            case 0x22, 0x5c:
                append(byte: 0x5c)
                append(byte: byte)
            case 0x20..<0x7f: append(byte: byte)
            default:
                append("\\u00")
                append(byte: Self.digit(byte >> 4))
                append(byte: Self.digit(byte & 15))
            }
        }
    }

    package func append(_ number: UInt64) {
        if number >= 10 { append(number / 10) }
        append(byte: UInt8(truncatingIfNeeded: 0x30 &+ number % 10))
    }

    /// Milliseconds with three decimals.
    package func append(nanoseconds: UInt64) {
        append(nanoseconds / 1_000_000)
        append(byte: UInt8(ascii: "."))
        append(padded: nanoseconds / 1_000 % 1_000, digits: 3)
    }

    package func append(_ address: SocketAddress) {
        if address.address.family == .v4 {
            append(address.address)
        } else {
            append(byte: UInt8(ascii: "["))
            append(address.address)
            append(byte: UInt8(ascii: "]"))
        }
        append(byte: UInt8(ascii: ":"))
        append(UInt64(address.port))
    }

    /// IPv6 in full groups without `::`, which RFC 4291 section 2.2 allows and which needs no thought.
    package func append(_ address: IPAddress) {
        if address.family == .v4 {
            for index in 0..<4 {
                if index > 0 { append(byte: UInt8(ascii: ".")) }
                append(UInt64(address.byte(at: index)))
            }
            return
        }
        for index in 0..<8 {
            if index > 0 { append(byte: UInt8(ascii: ":")) }
            let word = index < 4 ? address.high : address.low
            append(hexadecimal: UInt16(truncatingIfNeeded: word >> UInt64(48 - 16 * (index & 3))))
        }
    }

    /// RFC 3339 in UTC with milliseconds: `2026-11-22T09:05:00.123Z`.
    package func append(_ time: Timestamp) {
        let milliseconds = time.milliseconds
        let days = milliseconds.quotientFloor(86_400_000)
        let rest = UInt64(milliseconds - days * 86_400_000)
        let date = Self.civil(days)
        append(padded: UInt64(date.year), digits: 4)
        append(byte: UInt8(ascii: "-"))
        append(padded: UInt64(date.month), digits: 2)
        append(byte: UInt8(ascii: "-"))
        append(padded: UInt64(date.day), digits: 2)
        append(byte: UInt8(ascii: "T"))
        append(padded: rest / 3_600_000, digits: 2)
        append(byte: UInt8(ascii: ":"))
        append(padded: rest / 60_000 % 60, digits: 2)
        append(byte: UInt8(ascii: ":"))
        append(padded: rest / 1_000 % 60, digits: 2)
        append(byte: UInt8(ascii: "."))
        append(padded: rest % 1_000, digits: 3)
        append(byte: UInt8(ascii: "Z"))
    }

    private func append(padded number: UInt64, digits: Int) {
        if digits > 1 { append(padded: number / 10, digits: digits - 1) }
        append(byte: UInt8(truncatingIfNeeded: 0x30 &+ number % 10))
    }

    private func append(hexadecimal word: UInt16) {
        if word >= 0x1000 { append(byte: Self.digit(UInt8(word >> 12))) }
        if word >= 0x100 { append(byte: Self.digit(UInt8(word >> 8 & 15))) }
        if word >= 0x10 { append(byte: Self.digit(UInt8(word >> 4 & 15))) }
        append(byte: Self.digit(UInt8(word & 15)))
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

    /// The date of a day counted from 1970-01-01 (Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2013).
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted.quotientFloor(146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}

extension Int64 {
    /// Division that rounds down, for times before 1970.
    fileprivate func quotientFloor(_ divisor: Int64) -> Int64 {
        self >= 0 ? self / divisor : (self - divisor + 1) / divisor
    }
}
