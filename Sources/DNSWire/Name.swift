/// A domain name in wire form (RFC 1035 section 3.1), compared without regard to ASCII case (RFC 4343).
package struct Name: Hashable, Sendable {
    /// The longest name in octets, length octets and final zero included (RFC 1035 section 2.3.4).
    package static let maximumLength = 255
    package static let maximumLabelLength = 63
    package static let root = Name(unchecked: [0])

    /// Labels with their length octets and the final zero: 1 ... 255 octets, never compressed, case as it was written.
    package let wire: [UInt8]
    /// `wire` in lower case: what is compared, hashed and looked up.
    package let folded: [UInt8]

    init(unchecked wire: [UInt8]) {
        self.wire = wire
        // Length octets are 63 at most, below `A`, so folding every octet leaves them alone.
        self.folded = wire.contains(where: ASCII.isUpper) ? wire.map(ASCII.lower) : wire
    }

    /// Takes a name whose wire form is in lower case already, as tables keep it.
    package init(unfolded wire: [UInt8]) {
        self.wire = wire
        self.folded = wire
    }

    /// Checks uncompressed wire form: nil unless it is whole labels ended by the root within 255 octets.
    package init?(wire: [UInt8]) {
        guard wire.count <= Self.maximumLength else { return nil }
        var position = 0
        while position < wire.count, wire[position] != 0 {
            guard Int(wire[position]) <= Self.maximumLabelLength else { return nil }
            position += Int(wire[position]) + 1
        }
        guard position == wire.count - 1 else { return nil }
        self.init(unchecked: wire)
    }

    package static func == (left: Self, right: Self) -> Bool { left.folded == right.folded }

    package func hash(into hasher: inout Hasher) { hasher.combine(folded) }

    package var isRoot: Bool { wire.count == 1 }

    package var isWildcard: Bool { wire.count > 1 && wire[0] == 1 && wire[1] == UInt8(ascii: "*") }

    /// Number of labels, the root not counted: 0 ... 127.
    package var labelCount: Int {
        var count = 0
        var position = 0
        while wire[position] != 0 {
            position += Int(wire[position]) + 1
            count += 1
        }
        return count
    }

    /// The name without its first label; nil for the root.
    package var parent: Name? {
        guard !isRoot else { return nil }
        return Name(unchecked: Array(wire[(Int(wire[0]) + 1)...]))
    }

    /// The wildcard directly below this name; nil when it would be too long.
    package var wildcardChild: Name? {
        guard wire.count + 2 <= Self.maximumLength else { return nil }
        return Name(unchecked: [1, UInt8(ascii: "*")] + wire)
    }

    /// True for the name itself and for every name below it.
    package func isWithin(_ ancestor: Name) -> Bool {
        guard folded.count >= ancestor.folded.count else { return false }
        let start = folded.count - ancestor.folded.count
        var position = 0
        while position < start { position += Int(folded[position]) + 1 }
        return position == start && folded[start...].elementsEqual(ancestor.folded)
    }

    /// This name with the suffix `old` exchanged for `new` (RFC 6672 section 2.2); nil when that is too long.
    /// `isWithin(old)` must hold.
    package func replacing(suffix old: Name, with new: Name) -> Name? {
        let kept = wire.count - old.wire.count
        guard kept >= 0, kept + new.wire.count <= Self.maximumLength else { return nil }
        return Name(unchecked: Array(wire[..<kept]) + new.wire)
    }
}

/// Why text is not a domain name.
package enum NameError: Error, Hashable, CustomStringConvertible {
    case empty
    case emptyLabel
    case labelTooLong
    case nameTooLong
    case badEscape
    case relativeWithoutOrigin

    package var description: String {
        switch self {
        case .empty: "an empty name"
        case .emptyLabel: "a name with an empty label"
        case .labelTooLong: "a name with a label longer than 63 octets"
        case .nameTooLong: "a name longer than 255 octets"
        case .badEscape: "a name with a broken escape; write \\DDD (000 to 255) or \\ before one character"
        case .relativeWithoutOrigin: "a relative name where no origin is known; end it with a dot"
        }
    }
}

/// Octets as ASCII text.
enum ASCII {
    static func isUpper(_ octet: UInt8) -> Bool { octet >= 0x41 && octet <= 0x5a }

    static func isDigit(_ octet: UInt8) -> Bool { octet >= 0x30 && octet <= 0x39 }

    /// The octets in capitals as one number, the first in the highest bits; of more than eight, the last ones count.
    static func word(_ octets: ArraySlice<UInt8>) -> UInt64 {
        octets.reduce(0) { $0 << 8 | UInt64($1 >= 0x61 && $1 <= 0x7a ? $1 & 0xdf : $1) }
    }

    static func lower(_ octet: UInt8) -> UInt8 { isUpper(octet) ? octet | 0x20 : octet }

    /// One character of presentation form at `position`, escapes undone (RFC 1035 section 5.1), and whether it was
    /// escaped. Moves `position` behind it; nil for a broken escape.
    static func unescape(_ text: ArraySlice<UInt8>, _ position: inout Int) -> (octet: UInt8, escaped: Bool)? {
        let octet = text[position]
        position += 1
        guard octet == UInt8(ascii: "\\") else { return (octet, false) }
        guard position < text.endIndex else { return nil }
        guard isDigit(text[position]) else {
            position += 1
            return (text[position - 1], true)
        }
        guard position + 3 <= text.endIndex, text[position..<(position + 3)].allSatisfy(isDigit) else { return nil }
        let value = text[position..<(position + 3)].reduce(0) { $0 * 10 + Int($1 - 0x30) }
        position += 3
        return UInt8(exactly: value).map { ($0, true) }
    }

    /// Appends `octet` in presentation form: `special` ones behind a backslash, unprintable ones as `\DDD`.
    static func escape(_ octet: UInt8, special: String, to text: inout String) {
        guard octet >= 0x20 && octet < 0x7f else {
            let digits = String(octet)
            text += "\\" + String(repeating: "0", count: 3 - digits.utf8.count) + digits
            return
        }
        if special.utf8.contains(octet) { text += "\\" }
        text.unicodeScalars.append(Unicode.Scalar(octet))
    }
}
