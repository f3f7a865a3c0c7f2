import DNSWire

/// Writes a reply. The caller has checked that what it writes fits.
@safe
struct ReplyWriter {
    let query: UnsafeRawPointer
    let output: UnsafeMutableRawPointer
    /// Octets of the query.
    let queryLength: Int
    /// Octets of room at `output`.
    let capacity: Int
    let isDatagram: Bool

    /// The query's octets.
    var message: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: query, count: queryLength) }

    /// Id of the query; its opcode and RD in `flags` beside those given (RFC 1035 section 4.1.1).
    @inline(__always)
    func writeHeader(_ query: Query, flags: UInt16) {
        let all = flags | query.flags & HeaderFlag.recursionDesired
        unsafe output.storeBytes(of: query.id.bigEndian, as: UInt16.self)
        unsafe output.storeBytes(of: all.bigEndian, toByteOffset: 2, as: UInt16.self)
    }

    @inline(__always)
    func setCounts(_ answers: UInt16, _ authorities: UInt16, _ additionals: UInt16, questions: UInt16 = 1) {
        let counts =
            UInt64(questions) << 48 | UInt64(answers) << 32 | UInt64(authorities) << 16 | UInt64(additionals)
        unsafe output.storeBytes(of: counts.bigEndian, toByteOffset: 4, as: UInt64.self)
    }

    /// Repeats the question as it came, so that its case is kept (RFC 4343 section 4.1, and 0x20 mixing).
    @inline(__always)
    func copyQuestion(_ query: Query) {
        unsafe (output + messageHeaderSize).copyMemory(
            from: self.query + messageHeaderSize, byteCount: query.nameLength &+ 4)
    }

    /// Copies the octets of a ready-made answer and moves its compression pointers where the name is not the one that it
    /// was laid out for.
    ///
    /// `suffixAt`: where the name stands that takes the question's part: 12, or in the data of an alias.
    /// `nameLength`: its octets.
    /// `position`: where the octets go.
    /// `turn`: where answers with several records turn next; moves on with each of them.
    @inline(__always)
    func append(
        _ answer: UnsafeMutablePointer<FlatAnswer>, suffixAt: Int, nameLength: Int, at position: Int,
        turn: inout UInt64
    ) {
        guard unsafe answer.pointee.turns == 0 else {
            return unsafe appendTurned(answer, suffixAt: suffixAt, nameLength: nameLength, at: position, &turn)
        }
        unsafe (output + position).copyMemory(
            from: answer.octetsAhead(answer.pointee.octets), byteCount: Int(answer.pointee.length))
        let suffixLength = unsafe Int(answer.pointee.suffixLength)
        if suffixAt != messageHeaderSize || nameLength != suffixLength {
            unsafe movePointers(answer, suffixAt: suffixAt, nameLength: nameLength, at: position)
        }
    }

    /// What was copied in another order: the octets from `begin` to `end`, `offset` of them later than before.
    private struct Turned {
        var begin: Int
        var end: Int
        var offset: Int

        /// Where the octet is now that stood at `place`.
        func place(_ place: Int) -> Int {
            guard place >= begin, place < end else { return place }
            let moved = place &- offset
            return moved >= begin ? moved : moved &+ end &- begin
        }
    }

    @inline(never)
    private func appendTurned(
        _ answer: UnsafeMutablePointer<FlatAnswer>, suffixAt: Int, nameLength: Int, at position: Int,
        _ turn: inout UInt64
    ) {
        let turned = unsafe copyTurned(answer, at: position, &turn)
        let suffixLength = unsafe Int(answer.pointee.suffixLength)
        if suffixAt != messageHeaderSize || nameLength != suffixLength {
            unsafe movePointers(answer, turned, suffixAt: suffixAt, nameLength: nameLength, at: position)
        }
    }

    /// Copies an answer whose records may begin with any of them, with the next one first: each comes first equally often,
    /// in no order that one can see.
    private func copyTurned(
        _ answer: UnsafeMutablePointer<FlatAnswer>, at position: Int, _ turn: inout UInt64
    ) -> Turned {
        turn &+= 0x9e37_79b9_7f4a_7c15
        // Two rounds of a mixer: the steps alone would give names that are asked for in turn always the same ones.
        var mixed = (turn ^ turn >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        let count = unsafe Int(answer.pointee.turns)
        let index = Int(truncatingIfNeeded: ((mixed >> 32) &* UInt64(truncatingIfNeeded: count)) >> 32)
        let places = unsafe answer.ahead(answer.pointee.pointers, as: UInt32.self) + Int(answer.pointee.pointerCount)
        let begin = unsafe Int(places[0])
        let end = unsafe Int(places[count])
        let middle = unsafe Int(places[index])
        let source = unsafe answer.octetsAhead(answer.pointee.octets)
        let target = unsafe output + position
        if begin > 0 { unsafe target.copyMemory(from: source, byteCount: begin) }
        unsafe (target + begin).copyMemory(from: source + middle, byteCount: end &- middle)
        if middle > begin {
            unsafe (target + begin + (end &- middle)).copyMemory(from: source + begin, byteCount: middle &- begin)
        }
        let rest = unsafe Int(answer.pointee.length) &- end
        if rest > 0 { unsafe (target + end).copyMemory(from: source + end, byteCount: rest) }
        return Turned(begin: begin, end: end, offset: middle &- begin)
    }

    private func movePointers(
        _ answer: UnsafeMutablePointer<FlatAnswer>, suffixAt: Int, nameLength: Int, at position: Int
    ) {
        let asLaidOut = Turned(begin: 0, end: 0, offset: 0)
        unsafe movePointers(answer, asLaidOut, suffixAt: suffixAt, nameLength: nameLength, at: position)
    }

    /// Inlined, so that nothing is left of an order that is as it was.
    @inline(__always)
    private func movePointers(
        _ answer: UnsafeMutablePointer<FlatAnswer>, _ turned: Turned, suffixAt: Int, nameLength: Int, at position: Int
    ) {
        let suffixLength = unsafe Int(answer.pointee.suffixLength)
        // Laid out with the suffix at 12, type and class behind it, then the octets.
        let laidOutStart = messageHeaderSize &+ suffixLength &+ 4
        let suffixShift = suffixAt &- messageHeaderSize &+ nameLength &- suffixLength
        let octetShift = position &- laidOutStart
        let first = unsafe answer.ahead(answer.pointee.pointers, as: UInt32.self)
        let count = unsafe Int(answer.pointee.pointerCount)
        for index in 0..<count {
            let entry = unsafe first[index]
            let place = unsafe output + position + turned.place(Int(entry & ~FlatPointer.questionBit))
            var target = suffixAt
            if entry & FlatPointer.questionBit == 0 {
                let old = unsafe Int(UInt16(bigEndian: place.loadUnaligned(as: UInt16.self)) & 0x3fff)
                target = old &+ (old < laidOutStart ? suffixShift : octetShift)
            }
            unsafe place.storeBytes(of: (0xc000 | UInt16(truncatingIfNeeded: target)).bigEndian, as: UInt16.self)
        }
    }

    /// Writes an OPT record without options: version 0, DO as it came (RFC 3225 section 3), all other flags clear.
    ///
    /// - Returns: the position behind it.
    @inline(__always)
    func writeOption(_ query: Query, payloadSize: Int, code: UInt16, at position: Int) -> Int {
        let place = unsafe output + position
        unsafe place.storeBytes(of: 0, as: UInt8.self)
        unsafe place.storeBytes(of: RecordType.opt.rawValue.bigEndian, toByteOffset: 1, as: UInt16.self)
        unsafe place.storeBytes(
            of: UInt16(truncatingIfNeeded: payloadSize).bigEndian, toByteOffset: 3, as: UInt16.self)
        let extended = UInt32(code >> 4) << 24 | (query.wantsDNSSEC ? 0x8000 : 0)
        unsafe place.storeBytes(of: extended.bigEndian, toByteOffset: 5, as: UInt32.self)
        unsafe place.storeBytes(of: 0, toByteOffset: 9, as: UInt16.self)
        return position &+ 11
    }

    /// Adds an option behind the OPT record that ends the reply at `end`.
    ///
    /// `optionAt`: where the record begins.
    /// `data`: writes the option's data, `length` octets.
    ///
    /// - Returns: the new end.
    func addOption(
        _ code: UInt16, length: Int, optionAt position: Int, at end: Int, _ data: (UnsafeMutableRawPointer) -> Void
    ) -> Int {
        let place = unsafe output + end
        unsafe place.storeBytes(of: code.bigEndian, as: UInt16.self)
        unsafe place.storeBytes(
            of: UInt16(truncatingIfNeeded: length).bigEndian, toByteOffset: 2, as: UInt16.self)
        unsafe data(place + 4)
        let size = end &+ 4 &+ length &- position &- 11
        unsafe (output + position).storeBytes(
            of: UInt16(truncatingIfNeeded: size).bigEndian, toByteOffset: 9, as: UInt16.self)
        return end &+ 4 &+ length
    }

    /// Writes a TSIG record that says that the query's key is not known: names and time as they came, no code.
    ///
    /// - Returns: the position behind it.
    func writeUnknownKey(_ query: Query, _ signature: QuerySignature, at position: Int) -> Int {
        var place = unsafe output + position
        func copy(_ range: Range<Int>) {
            unsafe place.copyMemory(from: self.query + range.lowerBound, byteCount: range.count)
            unsafe place += range.count
        }
        func put(_ word: UInt16) {
            unsafe place.storeBytes(of: word.bigEndian, as: UInt16.self)
            unsafe place += 2
        }
        copy(signature.key)
        // TSIG, class ANY, TTL 0.
        put(RecordType.tsig.rawValue)
        put(255)
        put(0)
        put(0)
        put(UInt16(truncatingIfNeeded: signature.algorithm.count &+ 16))
        copy(signature.algorithm)
        copy(signature.time)
        // No code, the id, the error, nothing else.
        put(0)
        put(query.id)
        put(QuerySignature.badKey)
        put(0)
        return unsafe place - output
    }

    /// Adds the client subnet to the OPT record without options at `position`.
    func writeSubnet(_ subnet: ClientSubnet, scope: UInt8, optionAt position: Int) -> Int {
        let size = unsafe subnet.write(scope: scope, to: output + position + 11)
        unsafe (output + position).storeBytes(
            of: UInt16(truncatingIfNeeded: size).bigEndian, toByteOffset: 9, as: UInt16.self)
        return position &+ 11 &+ size
    }
}
