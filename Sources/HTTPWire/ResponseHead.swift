/// A response head (RFC 9112 section 4). Made once and used again, as `RequestHead` is.
package final class ResponseHead {
    package let fields = FieldTable()
    /// Octets up to and including the empty line.
    package private(set) var length = 0
    /// 100 ... 999. Those above 599 have no meaning but where they come from, and count as server errors (RFC 9110 section 15).
    package private(set) var status = 0
    /// From the status code to the end of the line: `200 OK`.
    package private(set) var statusText = Slice.empty
    /// 0 or 1.
    package private(set) var minorVersion = 1
    package private(set) var framing = BodyFraming.none
    /// What Content-Length said, be it about a body that is not sent (HEAD); nil for 1xx and 204, which may not say it (RFC
    /// 9110 section 8.6), and 304, where it tells nothing (RFC 9111 section 3.2).
    package private(set) var contentLength: UInt64?
    /// There is no body by the status, and yet the head spoke of one: Transfer-Encoding in a 204 or 304, or a length in a 204.
    package private(set) var announcesMissingBody = false
    package private(set) var keepsAlive = true
    /// What Upgrade says, when there is one such field and `Connection: upgrade`; else empty.
    package private(set) var upgrade = Slice.empty
    package private(set) var hasDate = false

    package init() {}

    /// Parses a head from the start of `bytes`. `isHead` says that the request was HEAD, so that there is no body whatever
    /// the fields say; `limit` is in octets of the head, `fieldLimit` in field lines.
    package func parse(_ bytes: RawSpan, isHead: Bool, limit: Int, fieldLimit: Int) -> HeadResult {
        switch parseStatusLine(bytes) {
        case .invalid(let fault): return .invalid(fault)
        case .incomplete: return bytes.byteCount >= limit ? .invalid(.headTooLarge) : .incomplete
        case .end(let offset):
            let parser = FieldParser(maximumCount: fieldLimit, allowsSpaceBeforeColon: true)
            switch parser.parse(bytes, from: offset, into: fields) {
            case .invalid(let fault): return .invalid(fault)
            case .incomplete: return bytes.byteCount >= limit ? .invalid(.headTooLarge) : .incomplete
            case .end(let end):
                guard end <= limit else { return .invalid(.headTooLarge) }
                length = end
            }
        }
        if let fault = interpret(bytes, isHead: isHead) { return .invalid(fault) }
        return .complete
    }

    /// `HTTP/1.x SP 3DIGIT [SP reason] CRLF`
    private func parseStatusLine(_ bytes: RawSpan) -> FieldParser.Outcome {
        let count = bytes.byteCount
        guard count >= 14 else { return .incomplete }
        let word = bytes.word(0)
        guard word & 0x00ff_ffff_ffff_ffff == 0x002e_312f_5054_5448 else { return .invalid(.malformedStartLine) }
        let minor = UInt8(truncatingIfNeeded: word >> 56)
        let hundreds = bytes.octet(9) &- 0x30
        let tens = bytes.octet(10) &- 0x30
        let ones = bytes.octet(11) &- 0x30
        guard Octet.isDigit(minor), bytes.octet(8) == Octet.space, hundreds >= 1, hundreds < 10, tens < 10, ones < 10
        else { return .invalid(.malformedStartLine) }
        minorVersion = minor == 0x30 ? 0 : 1
        status = Int(hundreds) &* 100 &+ Int(tens) &* 10 &+ Int(ones)
        guard bytes.octet(12) == Octet.space || bytes.octet(12) == Octet.carriageReturn else {
            return .invalid(.malformedStartLine)
        }
        var offset = 12
        while offset < count {
            let octet = bytes.knownOctet(offset)
            if (octet < 0x20 && octet != Octet.tab) || octet == 0x7f { break }
            offset &+= 1
        }
        guard offset &+ 1 < count else { return .incomplete }
        guard bytes.octet(offset) == Octet.carriageReturn, bytes.octet(offset &+ 1) == Octet.lineFeed else {
            return .invalid(.malformedStartLine)
        }
        statusText = Slice(9, offset)
        return .end(offset &+ 2)
    }

    private func interpret(_ bytes: RawSpan, isHead: Bool) -> HeadFault? {
        var facts = FramingFacts()
        var connection = ConnectionFacts()
        var upgrades = UpgradeFacts()
        hasDate = false
        for index in 0..<fields.count {
            let field = fields[index]
            switch field.id {
            case .other: continue
            case .contentLength, .transferEncoding:
                if let fault = facts.take(field, bytes) { return fault }
            case .connection:
                if let fault = connection.take(field.value, bytes, fields) { return fault }
            case .upgrade: upgrades.take(field.value)
            case .date: hasDate = true
            default: continue
            }
        }
        keepsAlive = minorVersion == 1 ? !connection.close : connection.keepAlive && !connection.close
        contentLength = status < 200 || status == 204 || status == 304 ? nil : facts.contentLength
        upgrade = connection.upgrade ? upgrades.value : .empty
        announcesMissingBody =
            (status == 204 || status == 304) && facts.hasTransferCoding
            || status == 204 && (facts.contentLength ?? 0) > 0
        let bodyless = isHead || status < 200 || status == 204 || status == 304
        return facts.responseFraming(minorVersion: minorVersion, bodyless: bodyless, into: &framing)
    }
}
