package import Model

/// The client subnet option (RFC 7871 section 6).
package struct ClientSubnet: Hashable, Sendable {
    package static let optionCode: UInt16 = 8

    /// The first `sourceLength` bits of the client's address, the rest zero.
    package var address: IPAddress
    /// How many bits of the address the resolver tells: 0 ... 32 or 128.
    package var sourceLength: UInt8

    package init(address: IPAddress, sourceLength: UInt8) {
        self.address = address
        self.sourceLength = sourceLength
    }

    package enum Parsed: Hashable, Sendable {
        case subnet(ClientSubnet)
        /// A family that we do not know: the option is passed over.
        case unknownFamily
        /// A scope in a query, a length over the family's width, too few or too many octets, bits set behind the
        /// source length: FORMERR (RFC 7871 sections 6 and 7.1.2).
        case malformed
    }

    /// The subnet in a query as resolvers send it: in an OPT record right behind the question, as its first option. Nil when
    /// it stands elsewhere or is not sound; for fetching ahead, where being wrong costs time alone.
    package static func glimpse(_ message: RawSpan) -> ClientSubnet? {
        var position = messageHeaderSize
        while position < message.byteCount, case let length = Int(message.octet(at: position)), length != 0 {
            position += length + 1
        }
        // The root, type and class of the question, the record's 11 octets, then the option's code and length.
        let option = position + 5 + 11
        guard option + 4 <= message.byteCount, message.word(at: option) == optionCode else { return nil }
        let length = Int(message.word(at: option + 2))
        guard option + 4 + length <= message.byteCount,
            case .subnet(let subnet) = parse(message, offset: option + 4, length: length)
        else { return nil }
        return subnet
    }

    /// Reads the `length` octets of the option that begin at `offset`, which must be in bounds.
    package static func parse(_ message: RawSpan, offset: Int, length: Int) -> Parsed {
        guard length >= 4 else { return .malformed }
        let family = message.word(at: offset)
        let source = message.octet(at: offset + 2)
        guard message.octet(at: offset + 3) == 0 else { return .malformed }
        guard family == 1 || family == 2 else { return .unknownFamily }
        let octets = length - 4
        guard Int(source) <= (family == 1 ? 32 : 128), octets == (Int(source) + 7) / 8 else { return .malformed }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for index in 0..<octets {
            let octet = UInt64(message.octet(at: offset + 4 + index))
            if index < 8 { high |= octet << UInt64(56 - 8 * index) } else { low |= octet << UInt64(120 - 8 * index) }
        }
        let address = IPAddress(family: family == 1 ? .v4 : .v6, high: high, low: low)
        guard IPPrefix(address, length: Int(source)).address == address else { return .malformed }
        return .subnet(ClientSubnet(address: address, sourceLength: source))
    }

    /// Octets that `write` needs, option code and length included: 8 ... 24.
    package var encodedSize: Int { 8 + (Int(sourceLength) + 7) / 8 }

    /// Writes the option of an answer: what was asked, with `scope` as the width of the prefix that decided.
    ///
    /// `output`: at least `encodedSize` octets.
    /// Returns octets written.
    @unsafe
    package func write(scope: UInt8, to output: UnsafeMutableRawPointer) -> Int {
        let octets = (Int(sourceLength) + 7) / 8
        unsafe output.storeBytes(of: Self.optionCode.bigEndian, as: UInt16.self)
        unsafe output.storeBytes(of: UInt16(4 + octets).bigEndian, toByteOffset: 2, as: UInt16.self)
        unsafe output.storeBytes(of: UInt16(address.family == .v4 ? 1 : 2).bigEndian, toByteOffset: 4, as: UInt16.self)
        unsafe output.storeBytes(of: sourceLength, toByteOffset: 6, as: UInt8.self)
        unsafe output.storeBytes(of: scope, toByteOffset: 7, as: UInt8.self)
        for index in 0..<octets {
            unsafe output.storeBytes(of: address.byte(at: index), toByteOffset: 8 + index, as: UInt8.self)
        }
        return 8 + octets
    }
}
