/// Response codes (RFC 1035 section 4.1.1, RFC 2136, RFC 6891, RFC 7873).
package struct ResponseCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// 0 ... 15 in the header; larger ones need EDNS.
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let noError = Self(rawValue: 0)
    package static let formatError = Self(rawValue: 1)
    package static let serverFailure = Self(rawValue: 2)
    package static let nameError = Self(rawValue: 3)
    package static let notImplemented = Self(rawValue: 4)
    package static let refused = Self(rawValue: 5)
    package static let nameTooLong = Self(rawValue: 6)
    /// NOTAUTH, for a signature with a key that is not known (RFC 8945 section 5.2.1).
    package static let notAuthorized = Self(rawValue: 9)
    package static let badVersion = Self(rawValue: 16)
    package static let badCookie = Self(rawValue: 23)

    package var description: String {
        switch self {
        case .noError: "NOERROR"
        case .formatError: "FORMERR"
        case .serverFailure: "SERVFAIL"
        case .nameError: "NXDOMAIN"
        case .notImplemented: "NOTIMP"
        case .refused: "REFUSED"
        case .nameTooLong: "YXDOMAIN"
        case .notAuthorized: "NOTAUTH"
        case .badVersion: "BADVERS"
        case .badCookie: "BADCOOKIE"
        default: "RCODE\(rawValue)"
        }
    }
}

/// The second 16 bits of the header (RFC 1035 section 4.1.1).
package enum HeaderFlag {
    package static let response: UInt16 = 0x8000
    package static let opcode: UInt16 = 0x7800
    package static let authoritative: UInt16 = 0x0400
    package static let truncated: UInt16 = 0x0200
    package static let recursionDesired: UInt16 = 0x0100
    package static let responseCode: UInt16 = 0x000f
}

/// Octets in the header of a message.
package let messageHeaderSize = 12

/// A whole message, taken apart with all its names decompressed: for tools and tests, not for the data path.
package struct Message: Sendable, Hashable {
    package struct Record: Sendable, Hashable {
        package let owner: Name
        package let type: RecordType
        package let recordClass: UInt16
        package let ttl: UInt32
        /// Names decompressed.
        package let data: RecordData
    }

    package let id: UInt16
    package let flags: UInt16
    package let question: (name: Name, type: RecordType, questionClass: UInt16)?
    package let answer: [Record]
    package let authority: [Record]
    package let additional: [Record]

    package static func == (left: Self, right: Self) -> Bool {
        left.id == right.id && left.flags == right.flags && left.answer == right.answer
            && left.authority == right.authority && left.additional == right.additional
            && left.question?.name == right.question?.name && left.question?.type == right.question?.type
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(id)
        hasher.combine(flags)
        hasher.combine(answer)
    }

    package var code: ResponseCode {
        let extended = additional.first { $0.type == .opt }.map { UInt16(truncatingIfNeeded: $0.ttl >> 24) } ?? 0
        return ResponseCode(rawValue: flags & HeaderFlag.responseCode | extended << 4)
    }

    /// Reads a message with at most one question.
    package init(_ message: RawSpan) throws(WireError) {
        guard message.byteCount >= messageHeaderSize else { throw .truncated }
        self.id = message.word(at: 0)
        self.flags = message.word(at: 2)
        var position = messageHeaderSize
        let questions = message.word(at: 4)
        if questions == 0 {
            self.question = nil
        } else {
            let name = try Name.read(message, at: &position)
            guard position + 4 <= message.byteCount, questions == 1 else { throw .truncated }
            self.question = (name, RecordType(rawValue: message.word(at: position)), message.word(at: position + 2))
            position += 4
        }
        self.answer = try Self.section(message, message.word(at: 6), &position)
        self.authority = try Self.section(message, message.word(at: 8), &position)
        self.additional = try Self.section(message, message.word(at: 10), &position)
    }

    private static func section(
        _ message: RawSpan, _ count: UInt16, _ position: inout Int
    ) throws(WireError) -> [Record] {
        var records: [Record] = []
        for _ in 0..<count {
            let owner = try Name.read(message, at: &position)
            guard position + 10 <= message.byteCount else { throw .truncated }
            let type = RecordType(rawValue: message.word(at: position))
            let length = Int(message.word(at: position + 8))
            let end = position + 10 + length
            guard end <= message.byteCount else { throw .truncated }
            let data = try RecordData(type: type, message: message, range: (position + 10)..<end)
            records.append(
                Record(
                    owner: owner, type: type, recordClass: message.word(at: position + 2),
                    ttl: message.long(at: position + 4), data: data))
            position = end
        }
        return records
    }
}

extension RecordData {
    /// Reads record data out of a message and undoes the compression of its names.
    init(type: RecordType, message: RawSpan, range: Range<Int>) throws(WireError) {
        var wire: [UInt8] = []
        var position = range.lowerBound
        if let layout = type.layout {
            for field in layout {
                let count: Int
                switch field {
                case .name:
                    wire += try Name.read(message, at: &position).wire
                    continue
                case .octet: count = 1
                case .word: count = 2
                case .long, .seconds, .v4Address: count = 4
                case .v6Address: count = 16
                case .string:
                    guard position < range.upperBound else { throw .badRecordData }
                    count = Int(message.octet(at: position)) + 1
                case .optionalString:
                    count = position < range.upperBound ? Int(message.octet(at: position)) + 1 : 0
                case .special(let special):
                    let rest = (position..<max(position, range.upperBound)).map { message.octet(at: $0) }
                    guard let length = special.length((wire + rest)[...], at: wire.count) else {
                        throw .badRecordData
                    }
                    count = length
                case .strings, .text, .hex, .base64, .optionalBase64, .serviceParameters:
                    count = max(0, range.upperBound - position)
                }
                guard position + count <= range.upperBound else { throw .badRecordData }
                for index in position..<(position + count) { wire.append(message.octet(at: index)) }
                position += count
            }
            guard position == range.upperBound else { throw .badRecordData }
        } else {
            for index in range { wire.append(message.octet(at: index)) }
        }
        try self.init(type: type, wire: wire)
    }
}
