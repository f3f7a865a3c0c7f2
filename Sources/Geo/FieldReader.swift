import Model

/// Reads a text table line by line and field by field: comma-separated, blanks around fields ignored, empty lines and
/// lines that begin with `#` skipped, line ends LF or CRLF. No quoting: none of the fields can hold a comma.
///
/// It works on octets, since a table may have a million lines.
struct FieldReader {
    struct Field {
        let range: Range<Int>
        /// In octets, counted from 1.
        let column: Int
    }

    private let text: [UInt8]
    private var cursor = 0
    /// The number of the line that `nextLine` returned, counted from 1.
    private(set) var line = 0

    init(_ text: [UInt8]) { self.text = text }

    /// The fields of the next line that has any, into `fields`. False at the end of the text.
    mutating func nextLine(_ fields: inout [Field]) -> Bool {
        while cursor < text.count {
            let start = cursor
            var end = start
            while end < text.count, text[end] != UInt8(ascii: "\n") { end += 1 }
            cursor = end + 1
            line += 1
            if end > start, text[end - 1] == UInt8(ascii: "\r") { end -= 1 }
            split(start..<end, into: &fields)
            if fields.count == 1, fields[0].range.isEmpty { continue }
            if text[fields[0].range.lowerBound...].first == UInt8(ascii: "#") { continue }
            return true
        }
        return false
    }

    private func split(_ line: Range<Int>, into fields: inout [Field]) {
        fields.removeAll(keepingCapacity: true)
        var start = line.lowerBound
        while true {
            var end = start
            while end < line.upperBound, text[end] != UInt8(ascii: ",") { end += 1 }
            let next = end + 1
            while start < end, Self.isBlank(text[start]) { start += 1 }
            var last = end
            while last > start, Self.isBlank(text[last - 1]) { last -= 1 }
            fields.append(Field(range: start..<last, column: start - line.lowerBound + 1))
            if end == line.upperBound { return }
            start = next
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    func bytes(_ field: Field) -> ArraySlice<UInt8> { text[field.range] }

    /// The field for a message: at most 64 octets of it.
    func string(_ field: Field) -> String { String(decoding: text[field.range].prefix(64), as: UTF8.self) }

    func prefix(_ field: Field) -> IPPrefix? { IPPrefix(octets: text[field.range]) }

    func problem(_ field: Field, _ message: String) -> TableProblem {
        TableProblem(line: line, column: field.column, message: message)
    }
}

extension IPPrefix {
    /// What `IPPrefix(_: some StringProtocol)` reads, without making strings: a tenth of its time.
    init?(octets text: ArraySlice<UInt8>) {
        let slash = text.lastIndex(of: UInt8(ascii: "/"))
        let head = text[..<(slash ?? text.endIndex)]
        guard let address = IPAddress(octets: head) else { return nil }
        var length = address.family.bits
        if let slash {
            guard let number = Self.number(text[(slash + 1)...]), number <= length else { return nil }
            length = number
        }
        self.init(address, length: length)
        guard self.address == address else { return nil }
    }

    /// One to three digits.
    private static func number(_ text: ArraySlice<UInt8>) -> Int? {
        guard (1...3).contains(text.count) else { return nil }
        var number = 0
        for byte in text {
            guard (0x30...0x39).contains(byte) else { return nil }
            number = number * 10 + Int(byte - 0x30)
        }
        return number
    }
}

extension IPAddress {
    fileprivate init?(octets text: ArraySlice<UInt8>) {
        if text.contains(UInt8(ascii: ":")) {
            guard let value = Self.v6(text) else { return nil }
            self.init(v6: UInt64(truncatingIfNeeded: value >> 64), UInt64(truncatingIfNeeded: value))
        } else {
            guard let value = Self.quad(text) else { return nil }
            self.init(v4: value)
        }
    }

    /// A dotted quad without leading zeros.
    private static func quad(_ text: ArraySlice<UInt8>) -> UInt32? {
        var value: UInt32 = 0
        var part: UInt32 = 0
        var digits = 0
        var dots = 0
        for byte in text {
            if byte == UInt8(ascii: ".") {
                guard digits > 0, dots < 3 else { return nil }
                value = value << 8 | part
                (part, digits, dots) = (0, 0, dots + 1)
            } else {
                guard (0x30...0x39).contains(byte), digits == 0 || part != 0 else { return nil }
                part = part * 10 + UInt32(byte - 0x30)
                digits += 1
                guard part <= 255 else { return nil }
            }
        }
        return dots == 3 && digits > 0 ? value << 8 | part : nil
    }

    /// RFC 4291 section 2.2, all three forms.
    private static func v6(_ text: ArraySlice<UInt8>) -> UInt128? {
        var value: UInt128 = 0
        var words = 0
        /// How many words stood before `::`.
        var gap: Int?
        var cursor = text.startIndex
        if text.count >= 2, text[cursor] == UInt8(ascii: ":") {
            guard text[cursor + 1] == UInt8(ascii: ":") else { return nil }
            gap = 0
            cursor += 2
        }
        while cursor < text.endIndex {
            let end = text[cursor...].firstIndex(of: UInt8(ascii: ":")) ?? text.endIndex
            let group = text[cursor..<end]
            if end == text.endIndex, let quad = quad(group) {
                value = value << 32 | UInt128(quad)
                words += 2
                cursor = end
                break
            }
            guard let word = word(group) else { return nil }
            value = value << 16 | UInt128(word)
            words += 1
            cursor = end
            if cursor == text.endIndex { break }
            cursor += 1
            // A lone colon at the end has no group behind it.
            guard cursor < text.endIndex else { return nil }
            if text[cursor] == UInt8(ascii: ":") {
                guard gap == nil else { return nil }
                gap = words
                cursor += 1
            }
        }
        guard let gap else { return words == 8 ? value : nil }
        guard words <= 7 else { return nil }
        let tail = 16 * (words - gap)
        let low = value & ~(UInt128.max << tail)
        return (value >> tail) << (128 - 16 * gap) | low
    }

    /// One to four hexadecimal digits.
    private static func word(_ text: ArraySlice<UInt8>) -> UInt16? {
        guard (1...4).contains(text.count) else { return nil }
        var value: UInt16 = 0
        for byte in text {
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x41 + 10
            case 0x61...0x66: digit = byte - 0x61 + 10
            default: return nil
            }
            value = value << 4 | UInt16(digit)
        }
        return value
    }
}
