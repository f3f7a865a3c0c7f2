import DNSWire
package import Model

/// Answers queries: bytes in, bytes out, with no socket in sight. One belongs to each worker.
///
/// An answer allocates nothing and counts no references: the tables are read through bare pointers that the worker keeps
/// alive (see `ResponderState`), and what must be written is copied from answers made ahead.
@safe
package struct Responder {
    package enum Transport {
        case udp
        case tcp
    }

    /// How many aliases (DNAME) are followed in one answer.
    static let maximumAliases = 8
    /// The largest message over TCP.
    static let maximumTCPSize = 65_535

    var zones: ZoneTable.View
    var dynamics: DynamicTable.View
    /// The largest UDP reply, 512 ... 4096, and what is said of it in EDNS.
    var maximumUDPSize: Int
    var random: UInt64
    /// Two folded names: the one asked for, and the one that an alias leads to.
    let names: UnsafeMutableRawPointer
    /// Tallies in the order of `QueryCounter`; the worker adds them to its counters between turns.
    let tallies: UnsafeMutablePointer<UInt64>

    /// Answers `query`.
    ///
    /// `client`: the source address of the query.
    /// `output`: at least 512 octets; only so many are used as the transport and the client allow.
    /// Returns octets written; 0 sends no reply.
    @inline(__always)
    package mutating func answer(
        _ message: UnsafeRawBufferPointer, from client: IPAddress, over transport: Transport,
        into output: UnsafeMutableRawBufferPointer
    ) -> Int {
        tally(transport == .udp ? .udp : .tcp)
        var query = Query()
        let disposition = unsafe query.read(message.bytes)
        guard let source = message.baseAddress, let target = output.baseAddress else { return 0 }
        let allowed = transport == .udp ? min(query.payloadSize, maximumUDPSize) : Self.maximumTCPSize
        var reply = unsafe ReplyWriter(query: source, output: target, limit: min(allowed, output.count))
        switch disposition {
        case .drop:
            tally(.dropped)
            return 0
        case .refuse(let code):
            return refuse(query, code, &reply)
        case .answer:
            return look(query, from: client, &reply)
        }
    }

    @inline(__always)
    private mutating func look(_ query: Query, from client: IPAddress, _ reply: inout ReplyWriter) -> Int {
        // Meta types from TKEY (249) to ANY (255) and other classes than IN are rare enough to share a branch.
        if query.questionClass != 1 || query.type &- 249 < 7 { return lookRare(query, from: client, &reply) }
        let hash = unsafe FoldedName.copy(
            reply.query + messageHeaderSize, length: query.nameLength, readable: query.nameLength &+ 4, to: names)
        guard let place = unsafe zones.place(names, length: query.nameLength, labels: query.labelCount, hash: hash)
        else { return refuse(query, .refused, &reply) }
        var node = unsafe zones.nodes + Int(place.node)
        if !place.isExact {
            switch unsafe FlatNode.Below(rawValue: node.pointee.belowKind) {
            case .wildcard:
                unsafe node = zones.nodes + Int(node.pointee.below)
            case .alias:
                return unsafe followAlias(query, alias: node.pointee.below, &reply)
            case .answer, nil:
                return unsafe finish(query, node.pointee.below, zones.answers, scope: 0, &reply)
            }
        }
        return unsafe finish(query, node, from: client, &reply)
    }

    /// Answers from the entries of `node`.
    @inline(__always)
    private mutating func finish(
        _ query: Query, _ node: UnsafeMutablePointer<FlatNode>, from client: IPAddress, _ reply: inout ReplyWriter
    ) -> Int {
        var entry = unsafe zones.entries + Int(node.pointee.entries)
        let end = unsafe entry + Int(node.pointee.entryCount)
        while unsafe entry < end {
            if unsafe entry.pointee.type == query.type {
                if unsafe entry.pointee.isDynamic == 0 {
                    return unsafe finish(query, entry.pointee.answer, zones.answers, scope: 0, &reply)
                }
                return unsafe steer(query, node.pointee.dynamic, slot: entry.pointee.answer, from: client, &reply)
            }
            unsafe entry += 1
        }
        if unsafe node.pointee.dynamicOther != FlatNode.none {
            return unsafe steer(query, node.pointee.dynamic, slot: node.pointee.dynamicOther, from: client, &reply)
        }
        return unsafe finish(query, node.pointee.other, zones.answers, scope: 0, &reply)
    }

    /// Answers a dynamic name by the client's class.
    @inline(__always)
    private mutating func steer(
        _ query: Query, _ name: UInt32, slot: UInt32, from client: IPAddress, _ reply: inout ReplyWriter
    ) -> Int {
        tally(.dynamic)
        random ^= random >> 12
        random ^= random << 25
        random ^= random >> 27
        let draw = random &* 0x2545_f491_4f6c_dd1d
        guard query.hasSubnet, query.subnet.sourceLength > 0 else {
            // A subnet of length 0 asks us not to look at the client (RFC 7871 section 7.1.2): its resolver decides.
            let chosen = dynamics.choose(name: name, slot: slot, client: client.canonical, draw: draw)
            return finish(query, chosen.answer, dynamics.answers, scope: 0, &reply)
        }
        let address = query.subnet.address
        let isMapped = address.family == .v6 && query.subnet.sourceLength >= 96
        let canonical = isMapped ? address.canonical : address
        let chosen = dynamics.choose(name: name, slot: slot, client: canonical, draw: draw)
        // IPv4 inside IPv6 begins behind 96 bits.
        let shift: UInt8 = canonical.family != address.family ? 96 : 0
        return finish(query, chosen.answer, dynamics.answers, scope: chosen.scope &+ shift, &reply)
    }

    /// Writes one whole ready-made answer.
    @inline(__always)
    private mutating func finish(
        _ query: Query, _ index: UInt32, _ store: AnswerStore.View, scope: UInt8, _ reply: inout ReplyWriter
    ) -> Int {
        let answer = unsafe store.answers + Int(index)
        let start = query.questionEnd
        let length = unsafe Int(answer.pointee.length)
        let extra = optionSize(query)
        tallyCode(unsafe answer.pointee.code)
        guard start &+ length &+ extra <= reply.limit else { return unsafe truncate(query, answer, scope, &reply) }
        unsafe reply.writeHeader(query, flags: answer.pointee.flags)
        unsafe reply.setCounts(
            answer.pointee.answers, answer.pointee.authorities,
            answer.pointee.additionals &+ (extra > 0 ? 1 : 0))
        reply.copyQuestion(query)
        unsafe reply.append(answer, store, suffixAt: messageHeaderSize, nameLength: query.nameLength, at: start)
        if extra == 0 { return start &+ length }
        return writeOptions(query, code: 0, scope: scope, at: start &+ length, &reply)
    }

    // MARK: EDNS

    /// Octets of the OPT record of the reply; 0 when the query has none (RFC 6891 section 7).
    @inline(__always)
    private func optionSize(_ query: Query) -> Int {
        guard query.hasEDNS else { return 0 }
        return query.hasSubnet ? 11 &+ query.subnet.encodedSize : 11
    }

    @inline(__always)
    private mutating func writeOptions(
        _ query: Query, code: UInt16, scope: UInt8, at position: Int, _ reply: inout ReplyWriter
    ) -> Int {
        tally(.edns)
        let end = reply.writeOption(query, payloadSize: maximumUDPSize, code: code, at: position)
        guard query.hasSubnet else { return end }
        tally(.subnet)
        return reply.writeSubnet(query.subnet, scope: scope, optionAt: position)
    }

    // MARK: Replies without an answer

    /// Header, question and OPT with TC set: the client comes again over TCP.
    @inline(never)
    private mutating func truncate(
        _ query: Query, _ answer: UnsafeMutablePointer<FlatAnswer>, _ scope: UInt8, _ reply: inout ReplyWriter
    ) -> Int {
        tally(.truncated)
        return unsafe bare(
            query, flags: answer.pointee.flags | HeaderFlag.truncated, code: 0, subnetScope: scope, &reply)
    }

    @inline(never)
    private mutating func refuse(_ query: Query, _ code: ResponseCode, _ reply: inout ReplyWriter) -> Int {
        tallyCode(code.rawValue)
        // The opcode is repeated, so that a client can tell which request was not understood (RFC 8906 section 3.1.4).
        let flags = HeaderFlag.response | query.flags & HeaderFlag.opcode | code.rawValue & HeaderFlag.responseCode
        return bare(query, flags: flags, code: code.rawValue, subnetScope: nil, &reply)
    }

    private mutating func bare(
        _ query: Query, flags: UInt16, code: UInt16, subnetScope: UInt8?, _ reply: inout ReplyWriter
    ) -> Int {
        reply.writeHeader(query, flags: flags)
        reply.setCounts(0, 0, query.hasEDNS ? 1 : 0, questions: query.hasQuestion ? 1 : 0)
        if query.hasQuestion { reply.copyQuestion(query) }
        var position = query.questionEnd
        if query.hasEDNS {
            var plain = query
            plain.hasSubnet = query.hasSubnet && subnetScope != nil
            position = writeOptions(plain, code: code, scope: subnetScope ?? 0, at: position, &reply)
        }
        return position
    }

    // MARK: The rare

    @inline(never)
    private mutating func lookRare(_ query: Query, from client: IPAddress, _ reply: inout ReplyWriter) -> Int {
        // Class ANY is answered from IN (RFC 1035 section 3.2.5); CHAOS and Hesiod have nothing here.
        guard query.questionClass == 1 || query.questionClass == 255 else {
            return refuse(query, .refused, &reply)
        }
        // Transfers are not served.
        let type = RecordType(rawValue: query.type)
        guard type != .axfr, type != .ixfr else { return refuse(query, .refused, &reply) }
        let hash = unsafe FoldedName.copy(
            reply.query + messageHeaderSize, length: query.nameLength, readable: query.nameLength &+ 4, to: names)
        guard let place = unsafe zones.place(names, length: query.nameLength, labels: query.labelCount, hash: hash)
        else { return refuse(query, .refused, &reply) }
        var node = unsafe zones.nodes + Int(place.node)
        if !place.isExact {
            switch unsafe FlatNode.Below(rawValue: node.pointee.belowKind) {
            case .wildcard:
                unsafe node = zones.nodes + Int(node.pointee.below)
            case .alias:
                return unsafe followAlias(query, alias: node.pointee.below, &reply)
            case .answer, nil:
                return unsafe finish(query, node.pointee.below, zones.answers, scope: 0, &reply)
            }
        }
        // ANY gets one small set, not everything (RFC 8482 section 4).
        if type == .any { return unsafe finish(query, node.pointee.any, zones.answers, scope: 0, &reply) }
        return unsafe finish(query, node, from: client, &reply)
    }

    /// DNAME (RFC 6672 section 3.2): the record, a CNAME made for this query, and what that leads to in the same zone.
    @inline(never)
    private mutating func followAlias(_ query: Query, alias first: UInt32, _ reply: inout ReplyWriter) -> Int {
        var chain = unsafe AliasChain(query: query, reply: reply, room: names, zones: zones)
        let result = chain.follow(alias: first, reserve: optionSize(query))
        tallyCode(result.code)
        guard !result.isTooLong else {
            tally(.truncated)
            let flags = HeaderFlag.response | HeaderFlag.authoritative | HeaderFlag.truncated
            return bare(query, flags: flags, code: 0, subnetScope: 0, &reply)
        }
        reply.writeHeader(
            query, flags: HeaderFlag.response | HeaderFlag.authoritative | result.code & HeaderFlag.responseCode)
        reply.setCounts(
            result.answers, result.authorities, result.additionals &+ (query.hasEDNS ? 1 : 0))
        guard query.hasEDNS else { return result.end }
        return writeOptions(query, code: 0, scope: 0, at: result.end, &reply)
    }

    // MARK: Tallies

    @inline(__always)
    private func tally(_ counter: QueryCounter) {
        unsafe tallies[counter.rawValue] &+= 1
    }

    @inline(__always)
    private func tallyCode(_ code: UInt16) {
        switch ResponseCode(rawValue: code) {
        case .noError: tally(.noError)
        case .nameError: tally(.nameError)
        case .refused: tally(.refused)
        case .formatError: tally(.formatError)
        case .notImplemented: tally(.notImplemented)
        case .badVersion: tally(.badVersion)
        default: tally(.otherCode)
        }
    }
}
