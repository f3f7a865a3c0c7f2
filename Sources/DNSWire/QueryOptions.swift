/// The EDNS options that few queries have and that ask for something in the reply: NSID (RFC 5001), COOKIE (RFC 7873) and
/// edns-tcp-keepalive (RFC 7828). Read apart from the rest of a query, so that queries without them pay nothing.
package struct QueryOptions: Sendable {
    /// NSID.
    package static let identifier: UInt16 = 3
    /// edns-tcp-keepalive.
    package static let keepalive: UInt16 = 11
    /// Extended DNS error (RFC 8914), in replies only.
    package static let extendedError: UInt16 = 15

    package private(set) var asksIdentifier = false
    package private(set) var asksKeepalive = false
    /// Where the data of the first COOKIE option stands in the message; empty when there is none. Only the first counts
    /// (RFC 7873 section 5.2).
    package private(set) var cookie = 0..<0

    /// Reads the options of `message`, whose records begin at `position`. What cannot be read is passed over.
    package init(_ message: RawSpan, recordsAt position: Int) {
        guard message.byteCount >= messageHeaderSize else { return }
        var position = position
        for _ in 0..<(Int(message.word(at: 6)) + Int(message.word(at: 8)) + Int(message.word(at: 10))) {
            guard Query.skipName(message, &position) != nil, position + 10 <= message.byteCount else { return }
            let type = message.word(at: position)
            let data = position + 10
            position = data + Int(message.word(at: position + 8))
            guard position <= message.byteCount else { return }
            if type == RecordType.opt.rawValue {
                read(message, data..<position)
                return
            }
        }
    }

    private mutating func read(_ message: RawSpan, _ range: Range<Int>) {
        var position = range.lowerBound
        while position + 4 <= range.upperBound {
            let length = Int(message.word(at: position + 2))
            let end = position + 4 + length
            guard end <= range.upperBound else { return }
            switch message.word(at: position) {
            case Self.identifier: asksIdentifier = true
            case Self.keepalive: asksKeepalive = true
            case ServerCookie.optionCode where cookie.isEmpty && ServerCookie.isOptionLength(length):
                cookie = (position + 4)..<end
            default: break
            }
            position = end
        }
    }
}

/// Info codes of extended DNS errors (RFC 8914 section 4).
package enum ExtendedError: UInt16, Sendable {
    case staleAnswer = 3
    case prohibited = 18
    case notAuthoritative = 20
    case notSupported = 21
    /// IANA registry: the answer was made from something else than a record of its own.
    case synthesized = 29
}
