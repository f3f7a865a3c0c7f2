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
    /// The state of the draws among weighted answers.
    var random: UInt64
    /// Where answers with several records turn next: apart from the draws, which can be told again from their state alone.
    var turn: UInt64
    /// What the rare paths know beside: identity, cookies, limits.
    let conduct: UnsafeMutablePointer<Conduct>
    /// Octets that a reply may have whatever the query: no larger one is written without a look at the query's limits.
    var unquestioned: Int
    /// Octets that options of the reply under way will take behind the rest of it.
    var reserve = 0
    /// The query under way has shown a good cookie.
    var isTrusted = false
    /// The OPT record of the last reply repeats the client subnet; kept on rare paths only.
    var repeatsSubnet = true
    /// What is wrong with the last reply that is no answer (RFC 8914).
    var trouble: ExtendedError?
    /// Two folded names: the one asked for, and the one that an alias leads to.
    let names: UnsafeMutableRawPointer
    let lookAhead: LookAhead
    /// Tallies in the order of `QueryCounter`; the worker adds them to its counters between turns.
    let tallies: UnsafeMutablePointer<UInt64>
    let answerCounts: AnswerCounts.View

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
        let reply = unsafe ReplyWriter(
            query: source, output: target, queryLength: message.count, capacity: output.count,
            isDatagram: transport == .udp)
        switch disposition {
        case .drop:
            tally(.dropped)
            return 0
        case .refuse(let code):
            return refuseWhole(query, code, from: client, reply)
        case .answer:
            return look(query, from: client, reply)
        case .answerOptions:
            return answerOptions(query, from: client, reply)
        }
    }

    @inline(__always)
    mutating func look(_ query: Query, from client: IPAddress, _ reply: ReplyWriter) -> Int {
        // Meta types from TKEY (249) to ANY (255) and other classes than IN are rare enough to share a branch.
        if query.questionClass != 1 || query.type &- 249 < 7 { return lookRare(query, from: client, reply) }
        return find(query, from: client, reply, isAny: false)
    }

    @inline(__always)
    func fold(_ query: Query, _ reply: ReplyWriter) -> UInt64 {
        unsafe FoldedName.copy(
            reply.query + messageHeaderSize, length: query.nameLength, readable: query.nameLength &+ 4, to: names)
    }

    /// Finds the node that answers, and answers. `isAny` is a constant where this is called.
    @inline(__always)
    mutating func find(
        _ query: Query, from client: IPAddress, _ reply: ReplyWriter, isAny: Bool
    ) -> Int {
        let hash = fold(query, reply)
        guard let place = unsafe zones.place(names, length: query.nameLength, labels: query.labelCount, hash: hash)
        else { return refuse(query, .refused, .notAuthoritative, reply) }
        var node = unsafe place.node
        if !place.isExact {
            switch unsafe FlatNode.Below(rawValue: node.pointee.belowKind) {
            case .wildcard:
                unsafe node = node.ahead(node.pointee.below, as: FlatNode.self)
            case .alias:
                return unsafe followAlias(query, alias: node.ahead(node.pointee.below, as: FlatAlias.self), reply)
            case .answer, nil:
                return unsafe finish(query, node.ahead(node.pointee.below, as: FlatAnswer.self), scope: 0, reply)
            }
        }
        // ANY gets one small set, not everything (RFC 8482 section 4).
        if isAny { return unsafe finish(query, node.ahead(node.pointee.any, as: FlatAnswer.self), scope: 0, reply) }
        return unsafe finish(query, node, from: client, reply)
    }

    /// Answers from the entries of `node`.
    @inline(__always)
    private mutating func finish(
        _ query: Query, _ node: UnsafeMutablePointer<FlatNode>, from client: IPAddress, _ reply: ReplyWriter
    ) -> Int {
        var entry = unsafe node.ahead(node.pointee.entries, as: FlatEntry.self)
        let end = unsafe entry + Int(node.pointee.entryCount)
        while unsafe entry < end {
            if unsafe entry.pointee.type == query.type {
                if unsafe entry.pointee.isDynamic == 0 {
                    return unsafe finish(
                        query, entry.ahead(entry.pointee.answer, as: FlatAnswer.self), scope: 0, reply)
                }
                if unsafe entry.pointee.isDynamic == FlatEntry.above { return unsafe askAbove(query, entry, reply) }
                return unsafe steer(query, node.pointee.dynamic, slot: entry.pointee.answer, from: client, reply)
            }
            unsafe entry += 1
        }
        if unsafe node.pointee.dynamicOther != FlatNode.none {
            return unsafe steer(query, node.pointee.dynamic, slot: node.pointee.dynamicOther, from: client, reply)
        }
        return unsafe finish(query, node.ahead(node.pointee.other, as: FlatAnswer.self), scope: 0, reply)
    }

    /// DS at the apex of a zone: what the zone above says of it, where that is one of ours.
    @inline(never)
    private mutating func askAbove(
        _ query: Query, _ entry: UnsafeMutablePointer<FlatEntry>, _ reply: ReplyWriter
    ) -> Int {
        let length = query.nameLength &+ 1
        var answer = unsafe entry.ahead(entry.pointee.answer, as: FlatAnswer.self)
        if length <= Name.maximumLength {
            // Behind the folded name is room for another.
            let room = unsafe names + FoldedName.capacity
            unsafe room.storeBytes(of: FlatNode.aboveMark, as: UInt8.self)
            unsafe (room + 1).copyMemory(from: names, byteCount: query.nameLength)
            unsafe (room + length).storeBytes(of: 0, as: UInt64.self)
            let hash = unsafe FoldedName.hash(UnsafeRawPointer(room), length: length)
            if let node = unsafe zones.node(room, length: length, hash: hash) {
                unsafe answer = node.ahead(node.pointee.other, as: FlatAnswer.self)
            }
        }
        return unsafe finish(query, answer, scope: 0, reply)
    }

    /// Answers a dynamic name by the client's class.
    @inline(__always)
    private mutating func steer(
        _ query: Query, _ name: UInt32, slot: UInt32, from client: IPAddress, _ reply: ReplyWriter
    ) -> Int {
        tally(.dynamic)
        guard query.hasSubnet, query.subnet.sourceLength > 0 else {
            // A subnet of length 0 asks us not to look at the client (RFC 7871 section 7.1.2): its resolver decides.
            let chosen = unsafe dynamics.choose(name: name, slot: slot, client: client.canonical, random: &random)
            unsafe answerCounts.add(chosen.kind)
            return unsafe finish(query, chosen.answer, scope: 0, reply)
        }
        let address = query.subnet.address
        let isMapped = address.family == .v6 && query.subnet.sourceLength >= 96
        let canonical = isMapped ? address.canonical : address
        // IPv4 inside IPv6 begins behind 96 bits.
        let shift: UInt8 = canonical.family != address.family ? 96 : 0
        let chosen = unsafe dynamics.choose(
            name: name, slot: slot, client: canonical, source: query.subnet.sourceLength &- shift, random: &random)
        unsafe answerCounts.add(chosen.kind)
        return unsafe finish(query, chosen.answer, scope: chosen.scope &+ shift, reply)
    }

    /// Writes one whole ready-made answer.
    @inline(__always)
    private mutating func finish(
        _ query: Query, _ answer: UnsafeMutablePointer<FlatAnswer>, scope: UInt8, _ reply: ReplyWriter
    ) -> Int {
        let extra = optionSize(query)
        tallyCode(unsafe UInt16(answer.pointee.code))
        guard unsafe query.questionEnd &+ Int(answer.pointee.length) &+ extra <= unquestioned else {
            return unsafe finishLarge(query, answer, scope: scope, reply)
        }
        return unsafe write(query, answer, scope: scope, extra: extra, reply)
    }

    @inline(__always)
    private mutating func write(
        _ query: Query, _ answer: UnsafeMutablePointer<FlatAnswer>, scope: UInt8, extra: Int,
        _ reply: ReplyWriter
    ) -> Int {
        let start = query.questionEnd
        let length = unsafe Int(answer.pointee.length)
        unsafe reply.writeHeader(query, flags: answer.pointee.flags)
        unsafe reply.setCounts(
            answer.pointee.answers, answer.pointee.authorities,
            answer.pointee.additionals &+ (extra > 0 ? 1 : 0))
        reply.copyQuestion(query)
        unsafe reply.append(answer, suffixAt: messageHeaderSize, nameLength: query.nameLength, at: start, turn: &turn)
        if extra == 0 { return start &+ length }
        return writeOptions(query, code: 0, scope: scope, at: start &+ length, reply)
    }

    /// An answer that not every client may have, or that has something to tell: whole if the limits of this query allow
    /// it, else truncated.
    @inline(never)
    private mutating func finishLarge(
        _ query: Query, _ answer: UnsafeMutablePointer<FlatAnswer>, scope: UInt8,
        _ reply: ReplyWriter
    ) -> Int {
        let extra = optionSize(query)
        guard unsafe query.questionEnd &+ Int(answer.pointee.length) &+ extra <= limit(query, reply) else {
            return unsafe truncate(query, answer, scope, reply)
        }
        let end = unsafe write(query, answer, scope: scope, extra: extra, reply)
        guard query.hasEDNS, let told = unsafe ExtendedError(rawValue: answer.pointee.trouble) else { return end }
        tally(.stale)
        trouble = told
        // When options will follow, whoever writes them writes this too.
        guard reserve == 0, end &+ 6 <= limit(query, reply) else { return end }
        return explain(told, optionAt: end &- extra, at: end, reply)
    }

    /// Octets that the reply to `query` may have before the options that come at its end.
    func limit(_ query: Query, _ reply: ReplyWriter) -> Int {
        guard reply.isDatagram else { return min(Self.maximumTCPSize, reply.capacity) &- reserve }
        var allowed = min(query.payloadSize, maximumUDPSize, reply.capacity)
        let factor = unsafe conduct.pointee.amplification
        // Whoever shows our cookie has its own address: the reply goes to nobody else.
        if factor > 0, !isTrusted { allowed = min(allowed, Conduct.allowance(reply.queryLength, times: factor)) }
        return allowed &- reserve
    }

    // MARK: EDNS

    /// Octets of the OPT record of the reply; 0 when the query has none (RFC 6891 section 7).
    @inline(__always)
    func optionSize(_ query: Query) -> Int {
        guard query.hasEDNS else { return 0 }
        return query.hasSubnet ? 11 &+ query.subnet.encodedSize : 11
    }

    @inline(__always)
    mutating func writeOptions(
        _ query: Query, code: UInt16, scope: UInt8, at position: Int, _ reply: ReplyWriter
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
        _ query: Query, _ answer: UnsafeMutablePointer<FlatAnswer>, _ scope: UInt8, _ reply: ReplyWriter
    ) -> Int {
        tally(.truncated)
        return unsafe bare(
            query, flags: answer.pointee.flags | HeaderFlag.truncated, code: 0, subnetScope: scope, reply)
    }

    @inline(never)
    mutating func refuse(
        _ query: Query, _ code: ResponseCode, _ reason: ExtendedError? = nil, _ reply: ReplyWriter
    ) -> Int {
        tallyCode(code.rawValue)
        // The opcode is repeated, so that a client can tell which request was not understood (RFC 8906 section 3.1.4).
        let flags = HeaderFlag.response | query.flags & HeaderFlag.opcode | code.rawValue & HeaderFlag.responseCode
        let end = bare(query, flags: flags, code: code.rawValue, subnetScope: nil, reply)
        trouble = reason
        // When options will follow, whoever writes them writes this too.
        guard reserve == 0, query.hasEDNS, let reason else { return end }
        return explain(reason, optionAt: end &- 11, at: end, reply)
    }

    mutating func bare(
        _ query: Query, flags: UInt16, code: UInt16, subnetScope: UInt8?, _ reply: ReplyWriter
    ) -> Int {
        reply.writeHeader(query, flags: flags)
        reply.setCounts(0, 0, query.hasEDNS ? 1 : 0, questions: query.hasQuestion ? 1 : 0)
        if query.hasQuestion { reply.copyQuestion(query) }
        var position = query.questionEnd
        if query.hasEDNS {
            var plain = query
            plain.hasSubnet = query.hasSubnet && subnetScope != nil
            repeatsSubnet = plain.hasSubnet
            position = writeOptions(plain, code: code, scope: subnetScope ?? 0, at: position, reply)
        }
        return position
    }

    // MARK: Tallies

    @inline(__always)
    func tally(_ counter: QueryCounter) {
        unsafe tallies[counter.rawValue] &+= 1
    }

    @inline(__always)
    func tallyCode(_ code: UInt16) {
        switch ResponseCode(rawValue: code) {
        case .noError: tally(.noError)
        case .nameError: tally(.nameError)
        case .refused: tally(.refused)
        case .formatError: tally(.formatError)
        case .notImplemented: tally(.notImplemented)
        case .badVersion: tally(.badVersion)
        case .badCookie: tally(.badCookie)
        default: tally(.otherCode)
        }
    }
}
