import DNSWire
package import Model

/// What few queries ask for: kept out of the way of the others.
extension Responder {
    /// Other classes than IN, and types that are no records.
    @inline(never)
    mutating func lookRare(_ query: Query, from client: IPAddress, _ reply: ReplyWriter) -> Int {
        if query.questionClass == 3 { return answerChaos(query, reply) }
        // Class ANY is answered from IN (RFC 1035 section 3.2.5); Hesiod has nothing here.
        guard query.questionClass == 1 || query.questionClass == 255 else {
            return refuse(query, .refused, .notSupported, reply)
        }
        // Transfers are not served.
        let type = RecordType(rawValue: query.type)
        guard type != .axfr, type != .ixfr else { return refuse(query, .refused, .prohibited, reply) }
        if type == .any { return find(query, from: client, reply, isAny: true) }
        return find(query, from: client, reply, isAny: false)
    }

    /// DNAME (RFC 6672 section 3.2): the record, a CNAME made for this query, and what that leads to in the same zone.
    @inline(never)
    mutating func followAlias(
        _ query: Query, alias first: UnsafeMutablePointer<FlatAlias>, _ reply: ReplyWriter
    ) -> Int {
        let room = limit(query, reply) &- optionSize(query)
        var chain = unsafe AliasChain(query: query, reply: reply, limit: room, room: names, zones: zones, turn: turn)
        let result = unsafe chain.follow(alias: first)
        turn = chain.turn
        tallyCode(result.code)
        guard !result.isTooLong else {
            tally(.truncated)
            let flags = HeaderFlag.response | HeaderFlag.authoritative | HeaderFlag.truncated
            return bare(query, flags: flags, code: 0, subnetScope: 0, reply)
        }
        reply.writeHeader(
            query, flags: HeaderFlag.response | HeaderFlag.authoritative | result.code & HeaderFlag.responseCode)
        reply.setCounts(
            result.answers, result.authorities, result.additionals &+ (query.hasEDNS ? 1 : 0))
        guard query.hasEDNS else { return result.end }
        let end = writeOptions(query, code: 0, scope: 0, at: result.end, reply)
        // The DNAME is a record of the zone, the CNAME is not.
        guard result.answers > 1 else { return end }
        trouble = .synthesized
        guard reserve == 0, end &+ 6 <= limit(query, reply) else { return end }
        return explain(.synthesized, optionAt: result.end, at: end, reply)
    }

    // MARK: Identity

    /// Class CHAOS: who answers and what it runs (RFC 4892), where the topology allows it.
    private mutating func answerChaos(_ query: Query, _ reply: ReplyWriter) -> Int {
        _ = fold(query, reply)
        let isText = query.type == RecordType.txt.rawValue || query.type == RecordType.any.rawValue
        guard isText,
            let text = unsafe conduct.pointee.chaosText(UnsafeRawBufferPointer(start: names, count: query.nameLength))
        else { return refuse(query, .refused, .prohibited, reply) }
        tallyCode(0)
        reply.writeHeader(query, flags: HeaderFlag.response | HeaderFlag.authoritative)
        reply.setCounts(1, 0, query.hasEDNS ? 1 : 0)
        reply.copyQuestion(query)
        let place = unsafe reply.output + query.questionEnd
        // The question's name, TXT, CHAOS, not to be kept.
        unsafe place.storeBytes(of: UInt64(0xc00c_0010_0003_0000).bigEndian, as: UInt64.self)
        unsafe place.storeBytes(of: UInt16(0), toByteOffset: 8, as: UInt16.self)
        unsafe place.storeBytes(of: UInt16(text.count + 1).bigEndian, toByteOffset: 10, as: UInt16.self)
        unsafe place.storeBytes(of: UInt8(text.count), toByteOffset: 12, as: UInt8.self)
        for index in text.indices { unsafe place.storeBytes(of: text[index], toByteOffset: 13 + index, as: UInt8.self) }
        let end = query.questionEnd &+ 13 &+ text.count
        return query.hasEDNS ? writeOptions(query, code: 0, scope: 0, at: end, reply) : end
    }

    // MARK: Options

