package import Model

/// The data of one record in wire form, its names uncompressed.
package struct RecordData: Hashable, Sendable {
    package let type: RecordType
    /// 0 ... 65535 octets.
    package let wire: [UInt8]
    /// Where compressible names stand in `wire` (RFC 3597 section 4).
    package let compressibleNames: [Range<Int>]
    /// The first name in the data: the target of CNAME, NS, DNAME, MX, SRV and PTR, the primary server of SOA.
    package let target: Name?

    /// Takes data as it stands on the wire without compression.
    ///
    /// - Throws: `badRecordData` when it does not fit the layout of its type. Data of unknown types always fits.
    package init(type: RecordType, wire: [UInt8]) throws(WireError) {
        guard wire.count <= 0xffff else { throw .badRecordData }
        var reader = FieldReader(wire: wire)
        if let layout = type.layout {
            for field in layout { try reader.skip(field) }
            guard reader.position == wire.count else { throw .badRecordData }
        }
        self.type = type
        self.wire = wire
        self.compressibleNames = reader.compressibleNames
        self.target = reader.firstName
    }

    /// Takes data that was checked when it was read first.
    package init(checked type: RecordType, wire: [UInt8]) {
        var reader = FieldReader(wire: wire)
        if type.hasNames {
            for field in type.layout ?? [] { try? reader.skip(field) }
        }
        self.type = type
        self.wire = wire
        self.compressibleNames = reader.compressibleNames
        self.target = reader.firstName
    }

    package init(_ address: IPAddress) {
        self.type = address.family == .v4 ? .a : .aaaa
        self.wire = address.bytes
        self.compressibleNames = []
        self.target = nil
    }

    /// Seconds that a resolver may remember a negative answer: the last field of SOA (RFC 2308 section 4).
    package var negativeTTL: UInt32 {
        guard type == .soa else { return 0 }
        return wire.suffix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The serial number of SOA.
    package var serial: UInt32 {
        guard type == .soa else { return 0 }
        return wire.suffix(20).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }
}

/// Walks over the fields of record data and remembers the names.
private struct FieldReader {
    let wire: [UInt8]
    var position = 0
    var compressibleNames: [Range<Int>] = []
    var firstName: Name?

    init(wire: [UInt8]) { self.wire = wire }

    mutating func skip(_ field: RecordField) throws(WireError) {
        switch field {
        case .octet: try advance(1)
        case .word: try advance(2)
        case .long, .seconds, .v4Address: try advance(4)
        case .v6Address: try advance(16)
        case .string: try skipString()
        case .strings: repeat { try skipString() } while position < wire.count
        case .text: position = wire.count
        case .hex, .base64:
            guard position < wire.count else { throw .badRecordData }
            position = wire.count
        case .optionalBase64: position = wire.count
        case .optionalString: if position < wire.count { try skipString() }
        case .special(let field):
            guard let length = field.length(wire[...], at: position) else { throw .badRecordData }
            position += length
        case .serviceParameters:
            let priority = UInt16(wire[0]) << 8 | UInt16(wire[1])
            guard ServiceParameters.isValid(wire[position...], priority: priority) else { throw .badRecordData }
            position = wire.count
        case .name(let compressible): try skipName(compressible: compressible)
        }
    }

    private mutating func advance(_ count: Int) throws(WireError) {
        guard position + count <= wire.count else { throw .badRecordData }
        position += count
    }

    private mutating func skipString() throws(WireError) {
        guard position < wire.count else { throw .badRecordData }
        try advance(Int(wire[position]) + 1)
    }

    private mutating func skipName(compressible: Bool) throws(WireError) {
        let start = position
        while position < wire.count, wire[position] != 0 { position += Int(wire[position]) + 1 }
        guard position < wire.count, let name = Name(wire: Array(wire[start...position])) else { throw .badRecordData }
        position += 1
        if compressible { compressibleNames.append(start..<position) }
        firstName = firstName ?? name
    }
}
