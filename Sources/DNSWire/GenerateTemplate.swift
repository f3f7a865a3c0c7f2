/// The numbers of `$GENERATE` (BIND 9 Administrator Reference Manual, section 3.6): `START-STOP` or `START-STOP/STEP`.
struct GenerateRange {
    let start: Int
    let stop: Int
    let step: Int

    /// Numbers from 0 to 2^31 - 1, `start` not above `stop`, a step of at least 1.
    init?(_ text: ArraySlice<UInt8>) {
        let halves = text.split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
        let ends = halves[0].split(separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
        guard ends.count == 2, let start = MasterNumber.decimal(ends[0]), let stop = MasterNumber.decimal(ends[1]),
            start <= stop, stop < 1 << 31
        else { return nil }
        var step: UInt64 = 1
        if halves.count == 2 {
            guard let given = MasterNumber.decimal(halves[1]), given > 0, given < 1 << 31 else { return nil }
            step = given
        }
        self.start = Int(start)
        self.stop = Int(stop)
        self.step = Int(step)
    }

    var count: Int { (stop - start) / step + 1 }
    var numbers: StrideThrough<Int> { stride(from: start, through: stop, by: step) }
}

/// The line of `$GENERATE` in which numbers are put: `$` is the number, `${OFFSET[,WIDTH[,BASE]]}` the number changed and
/// written in another way, `$$` and `\$` a dollar.
struct GenerateTemplate {
    struct Problem: Error {
        /// Which word is at fault.
        let word: Int
        let message: String
    }

    private enum Base: Sendable {
        case decimal, octal, hexadecimal, upperHexadecimal
        /// Hexadecimal digits from the lowest up, with dots between them, as in `ip6.arpa`.
        case nibbles, upperNibbles
    }

    private enum Part {
        case text([UInt8])
        case number(offset: Int, width: Int, base: Base)
    }

    private var parts: [Part] = []

    init(_ words: [TextToken]) throws(Problem) {
        for (index, word) in words.enumerated() {
            if index > 0 { parts.append(.text([UInt8(ascii: " ")])) }
            if word.isQuoted { parts.append(.text([UInt8(ascii: "\"")])) }
            try read(word.text, word: index)
            if word.isQuoted { parts.append(.text([UInt8(ascii: "\"")])) }
        }
    }

    private mutating func read(_ text: ArraySlice<UInt8>, word: Int) throws(Problem) {
        let dollar = UInt8(ascii: "$")
        var literal: [UInt8] = []
        var position = text.startIndex
        while position < text.endIndex {
            let octet = text[position]
            position += 1
            if octet == UInt8(ascii: "\\"), position < text.endIndex {
                // `\$` loses its backslash, other escapes are for the line's own reader.
                if text[position] != dollar { literal.append(octet) }
                literal.append(text[position])
                position += 1
            } else if octet == dollar, position < text.endIndex, text[position] == dollar {
                literal.append(dollar)
                position += 1
            } else if octet == dollar {
                parts.append(.text(literal))
                literal = []
                guard position < text.endIndex, text[position] == UInt8(ascii: "{") else {
                    parts.append(.number(offset: 0, width: 0, base: .decimal))
                    continue
                }
                guard let end = text[position...].firstIndex(of: UInt8(ascii: "}")),
                    let part = Self.modifier(text[(position + 1)..<end])
                else {
                    throw Problem(
                        word: word,
                        message:
                            "write a number as $ or ${OFFSET,WIDTH,BASE}, the width up to 255, the base d, o, x, X, n or N"
                    )
                }
                parts.append(part)
                position = end + 1
            } else {
                literal.append(octet)
            }
        }
        parts.append(.text(literal))
    }

    private static func modifier(_ text: ArraySlice<UInt8>) -> Part? {
        let fields = text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard (1...3).contains(fields.count) else { return nil }
        var digits = fields[0]
        var isNegative = false
        if let sign = digits.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            digits = digits.dropFirst()
        }
        guard let offset = MasterNumber.decimal(digits), offset < 1 << 31 else { return nil }
        var width: UInt64 = 0
        if fields.count > 1 {
            guard let given = MasterNumber.decimal(fields[1]), given <= 255 else { return nil }
            width = given
        }
        var base = Base.decimal
        if fields.count > 2 {
            switch fields[2].elementsEqual([fields[2].first ?? 0]) ? fields[2].first : nil {
            case UInt8(ascii: "d"): base = .decimal
            case UInt8(ascii: "o"): base = .octal
            case UInt8(ascii: "x"): base = .hexadecimal
            case UInt8(ascii: "X"): base = .upperHexadecimal
            case UInt8(ascii: "n"): base = .nibbles
            case UInt8(ascii: "N"): base = .upperNibbles
            default: return nil
            }
        }
        return .number(offset: isNegative ? -Int(offset) : Int(offset), width: Int(width), base: base)
    }

    /// The line for `number`; nil when an offset takes it below zero.
    func line(_ number: Int) -> [UInt8]? {
        var line: [UInt8] = []
        for part in parts {
            switch part {
            case .text(let text): line += text
            case .number(let offset, let width, let base):
                guard number + offset >= 0 else { return nil }
                line += Self.text(number + offset, width: width, base: base).utf8
            }
        }
        return line
    }

    private static func text(_ value: Int, width: Int, base: Base) -> String {
        switch base {
        case .decimal: padded(String(value), width)
        case .octal: padded(String(value, radix: 8), width)
        case .hexadecimal: padded(String(value, radix: 16), width)
        case .upperHexadecimal: padded(String(value, radix: 16, uppercase: true), width)
        case .nibbles: nibbles(value, width: width, uppercase: false)
        case .upperNibbles: nibbles(value, width: width, uppercase: true)
        }
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }

    /// The width counts digits and dots.
    private static func nibbles(_ value: Int, width: Int, uppercase: Bool) -> String {
        var text = ""
        var value = value
        var width = width
        repeat {
            text += String(value & 15, radix: 16, uppercase: uppercase)
            value >>= 4
            width -= 1
            if width > 0 || value != 0 {
                text += "."
                width -= 1
            }
        } while value != 0 || width > 0
        return text
    }
}