    /// Answers a query with options that ask for something: the answer that the query has without them, in less room, and
    /// our options behind it.
    @inline(never)
    mutating func answerOptions(_ query: Query, from client: IPAddress, _ reply: ReplyWriter) -> Int {
        let asked = options(query, reply)
        let cookie = judge(asked, from: client, reply)
        return withOptions(asked, cookie, query, from: client, reply) { responder in
            // A client that asks with a bad cookie is told the good one, and comes again with it (RFC 7873 section 5.2.3).
            guard unsafe !reply.isDatagram || cookie != .unknown || !responder.conduct.pointee.requiresCookie else {
                return responder.refuse(query, .badCookie, nil, reply)
            }
            return responder.look(query, from: client, reply)
        }
    }

    /// A reply to a query that is refused before its question was looked at. BADVERS still carries cookie and identity.
    @inline(never)
    mutating func refuseWhole(
        _ query: Query, _ code: ResponseCode, from client: IPAddress, _ reply: ReplyWriter
    ) -> Int {
        if code == .notImplemented { return refuse(query, code, .notSupported, reply) }
        if code == .notAuthorized { return refuseSignature(query, reply) }
        if code == .badVersion {
            let asked = options(query, reply)
            return withOptions(asked, judge(asked, from: client, reply), query, from: client, reply) { responder in
                responder.refuse(query, code, nil, reply)
            }
        }
        return askForCookie(query, from: client, reply) ?? refuse(query, code, nil, reply)
    }

    /// A signed query: we have no keys, and say so without a signature (RFC 8945 section 5.2.1).
    private mutating func refuseSignature(_ query: Query, _ reply: ReplyWriter) -> Int {
        let end = refuse(query, .notAuthorized, nil, reply)
        guard let signature = unsafe QuerySignature(reply.message.bytes, at: query.signatureStart) else { return end }
        let added = signature.key.count &+ 10 &+ signature.algorithm.count &+ 16
        let room = reply.isDatagram ? min(512, reply.capacity) : reply.capacity
        // A key with a name of hundreds of octets is nobody's.
        guard end &+ added <= room else { return end }
        reply.setCounts(0, 0, query.hasEDNS ? 2 : 1)
        return reply.writeUnknownKey(query, signature, at: end)
    }

    /// The client wants nothing but a cookie: no question, and a COOKIE option (RFC 7873 section 5.4).
    private mutating func askForCookie(_ query: Query, from client: IPAddress, _ reply: ReplyWriter) -> Int? {
        let message = unsafe reply.message.bytes
        var whole = Query()
        guard whole.readWithoutQuestion(message) == .answerOptions else { return nil }
        let asked = QueryOptions(message, recordsAt: messageHeaderSize)
        guard !asked.cookie.isEmpty, unsafe !conduct.pointee.cookieKeys.isEmpty else { return nil }
        let cookie = judge(asked, from: client, reply)
        return withOptions(asked, cookie, whole, from: client, reply) { responder in
            responder.tallyCode(0)
            return responder.bare(whole, flags: HeaderFlag.response, code: 0, subnetScope: nil, reply)
        }
    }

    private func options(_ query: Query, _ reply: ReplyWriter) -> QueryOptions {
        unsafe QueryOptions(reply.message.bytes, recordsAt: query.questionEnd)
    }

    private func judge(
        _ asked: QueryOptions, from client: IPAddress, _ reply: ReplyWriter
    ) -> ServerCookie.Verdict? {
        guard !asked.cookie.isEmpty, unsafe !conduct.pointee.cookieKeys.isEmpty else { return nil }
        tally(.cookies)
        let verdict = unsafe ServerCookie.judge(
            reply.message.bytes, asked.cookie, client: client.canonical,
            time: conduct.pointee.time, keys: conduct.pointee.cookieKeys)
        if verdict != .unknown { tally(.goodCookies) }
        return verdict
    }

