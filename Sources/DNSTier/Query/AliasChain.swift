import DNSWire

/// Follows DNAME records for one query (RFC 6672): the only answers that are not ready-made, since each name below an
/// alias has a target of its own.
@safe
struct AliasChain {
    struct Result {
        var end: Int
        var code: UInt16 = ResponseCode.noError.rawValue
        var answers: UInt16 = 0
        var authorities: UInt16 = 0
        var additionals: UInt16 = 0
        var isTooLong = false
    }

    private let reply: ReplyWriter
    private let limit: Int
    private let room: UnsafeMutableRawPointer
    private let zones: ZoneTable.View
    /// As in `Responder`.
    private(set) var turn: UInt64
    private var result: Result
    /// Where the name stands that is being followed, and its octets.
    private var namePosition = messageHeaderSize
    private var nameLength: Int
    private let type: UInt16

    /// `room`: `FoldedName.capacity` octets for a folded name.
    /// `limit`: octets that the reply may have, of which some are kept free for the OPT record.
    init(
        query: Query, reply: ReplyWriter, limit: Int, room: UnsafeMutableRawPointer, zones: ZoneTable.View,
        turn: UInt64
    ) {
        self.turn = turn
        self.limit = limit
        self.reply = reply
        unsafe self.room = unsafe room
        self.zones = zones
        self.result = Result(end: query.questionEnd)
        self.nameLength = query.nameLength
        self.type = query.type
        reply.copyQuestion(query)
    }

    mutating func follow(alias first: UnsafeMutablePointer<FlatAlias>) -> Result {
        var alias = unsafe first
        for _ in 0..<Responder.maximumAliases {
            guard let next = unsafe step(alias) else { break }
            unsafe alias = next
        }
        return result
    }

    /// Writes one alias and what its target has. The next alias, when the target is below one.
    private mutating func step(_ alias: UnsafeMutablePointer<FlatAlias>) -> UnsafeMutablePointer<FlatAlias>? {
        guard unsafe append(alias.ahead(alias.pointee.answer, as: FlatAnswer.self)) else { return nil }
        let kept = unsafe nameLength &- Int(alias.pointee.ownerLength)
        let targetLength = unsafe Int(alias.pointee.targetLength)
        guard kept &+ targetLength <= Name.maximumLength else {
            result.code = ResponseCode.nameTooLong.rawValue
            return nil
        }
        let length = kept &+ targetLength
        guard result.end &+ 12 &+ length <= limit else { return unsafe tooLong() }
        unsafe writeLink(alias, kept: kept, length: length)
        // Whoever asks for a CNAME has one: it is not followed (RFC 1034 section 3.6.2), as no server does.
        guard type != RecordType.cname.rawValue else { return nil }
        // The target is looked up only while it stays in the zone.
        let name = unsafe reply.output + namePosition
        let hash = unsafe FoldedName.copy(UnsafeRawPointer(name), length: length, readable: length, to: room)
        guard unsafe isWithinZone(alias, length: length) else { return nil }
        let labels = unsafe countLabels(UnsafeRawPointer(name))
        guard let place = unsafe zones.place(room, length: length, labels: labels, hash: hash) else { return nil }
        var node = unsafe place.node
        if !place.isExact {
            switch unsafe FlatNode.Below(rawValue: node.pointee.belowKind) {
            case .alias: return unsafe node.ahead(node.pointee.below, as: FlatAlias.self)
            case .wildcard: unsafe node = node.ahead(node.pointee.below, as: FlatNode.self)
            case .answer, nil:
                _ = unsafe append(node.ahead(node.pointee.below, as: FlatAnswer.self))
                return nil
            }
        }
        // A dynamic name is left for the resolver to ask for: its answer depends on the client.
        guard unsafe node.pointee.dynamic == FlatNode.none else { return nil }
        _ = unsafe append(answer(of: node))
        return nil
    }

    private mutating func tooLong() -> UnsafeMutablePointer<FlatAlias>? {
        result.isTooLong = true
        return nil
    }

    /// The CNAME from the name being followed to its target, which becomes the name being followed.
    private mutating func writeLink(_ alias: UnsafeMutablePointer<FlatAlias>, kept: Int, length: Int) {
        let place = unsafe reply.output + result.end
        let owner = 0xc000 | UInt16(truncatingIfNeeded: namePosition)
        unsafe place.storeBytes(of: owner.bigEndian, as: UInt16.self)
        unsafe place.storeBytes(of: RecordType.cname.rawValue.bigEndian, toByteOffset: 2, as: UInt16.self)
        unsafe place.storeBytes(of: UInt16(1).bigEndian, toByteOffset: 4, as: UInt16.self)
        unsafe place.storeBytes(of: alias.pointee.ttl.bigEndian, toByteOffset: 6, as: UInt32.self)
        unsafe place.storeBytes(of: UInt16(truncatingIfNeeded: length).bigEndian, toByteOffset: 10, as: UInt16.self)
        unsafe (place + 12).copyMemory(from: reply.output + namePosition, byteCount: kept)
        unsafe (place + 12 + kept).copyMemory(
            from: alias.octetsAhead(alias.pointee.target), byteCount: Int(alias.pointee.targetLength))
        namePosition = result.end &+ 12
        nameLength = length
        result.end = namePosition &+ length
        result.answers &+= 1
    }

    private func isWithinZone(_ alias: UnsafeMutablePointer<FlatAlias>, length: Int) -> Bool {
        let originLength = unsafe Int(alias.pointee.originLength)
        var position = 0
        while length &- position > originLength {
            position &+= unsafe Int(room.load(fromByteOffset: position, as: UInt8.self)) &+ 1
        }
        guard length &- position == originLength else { return false }
        return unsafe FoldedName.equal(
            UnsafeRawPointer(room + position), alias.octetsAhead(alias.pointee.origin), length: originLength)
    }

    private func countLabels(_ name: UnsafeRawPointer) -> Int {
        var labels = 0
        var position = 0
        while case let length = unsafe Int(name.load(fromByteOffset: position, as: UInt8.self)), length != 0 {
            position &+= length &+ 1
            labels &+= 1
        }
        return labels
    }

    private func answer(of node: UnsafeMutablePointer<FlatNode>) -> UnsafeMutablePointer<FlatAnswer> {
        if type == RecordType.any.rawValue { return unsafe node.ahead(node.pointee.any, as: FlatAnswer.self) }
        let entries = unsafe node.ahead(node.pointee.entries, as: FlatEntry.self)
        let count = unsafe Int(node.pointee.entryCount)
        for index in 0..<count where unsafe entries[index].type == type {
            return unsafe (entries + index).ahead(entries[index].answer, as: FlatAnswer.self)
        }
        return unsafe node.ahead(node.pointee.other, as: FlatAnswer.self)
    }

    /// Appends a ready-made answer for the name being followed. False when it does not fit.
    private mutating func append(_ answer: UnsafeMutablePointer<FlatAnswer>) -> Bool {
        let length = unsafe Int(answer.pointee.length)
        guard result.end &+ length <= limit else {
            result.isTooLong = true
            return false
        }
        unsafe reply.append(answer, suffixAt: namePosition, nameLength: nameLength, at: result.end, turn: &turn)
        result.end &+= length
        result.code = unsafe UInt16(answer.pointee.code)
        result.answers &+= unsafe answer.pointee.answers
        result.authorities &+= unsafe answer.pointee.authorities
        result.additionals &+= unsafe answer.pointee.additionals
        return true
    }
}
