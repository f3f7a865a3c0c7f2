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
}

extension RecordType {
    /// The fields of the record data; nil for types that are only known in the form of RFC 3597.
    var layout: [RecordField]? {
        switch self {
        case .a: [.v4Address]
        case .aaaa: [.v6Address]
        case .ns, .cname, .ptr: [.name(compressible: true)]
        case .dname: [.name(compressible: false)]
        case .soa:
            [
                .name(compressible: true), .name(compressible: true), .long, .seconds, .seconds, .seconds, .seconds,
            ]
        case .hinfo: [.string, .string]
        case .mx: [.word, .name(compressible: true)]
        case .txt: [.strings]
        case .rp: [.name(compressible: false), .name(compressible: false)]
        case .srv: [.word, .word, .word, .name(compressible: false)]
        case .naptr: [.word, .word, .string, .string, .string, .name(compressible: false)]
        case .ds: [.word, .octet, .octet, .hex]
        case .sshfp: [.octet, .octet, .hex]
        case .tlsa: [.octet, .octet, .octet, .hex]
        case .caa: [.octet, .string, .text]
        default: nil
        }
    }
}
