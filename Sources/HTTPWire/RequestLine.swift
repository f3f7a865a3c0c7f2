extension RequestHead {
    /// The characters of a path that need no second look: all visible ones but % ? # \ and /.
    @inline(__always)
    private static func isPlain(_ octet: UInt8) -> Bool {
        let bits: UInt64 = octet < 64 ? 0x7fff_7fd6_0000_0000 : 0x7fff_ffff_efff_ffff
        return octet < 128 && (bits >> UInt64(octet & 63)) & 1 == 1
    }

    /// `method SP request-target SP HTTP-version CRLF`, with single spaces.
    @inline(__always)
    func parseRequestLine(_ bytes: RawSpan, from start: Int, _ limits: Limits) -> FieldParser.Outcome {
        let count = bytes.byteCount
        var offset = start
        while offset < count, Octet.isToken(bytes.knownOctet(offset)) { offset &+= 1 }
        // No registered method has more than 17 characters; 32 leaves room for private ones.
        guard offset &- start <= 32 else { return .invalid(.malformedStartLine) }
        guard offset < count else { return .incomplete }
        guard bytes.octet(offset) == Octet.space, offset > start else { return .invalid(.malformedStartLine) }
        methodText = Slice(start, offset)
        method = Method.recognise(bytes, methodText)
        offset &+= 1

        let targetStart = offset
        switch parseTarget(bytes, from: offset, limits) {
        case .end(let end): offset = end
        case let other: return other
        }
        target = Slice(targetStart, offset)
        guard !target.isEmpty else { return .invalid(.malformedStartLine) }
        guard target.count <= limits.target else { return .invalid(.targetTooLong) }
        offset &+= 1
        return parseVersion(bytes, from: offset)
    }

    private func parseVersion(_ bytes: RawSpan, from start: Int) -> FieldParser.Outcome {
        guard start &+ 10 <= bytes.byteCount else {
            // So that nonsense is refused before the head's deadline.
            for index in start..<bytes.byteCount {
                let octet = bytes.octet(index)
                if octet == Octet.lineFeed && index < start &+ 9 { return .invalid(.malformedStartLine) }
            }
            return .incomplete
        }
        // "HTTP/1." as a little-endian word, the version's last digit left out.
        let word = bytes.word(start)
        guard word & 0x00ff_ffff_ffff == 0x002f_5054_5448 else { return .invalid(.malformedStartLine) }
        let major = UInt8(truncatingIfNeeded: word >> 40)
        let minor = UInt8(truncatingIfNeeded: word >> 56)
        guard Octet.isDigit(major), UInt8(truncatingIfNeeded: word >> 48) == Octet.dot, Octet.isDigit(minor),
            bytes.octet(start &+ 8) == Octet.carriageReturn, bytes.octet(start &+ 9) == Octet.lineFeed
        else { return .invalid(.malformedStartLine) }
        guard major == 0x31 else { return .invalid(.unsupportedVersion) }
        // A higher minor version is understood as 1.1 (RFC 9110 section 2.5).
        minorVersion = minor == 0x30 ? 0 : 1
        return .end(start &+ 10)
    }

    /// Origin, absolute or asterisk form; `.end` is the offset of the space behind it.
    private func parseTarget(_ bytes: RawSpan, from start: Int, _ limits: Limits) -> FieldParser.Outcome {
        guard start < bytes.byteCount else { return .incomplete }
        isAsterisk = false
        isAbsolute = false
        isTargetRaw = false
        if method == .connect { return .invalid(.methodNotAllowed) }
        let first = bytes.octet(start)
        if first == Octet.slash { return parsePath(bytes, from: start, limits) }
        if first == 0x2a {
            guard start &+ 1 < bytes.byteCount else { return .incomplete }
            guard method == .options, bytes.octet(start &+ 1) == Octet.space else {
                return .invalid(.malformedTarget)
            }
            isAsterisk = true
            path = .empty
            query = .empty
            pathNeedsNormalising = false
            return .end(start &+ 1)
        }
        return parseAbsolute(bytes, from: start, limits)
    }

    private func parseAbsolute(_ bytes: RawSpan, from start: Int, _ limits: Limits) -> FieldParser.Outcome {
        var offset = start
        // "https://" and "http://" are the only schemes with a meaning here.
        while offset < bytes.byteCount, offset < start &+ 6, bytes.octet(offset) != Octet.colon { offset &+= 1 }
        guard offset &+ 3 <= bytes.byteCount else { return .incomplete }
        let scheme = Slice(start, offset)
        guard bytes.equals(scheme, ignoringCase: "http") || bytes.equals(scheme, ignoringCase: "https"),
            bytes.equals(Slice(offset, offset &+ 3), ignoringCase: "://")
        else { return .invalid(.malformedTarget) }
        offset &+= 3
        let authorityStart = offset
        while offset < bytes.byteCount {
            let octet = bytes.octet(offset)
            if octet == Octet.slash || octet == Octet.question || octet <= Octet.space { break }
            offset &+= 1
        }
        guard offset < bytes.byteCount else { return .incomplete }
        isAbsolute = true
        authority = Slice(authorityStart, offset)
        guard !authority.isEmpty else { return .invalid(.malformedTarget) }
        return parsePath(bytes, from: offset, limits)
    }

    /// Path and query up to the space. Fragments, backslashes in the path and bytes that no URI has are refused.
    @inline(__always)
    private func parsePath(_ bytes: RawSpan, from start: Int, _ limits: Limits) -> FieldParser.Outcome {
        let count = bytes.byteCount
        var offset = start
        var needsNormalising = false
        while offset < count {
            let octet = bytes.knownOctet(offset)
            if Self.isPlain(octet) {
                offset &+= 1
                continue
            }
            if octet == Octet.slash {
                offset &+= 1
                if offset < count, bytes.octet(offset) == Octet.dot { needsNormalising = true }
                continue
            }
            if octet == Octet.percent {
                offset &+= 1
            } else {
                let length = rawLength(bytes, offset, limits)
                if length == 0 { break }
                offset &+= length
            }
            needsNormalising = true
        }
        path = Slice(start, offset)
        pathNeedsNormalising = needsNormalising
        query = Slice(offset, offset)
        guard offset < count else { return .incomplete }
        if bytes.octet(offset) == Octet.question {
            while offset < count {
                let octet = bytes.knownOctet(offset)
                if Self.isPlain(octet) || octet == Octet.slash || octet == Octet.percent || octet == Octet.question {
                    offset &+= 1
                } else if octet == Octet.backslash, limits.takesRawTargets {
                    // Separates nothing behind the question mark. No URI has it, but browsers leave it as it is there.
                    isTargetRaw = true
                    offset &+= 1
                } else {
                    let length = rawLength(bytes, offset, limits)
                    if length == 0 { break }
                    offset &+= length
                }
            }
            guard offset < count else { return .incomplete }
            query = Slice(path.end, offset)
        }
        return bytes.octet(offset) == Octet.space ? .end(offset) : .invalid(.malformedTarget)
    }

    /// The octets of the character beyond ASCII at `offset`, or of as much of it as is there; 0 when there is none that may
    /// stand here.
    private func rawLength(_ bytes: RawSpan, _ offset: Int, _ limits: Limits) -> Int {
        guard limits.takesRawTargets else { return 0 }
        let length = Octet.characterLength(bytes, offset)
        if length > 0 { isTargetRaw = true }
        return length
    }
}
