import Model

/// Fields that only a few record types have, each with a form of its own: wire to text, text to wire, and what is sound.
enum SpecialField: Hashable, Sendable {
    /// A number of one octet that also goes by a name of `mnemonics`; written as a number.
    case code(octets: Int, Mnemonics)
    /// Latitude, longitude, altitude and their precision (RFC 1876): the whole of the data.
    case location
    /// A list of address prefixes to the end (RFC 3123).
    case prefixes
    /// Record types as a bitmap to the end (RFC 4034 section 4.1.2).
    case types
    /// So many octets in hexadecimal with hyphens between them (RFC 7043).
    case hyphenated(Int)
    /// Eight octets as four groups of hexadecimal digits (RFC 6742).
    case groups
    /// A length octet and so many octets in hexadecimal; `-` for none (RFC 5155 section 4.3).
    case salt
    /// Octets to the end in hexadecimal behind `0x`, dots between them as one likes (RFC 1706).
    case dotted
    /// A flag and a kind in one octet, and an address or name of that kind (RFC 8777).
    case relay
    /// An address or name, the kind of which is in the second octet of the data (RFC 4025).
    case gateway

    enum Mnemonics: Hashable, Sendable {
        /// Of certificates (RFC 4398 section 2.1).
        case certificates
        /// Of keys and signatures (RFC 4034 appendix A.1 and the IANA registry).
        case algorithms

        func number(_ word: String) -> Int? {
            switch self {
            case .certificates: Self.certificateTypes[word]
            case .algorithms: Self.algorithmNumbers[word]
            }
        }

        private static let certificateTypes = [
            "PKIX": 1, "SPKI": 2, "PGP": 3, "IPKIX": 4, "ISPKI": 5, "IPGP": 6, "ACPKIX": 7, "IACPKIX": 8, "URI": 253,
            "OID": 254,
        ]
        private static let algorithmNumbers = [
            "RSAMD5": 1, "DH": 2, "DSA": 3, "ECC": 4, "RSASHA1": 5, "DSA-NSEC3-SHA1": 6, "RSASHA1-NSEC3-SHA1": 7,
            "RSASHA256": 8, "RSASHA512": 10, "ECC-GOST": 12, "ECDSAP256SHA256": 13, "ECDSAP384SHA384": 14,
            "ED25519": 15, "ED448": 16, "INDIRECT": 252, "PRIVATEDNS": 253, "PRIVATEOID": 254,
        ]
    }

    /// Octets that the field takes in `wire`, which ends where the record's data does; nil when they are not sound.
    func length(_ wire: ArraySlice<UInt8>, at position: Int) -> Int? {
        let rest = wire.endIndex - position
        switch self {
        case .code(let octets, _): return rest >= octets ? octets : nil
        case .location: return GeographicPosition(wire[position...]) == nil ? nil : 16
        case .prefixes: return AddressPrefixItem.items(wire[position...]) == nil ? nil : rest
        case .types: return TypeBitmap.types(wire[position...]) == nil ? nil : rest
        case .hyphenated(let count): return rest >= count ? count : nil
        case .groups: return rest >= 8 ? 8 : nil
        case .salt:
            guard rest > 0 else { return nil }
            let length = Int(wire[position]) + 1
            return rest >= length ? length : nil
        case .dotted: return rest > 0 ? rest : nil
        case .relay:
            guard rest > 0 else { return nil }
            return Self.targetLength(wire, at: position + 1, kind: wire[position] & 0x7f).map { $0 + 1 }
        case .gateway:
            guard wire.count > 2 else { return nil }
            return Self.targetLength(wire, at: position, kind: wire[wire.startIndex + 1])
        }
    }

    /// Kinds are none, IPv4, IPv6 and a name, in IPSECKEY (RFC 4025 section 2.3) and AMTRELAY (RFC 8777 section 4.2.3).
    private static func targetLength(_ wire: ArraySlice<UInt8>, at position: Int, kind: UInt8) -> Int? {
        let rest = wire.endIndex - position
        switch kind {
        case 0: return 0
        case 1: return rest >= 4 ? 4 : nil
        case 2: return rest >= 16 ? 16 : nil
        case 3:
            var end = position
            while end < wire.endIndex, wire[end] != 0 { end += Int(wire[end]) + 1 }
            guard end < wire.endIndex, Name(wire: Array(wire[position...end])) != nil else { return nil }
            return end + 1 - position
        default: return nil
        }
    }

    /// The field's octets (`length` of them) in presentation form; empty when there is nothing to write.
    ///
    /// `kind`: the second octet of the data.
    func text(_ field: ArraySlice<UInt8>, kind: UInt8) -> String {
        switch self {
        case .code: return String(field.reduce(0) { $0 << 8 | Int($1) })
        case .location: return GeographicPosition(field)?.description ?? ""
        case .prefixes: return (AddressPrefixItem.items(field) ?? []).map(\.description).joined(separator: " ")
        case .types: return (TypeBitmap.types(field) ?? []).map(\.description).joined(separator: " ")
        case .hyphenated: return field.map { Self.hex($0) }.joined(separator: "-")
        case .groups:
            return stride(from: field.startIndex, to: field.endIndex, by: 2).map {
                Self.hex(field[$0]) + Self.hex(field[$0 + 1])
            }.joined(separator: ":")
        case .salt: return field.count == 1 ? "-" : field.dropFirst().map { Self.hex($0) }.joined()
        case .dotted: return "0x" + field.map { Self.hex($0) }.joined()
        case .relay:
            let head = field[field.startIndex]
            return "\(head >> 7) \(head & 0x7f) " + Self.target(field.dropFirst(), kind: head & 0x7f)
        case .gateway: return Self.target(field, kind: kind)
        }
    }

