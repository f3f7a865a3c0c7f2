/// What record data is made of, type by type: one table serves text to wire, wire to text, and the check of wire form.
enum RecordField: Hashable, Sendable {
    case octet
    case word
    case long
    /// A 32-bit number of seconds, written as in a master file (`3600`, `1h`).
    case seconds
    /// Compressible only in the types of RFC 1035 (RFC 3597 section 4).
    case name(compressible: Bool)
    case v4Address
    case v6Address
    /// One length octet and up to 255 octets.
    case string
    /// One or more strings to the end.
    case strings
    /// Octets to the end, written as one quoted string (CAA).
    case text
    /// Octets to the end, written in hexadecimal.
    case hex
    /// Octets to the end, written in Base64.
    case base64
    /// The same, and there may be none.
    case optionalBase64
    /// Another string, if there is anything left.
    case optionalString
    case special(SpecialField)
    /// The parameters of SVCB and HTTPS to the end, in which the priority at the start of the data has a say.
    case serviceParameters
}

extension RecordType {
    /// The fields of the record data; nil for types that are only known in the form of RFC 3597.
    var layout: [RecordField]? { Self.layouts[self] }

    /// Whether names stand in the data, as far as we know the type.
    var hasNames: Bool { Self.typesWithNames.contains(self) }

    private static let typesWithNames = Set(
        layouts.filter { $0.value.contains { if case .name = $0 { true } else { false } } }.keys)

    private static let algorithm = RecordField.special(.code(octets: 1, .algorithms))

    private static let layouts: [RecordType: [RecordField]] = [
        .a: [.v4Address],
        .aaaa: [.v6Address],
        .ns: [.name(compressible: true)],
        .cname: [.name(compressible: true)],
        .ptr: [.name(compressible: true)],
        .mb: [.name(compressible: true)],
        .mg: [.name(compressible: true)],
        .mr: [.name(compressible: true)],
        .minfo: [.name(compressible: true), .name(compressible: true)],
        .dname: [.name(compressible: false)],
        .soa: [.name(compressible: true), .name(compressible: true), .long, .seconds, .seconds, .seconds, .seconds],
        .hinfo: [.string, .string],
        .mx: [.word, .name(compressible: true)],
        .txt: [.strings],
        .spf: [.strings],
        .ninfo: [.strings],
        .avc: [.strings],
        .resinfo: [.strings],
        .rp: [.name(compressible: false), .name(compressible: false)],
        .srv: [.word, .word, .word, .name(compressible: false)],
        .naptr: [.word, .word, .string, .string, .string, .name(compressible: false)],
        .afsdb: [.word, .name(compressible: false)],
        .x25: [.string],
        .isdn: [.string, .optionalString],
        .rt: [.word, .name(compressible: false)],
        .nsap: [.special(.dotted)],
        .nsapPointer: [.name(compressible: false)],
        .px: [.word, .name(compressible: false), .name(compressible: false)],
        .gpos: [.string, .string, .string],
        .loc: [.special(.location)],
        .kx: [.word, .name(compressible: false)],
        .cert: [.special(.code(octets: 2, .certificates)), .word, algorithm, .base64],
        .apl: [.special(.prefixes)],
        .key: [.word, .octet, algorithm, .optionalBase64],
        .ipsecKey: [.octet, .octet, .octet, .special(.gateway), .optionalBase64],
        .amtRelay: [.octet, .special(.relay)],
        .dhcid: [.base64],
        .talink: [.name(compressible: false), .name(compressible: false)],
        .ds: [.word, algorithm, .octet, .hex],
        .cds: [.word, algorithm, .octet, .hex],
        .dlv: [.word, algorithm, .octet, .hex],
        .dnskey: [.word, .octet, algorithm, .base64],
        .cdnskey: [.word, .octet, algorithm, .base64],
        .nsec3param: [.octet, .octet, .word, .special(.salt)],
        .csync: [.long, .word, .special(.types)],
        .zonemd: [.long, .octet, .octet, .hex],
        .openPGPKey: [.base64],
        .sshfp: [.octet, .octet, .hex],
        .tlsa: [.octet, .octet, .octet, .hex],
        .smimea: [.octet, .octet, .octet, .hex],
        .svcb: [.word, .name(compressible: false), .serviceParameters],
        .https: [.word, .name(compressible: false), .serviceParameters],
        .nid: [.word, .special(.groups)],
        .l32: [.word, .v4Address],
        .l64: [.word, .special(.groups)],
        .lp: [.word, .name(compressible: false)],
        .eui48: [.special(.hyphenated(6))],
        .eui64: [.special(.hyphenated(8))],
        .uri: [.word, .word, .text],
        .caa: [.octet, .string, .text],
    ]
}
