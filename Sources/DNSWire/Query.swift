import Model

/// What stands in a query, as far as an authoritative server needs it. A plain value: reading one allocates nothing.
package struct Query {
    /// What to do with a query.
    package enum Disposition: Equatable {
        /// Too short for a header, or itself a response: no reply (RFC 1035 section 7.3; replies to replies loop).
        case drop
        /// Reply with this code; `hasQuestion` says whether the question can be repeated.
        case refuse(ResponseCode)
        case answer
        /// The same, and the query has options that ask for something in the reply: see `QueryOptions`.
        case answerOptions
    }

    package var id: UInt16 = 0
    package var flags: UInt16 = 0
    /// Octets of the name in the question, at offset 12 of the message; 0 when there is no usable question.
    package var nameLength = 0
    /// Labels in the name, the root not counted.
    package var labelCount = 0
    package var type: UInt16 = 0
    package var questionClass: UInt16 = 0

    package var hasEDNS = false
    package var hasSubnet = false
    package var wantsDNSSEC = false
    /// The largest UDP reply that the client takes: 512 without EDNS, never less with it (RFC 6891 section 6.2.3).
    package var payloadSize = 512
    /// Meaningful when `hasSubnet`.
    package var subnet = ClientSubnet(address: IPAddress(v4: 0), sourceLength: 0)

    /// Where the TSIG record of a query begins that has a sound one; else 0.
    package var signatureStart = 0

    package init() {}

    package var hasQuestion: Bool { nameLength > 0 }

    /// Octets of header and question, which a reply repeats.
    package var questionEnd: Int { messageHeaderSize &+ (nameLength > 0 ? nameLength &+ 4 : 0) }

    /// Reads `message` into this value, which must be fresh.
    @inline(__always)
    package mutating func read(_ message: RawSpan) -> Disposition {
        let count = message.byteCount
        guard count >= messageHeaderSize else { return .drop }
        id = message.word(at: 0)
        flags = message.word(at: 2)
        guard flags & HeaderFlag.response == 0 else { return .drop }
        guard flags & HeaderFlag.opcode == 0 else { return .refuse(.notImplemented) }
        // One question; whether anything but additional records follows it is as one comparison of three counts.
        let isUsual = message.long(at: 4) == 0x0001_0000 && message.word(at: 8) == 0
        guard isUsual || message.word(at: 4) == 1 else { return .refuse(.formatError) }
        var position = messageHeaderSize
        var labels = 0
        while true {
            guard position < count else { return .refuse(.formatError) }
            let length = Int(unsafe message.unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self))
            position &+= length &+ 1
            if length == 0 { break }
            // Pointers have no place in a question: there is nothing before it to point at.
            guard length <= Name.maximumLabelLength else { return .refuse(.formatError) }
            labels &+= 1
        }
        let length = position &- messageHeaderSize
        guard length <= Name.maximumLength, position &+ 4 <= count else { return .refuse(.formatError) }
        nameLength = length
        labelCount = labels
        let typeAndClass = message.long(at: position)
        type = UInt16(truncatingIfNeeded: typeAndClass >> 16)
        questionClass = UInt16(truncatingIfNeeded: typeAndClass)
        let additional = message.word(at: 10)
        position &+= 4
        if !isUsual { return readAll(message, additional: additional, position: position) }
        guard additional > 0 else { return .answer }
        return readAdditional(message, count: additional, position: position)
    }

    /// A query with records in the answer or authority section, such as an IXFR with the SOA that the client has (RFC 1995
    /// section 3). They ask nothing of us; what only stands in the additional section is malformed here.
    @inline(never)
    private mutating func readAll(_ message: RawSpan, additional: UInt16, position: Int) -> Disposition {
        var position = position
        for _ in 0..<(Int(message.word(at: 6)) + Int(message.word(at: 8))) {
            guard let record = Record(message, &position), record.type != RecordType.opt.rawValue,
                record.type != RecordType.tsig.rawValue
            else { return .refuse(.formatError) }
        }
        return readAdditional(message, count: additional, position: position)
    }

    /// A record that is passed over or looked into.
    private struct Record {
        let isRoot: Bool
        let type: UInt16
        /// Where its type stands.
        let fixed: Int
        let data: Range<Int>

        /// Moves `position` behind the record; nil when it is not whole.
        init?(_ message: RawSpan, _ position: inout Int) {
            guard let isRoot = Query.skipName(message, &position), position + 10 <= message.byteCount else {
                return nil
            }
            self.isRoot = isRoot
            fixed = position
            type = message.word(at: position)
            data = (position + 10)..<(position + 10 + Int(message.word(at: position + 8)))
            guard data.upperBound <= message.byteCount else { return nil }
            position = data.upperBound
        }
    }

    /// Reads a query that has no question, only additional records, into this value, which must be fresh.
    package mutating func readWithoutQuestion(_ message: RawSpan) -> Disposition {
        guard message.byteCount >= messageHeaderSize else { return .drop }
        id = message.word(at: 0)
        flags = message.word(at: 2)
        guard flags & (HeaderFlag.response | HeaderFlag.opcode) == 0, message.long(at: 4) == 0, message.word(at: 8) == 0
        else { return .refuse(.formatError) }
        return readAdditional(message, count: message.word(at: 10), position: messageHeaderSize)
    }

    /// Looks for the one OPT record (RFC 6891 section 6.1.1) and a signature (RFC 8945 section 5.1: at the end, and only one)
    /// among `count` records; the others are passed over.
    private mutating func readAdditional(_ message: RawSpan, count: UInt16, position: Int) -> Disposition {
        var position = position
        var verdict = Disposition.answer
        for index in 0..<count {
            let start = position
            guard let record = Record(message, &position) else { return .refuse(.formatError) }
            if record.type == RecordType.opt.rawValue {
                guard record.isRoot, !hasEDNS else { return .refuse(.formatError) }
                hasEDNS = true
                payloadSize = max(512, Int(message.word(at: record.fixed + 2)))
                wantsDNSSEC = message.word(at: record.fixed + 6) & 0x8000 != 0
                if message.octet(at: record.fixed + 5) != 0 {
                    // The options of a later version may mean anything: they are not looked at (section 6.1.3).
                    verdict = .refuse(.badVersion)
                } else {
                    verdict = readOptions(message, record.data)
                    if verdict == .refuse(.formatError) { return verdict }
                }
            } else if record.type == RecordType.tsig.rawValue {
                guard index == count - 1, QuerySignature(message, at: start) != nil else {
                    return .refuse(.formatError)
                }
                signatureStart = start
                // A signature comes before all else that the query may have asked for.
                return .refuse(.notAuthorized)
            }
        }
        return verdict
    }

    /// FORMERR when an option is malformed. Unknown options are passed over (RFC 6891 section 6.1.2).
    private mutating func readOptions(_ message: RawSpan, _ range: Range<Int>) -> Disposition {
        var position = range.lowerBound
        var verdict = Disposition.answer
        while position < range.upperBound {
            guard position + 4 <= range.upperBound else { return .refuse(.formatError) }
            let code = message.word(at: position)
            let length = Int(message.word(at: position + 2))
            position += 4
            guard position + length <= range.upperBound else { return .refuse(.formatError) }
            switch code {
            case ClientSubnet.optionCode:
                switch ClientSubnet.parse(message, offset: position, length: length) {
                case .malformed: return .refuse(.formatError)
                case .unknownFamily: break
                case .subnet(let subnet):
                    guard !hasSubnet else { return .refuse(.formatError) }
                    hasSubnet = true
                    self.subnet = subnet
                }
            case QueryOptions.identifier, QueryOptions.keepalive:
                verdict = .answerOptions
            case ServerCookie.optionCode:
                guard ServerCookie.isOptionLength(length) else { return .refuse(.formatError) }
                verdict = .answerOptions
            default: break
            }
            position += length
        }
        return verdict
    }

    /// Moves `position` behind a name; true when it is the root, nil when it runs over the end.
    static func skipName(_ message: RawSpan, _ position: inout Int) -> Bool? {
        let start = position
        while position < message.byteCount {
            let length = Int(message.octet(at: position))
            if length == 0 {
                position += 1
                return position == start + 1
            }
            if length & 0xc0 == 0xc0 {
                position += 2
                return false
            }
            guard length & 0xc0 == 0 else { return nil }
            position += length + 1
        }
        return nil
    }
}
