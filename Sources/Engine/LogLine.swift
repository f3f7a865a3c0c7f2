package import Model

/// Builds one line at a time for an access log in memory of its own: no `String`, no allocation per line. What does not
/// fit is left out, and `isFull` says so.
@safe
package final class LogLine {
    /// Octets. The longest record has less: its strings are cut each by itself (`AccessRecord`).
    package static let capacity = 8192

    private let block: UnsafeMutableRawPointer
    private let limit: Int
    package private(set) var count = 0
    /// Something did not fit since `clear()` or `cut(to:)`.
    package private(set) var isFull = false

    /// - Parameter reserve: octets at the end that only `close(_:)` uses.
    package init(reserve: Int = 0) {
        unsafe block = .allocate(byteCount: Self.capacity, alignment: 64)
        limit = Self.capacity - reserve
    }

    deinit { unsafe block.deallocate() }

    /// What was built since `clear()`.
    package var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: block, count: count) }

    package func clear() { cut(to: 0) }

    /// Takes back what was appended after the first `count` octets.
    package func cut(to count: Int) {
        self.count = min(self.count, max(0, count))
        isFull = false
    }

    /// Appends to the reserve: there is room for it however full the line is.
    package func close(_ text: StaticString) {
        let taken = min(text.utf8CodeUnitCount, Self.capacity &- count)
        unsafe (block + count).copyMemory(from: text.utf8Start, byteCount: taken)
        count &+= taken
    }

    package func append(byte: UInt8) {
        guard count < limit else {
            isFull = true
            return
        }
        unsafe block.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    package func append(_ text: StaticString) {
        unsafe append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    package func append(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        guard bytes.count <= limit &- count else {
            isFull = true
            return
        }
        unsafe (block + count).copyMemory(from: base, byteCount: bytes.count)
        count &+= bytes.count
    }

    /// UTF-8 that was made ahead of time, such as a listener's name.
    package func append(_ text: [UInt8]) { unsafe text.withUnsafeBytes { unsafe append($0) } }

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

    /// As everywhere else: IPv6 in the form of RFC 5952.
    package func append(_ address: IPAddress) {
        if address.family == .v4 {
            for index in 0..<4 {
                if index > 0 { append(byte: UInt8(ascii: ".")) }
                append(UInt64(address.byte(at: index)))
            }
            return
        }
        let gap = Self.gap(address)
        var index = 0
        while index < 8 {
            if index == gap.lowerBound, !gap.isEmpty {
                append("::")
                index = gap.upperBound
                continue
            }
            if index > 0, index != gap.upperBound { append(byte: UInt8(ascii: ":")) }
            append(hexadecimal: Self.group(address, index))
            index &+= 1
        }
    }

    private static func group(_ address: IPAddress, _ index: Int) -> UInt16 {
        UInt16(truncatingIfNeeded: (index < 4 ? address.high : address.low) >> UInt64(48 &- 16 &* (index & 3)))
    }

    /// The first of the longest runs of two groups or more that are zero; empty when there is none.
    private static func gap(_ address: IPAddress) -> Range<Int> {
        var best = 8..<8
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, group(address, end) == 0 { end &+= 1 }
            if end &- start > max(best.count, 1) { best = start..<end }
            start = max(end, start &+ 1)
        }
        return best
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

    /// Sixteen digits, in lower case.
    package func append(hexadecimal word: UInt64) {
        for digit in 0..<16 { append(byte: Self.digit(UInt8(word >> UInt64(60 &- 4 &* digit) & 15))) }
    }

    private func append(hexadecimal word: UInt16) {
        if word >= 0x1000 { append(byte: Self.digit(UInt8(word >> 12))) }
        if word >= 0x100 { append(byte: Self.digit(UInt8(word >> 8 & 15))) }
        if word >= 0x10 { append(byte: Self.digit(UInt8(word >> 4 & 15))) }
        append(byte: Self.digit(UInt8(word & 15)))
    }

    static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

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