    /// Calls `body` for a reply with an OPT record at its end, and adds our options to that.
    private mutating func withOptions(
        _ asked: QueryOptions, _ cookie: ServerCookie.Verdict?, _ query: Query, from client: IPAddress,
        _ reply: ReplyWriter, _ body: (inout Responder) -> Int
    ) -> Int {
        let identity = asked.asksIdentifier ? unsafe conduct.pointee.identifier : []
        let asksKeepalive = asked.asksKeepalive && !reply.isDatagram
        // The longest that they can be; an extended error needs six octets.
        reserve =
            6 &+ (cookie == nil ? 0 : 4 &+ ServerCookie.size) &+ (identity.isEmpty ? 0 : 4 &+ identity.count)
            &+ (asksKeepalive ? 6 : 0)
        isTrusted = cookie != nil && cookie != .unknown
        repeatsSubnet = query.hasSubnet
        trouble = nil
        let usual = unquestioned
        unquestioned = 0
        var end = body(&self)
        let start = end &- 11 &- (repeatsSubnet ? query.subnet.encodedSize : 0)
        if !identity.isEmpty {
            end = unsafe reply.addOption(QueryOptions.identifier, length: identity.count, optionAt: start, at: end) {
                for index in identity.indices {
                    unsafe $0.storeBytes(of: identity[index], toByteOffset: index, as: UInt8.self)
                }
            }
        }
        if let cookie { end = write(cookie, asked.cookie, from: client, optionAt: start, at: end, reply) }
        if asksKeepalive {
            let limit = unsafe conduct.pointee.keepalive
            end = unsafe reply.addOption(QueryOptions.keepalive, length: 2, optionAt: start, at: end) {
                unsafe $0.storeBytes(of: limit.bigEndian, as: UInt16.self)
            }
        }
        if let trouble { end = explain(trouble, optionAt: start, at: end, reply) }
        reserve = 0
        isTrusted = false
        unquestioned = usual
        return end
    }

    /// The client's cookie as it came while it is fresh, else a new one.
    private func write(
        _ verdict: ServerCookie.Verdict, _ place: Range<Int>, from client: IPAddress, optionAt start: Int, at end: Int,
        _ reply: ReplyWriter
    ) -> Int {
        let message = unsafe reply.message
        return unsafe reply.addOption(
            ServerCookie.optionCode, length: ServerCookie.size, optionAt: start, at: end
        ) { output in
            if verdict == .good(isFresh: true) {
                let old = unsafe UnsafeRawBufferPointer(rebasing: message[place])
                unsafe UnsafeMutableRawBufferPointer(start: output, count: old.count).copyMemory(from: old)
            } else if let key = unsafe conduct.pointee.cookieKeys.first {
                let made = unsafe ServerCookie(
                    clientPart: ServerCookie.clientPart(message.bytes, at: place.lowerBound), client: client.canonical,
                    time: conduct.pointee.time, key: key)
                unsafe made.write(to: output)
            }
        }
    }

    /// Says why (RFC 8914 section 2), without words: codes are enough, and no words make a reply longer.
    func explain(_ reason: ExtendedError, optionAt start: Int, at end: Int, _ reply: ReplyWriter) -> Int {
        unsafe reply.addOption(QueryOptions.extendedError, length: 2, optionAt: start, at: end) {
            unsafe $0.storeBytes(of: reason.rawValue.bigEndian, as: UInt16.self)
        }
    }

    // MARK: Over the rate

    /// In place of an answer over the rate limit: header and question with TC, so that a client that has its address comes
    /// again over TCP; or BADCOOKIE for one that sent a cookie (RFC 7873 section 5.2.3).
    package mutating func slip(
        _ message: UnsafeRawBufferPointer, from client: IPAddress, into output: UnsafeMutableRawBufferPointer
    ) -> Int {
        var query = Query()
        let disposition = unsafe query.read(message.bytes)
        guard let source = message.baseAddress, let target = output.baseAddress, query.hasQuestion else { return 0 }
        let reply = unsafe ReplyWriter(
            query: source, output: target, queryLength: message.count, capacity: output.count, isDatagram: true)
        let flags = HeaderFlag.response | HeaderFlag.truncated
        guard disposition == .answerOptions else {
            return bare(query, flags: flags, code: 0, subnetScope: nil, reply)
        }
        let asked = options(query, reply)
        let cookie = judge(asked, from: client, reply)
        return withOptions(asked, cookie, query, from: client, reply) { responder in
            guard cookie == .unknown else {
                return responder.bare(query, flags: flags, code: 0, subnetScope: nil, reply)
            }
            return responder.refuse(query, .badCookie, nil, reply)
        }
    }
}