    private static func target(_ octets: ArraySlice<UInt8>, kind: UInt8) -> String {
        func word(_ octets: ArraySlice<UInt8>) -> UInt64 { octets.reduce(0) { $0 << 8 | UInt64($1) } }
        return switch kind {
        case 1: IPAddress(v4: UInt32(word(octets))).description
        case 2: IPAddress(v6: word(octets.prefix(8)), word(octets.dropFirst(8))).description
        case 3: Name(unchecked: Array(octets)).description
        default: "."
        }
    }

    private static func hex(_ octet: UInt8) -> String { (octet < 16 ? "0" : "") + String(octet, radix: 16) }
}

/// Record types as a bitmap: windows of 256 types, ascending, none empty (RFC 4034 section 4.1.2).
enum TypeBitmap {
    /// The types that a bitmap names, ascending; nil when it is malformed.
    static func types(_ wire: ArraySlice<UInt8>) -> [RecordType]? {
        var types: [RecordType] = []
        var position = wire.startIndex
        var last = -1
        while position < wire.endIndex {
            guard position + 2 <= wire.endIndex else { return nil }
            let window = Int(wire[position])
            let length = Int(wire[position + 1])
            let end = position + 2 + length
            guard window > last, (1...32).contains(length), end <= wire.endIndex, wire[end - 1] != 0 else { return nil }
            for (index, octet) in wire[(position + 2)..<end].enumerated() {
                for bit in 0..<8 where octet & 0x80 >> UInt8(bit) != 0 {
                    types.append(RecordType(rawValue: UInt16(window << 8 | index << 3 | bit)))
                }
            }
            last = window
            position = end
        }
        return types
    }

    static func wire(_ types: [RecordType]) -> [UInt8] {
        var windows: [UInt8: [UInt8]] = [:]
        for type in types {
            let octet = Int(type.rawValue >> 3 & 31)
            var bits = windows[UInt8(type.rawValue >> 8)] ?? []
            while bits.count <= octet { bits.append(0) }
            bits[octet] |= 0x80 >> UInt8(type.rawValue & 7)
            windows[UInt8(type.rawValue >> 8)] = bits
        }
        return windows.sorted { $0.key < $1.key }.flatMap { [$0.key, UInt8($0.value.count)] + $0.value }
    }
}

/// One item of an APL record (RFC 3123): `1:192.0.2.0/24`, `!2:2001:db8::/32`.
struct AddressPrefixItem: Hashable, CustomStringConvertible {
    let address: IPAddress
    let length: UInt8
    let isNegated: Bool

    /// Reads `[!]FAMILY:ADDRESS/LENGTH`, family 1 or 2.
    init?(_ text: String) {
        let isNegated = text.hasPrefix("!")
        let parts = (isNegated ? text.dropFirst() : text[...]).split(
            separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == "1" || parts[0] == "2" else { return nil }
        let ends = parts[1].split(separator: "/", omittingEmptySubsequences: false)
        guard ends.count == 2, let address = IPAddress(String(ends[0])),
            address.family == (parts[0] == "1" ? .v4 : .v6),
            let length = MasterNumber.decimal(Array(ends[1].utf8)[...]),
            length <= (address.family == .v4 ? 32 : 128)
        else { return nil }
        self.address = address
        self.length = UInt8(length)
        self.isNegated = isNegated
    }

    /// The items of record data, each without zeros at its end; nil when it is malformed or of another family.
    static func items(_ wire: ArraySlice<UInt8>) -> [AddressPrefixItem]? {
        var items: [AddressPrefixItem] = []
        var position = wire.startIndex
        while position < wire.endIndex {
            guard position + 4 <= wire.endIndex else { return nil }
            let family = wire[position + 1]
            let count = Int(wire[position + 3] & 0x7f)
            let end = position + 4 + count
            guard wire[position] == 0, family == 1 || family == 2, count <= (family == 1 ? 4 : 16),
                end <= wire.endIndex, wire[position + 2] <= (family == 1 ? 32 : 128),
                count == 0 || wire[end - 1] != 0
            else { return nil }
            let octets =
                wire[(position + 4)..<end] + [UInt8](repeating: 0, count: (family == 1 ? 4 : 16) - count)
            func word(_ octets: ArraySlice<UInt8>) -> UInt64 { octets.reduce(0) { $0 << 8 | UInt64($1) } }
            items.append(
                AddressPrefixItem(
                    address: family == 1
                        ? IPAddress(v4: UInt32(word(octets)))
                        : IPAddress(v6: word(octets.prefix(8)), word(octets.dropFirst(8))),
                    length: wire[position + 2], isNegated: wire[position + 3] & 0x80 != 0))
            position = end
        }
        return items
    }

    private init(address: IPAddress, length: UInt8, isNegated: Bool) {
        self.address = address
        self.length = length
        self.isNegated = isNegated
    }

    var wire: [UInt8] {
        var octets = address.bytes
        while octets.last == 0 { octets.removeLast() }
        return [0, address.family == .v4 ? 1 : 2, length, UInt8(octets.count) | (isNegated ? 0x80 : 0)] + octets
    }

    var description: String {
        "\(isNegated ? "!" : "")\(address.family == .v4 ? 1 : 2):\(address)/\(length)"
    }
}
