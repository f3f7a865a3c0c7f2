import Model

extension SpecialField {
    /// How many words the field takes at most; nil for all that are left.
    private var wordLimit: Int? {
        switch self {
        case .code, .hyphenated, .groups, .salt, .gateway: 1
        case .relay: 3
        case .location, .prefixes, .types, .dotted: nil
        }
    }

    /// What stands in the field, for messages.
    private var expected: String {
        switch self {
        case .code(_, .certificates): "a number or a type of certificate such as PKIX"
        case .code(_, .algorithms): "a number or an algorithm such as ECDSAP256SHA256"
        case .location: "a place such as 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m"
        case .prefixes: "a prefix such as 1:192.0.2.0/24 or !2:2001:db8::/32"
        case .types: "a record type"
        case .hyphenated(let count): "\(count) octets such as 00-00-5e-00-53-2a"
        case .groups: "four groups of hexadecimal digits such as 0014:4fff:ff20:ee64"
        case .salt: "hexadecimal data, or - for none"
        case .dotted: "hexadecimal data behind 0x"
        case .relay: "0 or 1, a type from 0 to 3, and a relay of that type"
        case .gateway: "a gateway of the type before it: ., an IPv4 address, an IPv6 address or a domain name"
        }
    }

    /// Reads the field from the words of a line.
    ///
    /// - Parameters:
    ///   - tokens: the words that are left.
    ///   - kind: the second octet of the data, as far as it is read; 0 before.
    ///   - origin: what relative names are completed with.
    /// - Returns: its octets and how many words it took, or what was expected and which word is none.
    func read(
        _ tokens: ArraySlice<TextToken>, kind: UInt8, origin: Name?
    ) -> Result<(wire: [UInt8], taken: Int), Misread> {
        let words = tokens.prefix(wordLimit ?? tokens.count)
        let texts = words.map { $0.string }
        func misread(_ index: Int = 0) -> Misread {
            index < texts.count
                ? Misread(word: index, message: "\"\(texts[index])\" is not \(expected)")
                : Misread(word: texts.count, message: "\(expected) is missing")
        }
        func done(_ wire: [UInt8]) -> Result<(wire: [UInt8], taken: Int), Misread> { .success((wire, words.count)) }
        switch self {
        case .prefixes:
            var wire: [UInt8] = []
            for (index, text) in texts.enumerated() {
                guard let item = AddressPrefixItem(text) else { return .failure(misread(index)) }
                wire += item.wire
            }
            return done(wire)
        case .types:
            var types: [RecordType] = []
            for (index, text) in texts.enumerated() {
                guard let type = RecordType(text) else { return .failure(misread(index)) }
                types.append(type)
            }
            return done(TypeBitmap.wire(types))
        case .location:
            guard let place = GeographicPosition(words: texts) else { return .failure(misread()) }
            return done(place.wire)
        case .relay:
            guard texts.count == 3, texts[0] == "0" || texts[0] == "1",
                let kind = MasterNumber.decimal(words[words.startIndex + 1].text), kind <= 3,
                let target = Self.target(words[words.startIndex + 2], kind: UInt8(kind), origin)
            else { return .failure(misread(texts.count < 3 ? texts.count : 0)) }
            return done([(texts[0] == "1" ? 0x80 : 0) | UInt8(kind)] + target)
        case .code, .hyphenated, .groups, .salt, .dotted, .gateway:
            guard let first = words.first, let wire = readWord(first, texts.joined(), kind: kind, origin) else {
                return .failure(misread())
            }
            return done(wire)
        }
    }

    /// Why words are not the field.
    struct Misread: Error {
        /// Counted from the first word that was given.
        let word: Int
        let message: String
    }

    /// The fields of one word. `text`: that word, or all words where the field may be broken up.
    private func readWord(_ word: TextToken, _ text: String, kind: UInt8, _ origin: Name?) -> [UInt8]? {
        switch self {
        case .code(let octets, let mnemonics):
            let number = MasterNumber.decimal(word.text).map { Int($0) } ?? mnemonics.number(text.uppercased())
            guard let number, number < 1 << (8 * octets) else { return nil }
            return (0..<octets).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        case .hyphenated(let count):
            let parts = text.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == count, parts.allSatisfy({ $0.utf8.count == 2 }) else { return nil }
            return Self.octets(parts.joined())
        case .groups:
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 4, parts.allSatisfy({ (1...4).contains($0.utf8.count) }) else { return nil }
            return Self.octets(
                parts.map { String(repeating: "0", count: 4 - $0.utf8.count) + $0 }.joined())
        case .salt:
            if text == "-" { return [0] }
            guard let octets = Self.octets(text), (1...255).contains(octets.count) else { return nil }
            return [UInt8(octets.count)] + octets
        case .dotted:
            guard text.hasPrefix("0x") || text.hasPrefix("0X"),
                let octets = Self.octets(String(text.dropFirst(2).filter { $0 != "." })), !octets.isEmpty
            else { return nil }
            return octets
        case .gateway: return Self.target(word, kind: kind, origin)
        case .location, .prefixes, .types, .relay: return nil
        }
    }

    private static func octets(_ hex: String) -> [UInt8]? {
        let digits = hex.utf8.map { Character(Unicode.Scalar($0)).hexDigitValue }
        guard digits.count.isMultiple(of: 2), !digits.contains(nil) else { return nil }
        let values = digits.compactMap { $0 }
        return stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
    }

    private static func target(_ word: TextToken, kind: UInt8, _ origin: Name?) -> [UInt8]? {
        switch kind {
        case 0: return word.string == "." ? [] : nil
        case 1, 2:
            guard let address = IPAddress(word.string), address.family == (kind == 1 ? .v4 : .v6) else { return nil }
            return address.bytes
        case 3:
            if word.text.elementsEqual([UInt8(ascii: "@")]), let origin { return origin.wire }
            return try? Name(text: word.text, origin: origin).wire
        default: return nil
        }
    }
}
