/// A request head (RFC 9112 section 3), parsed strictly: what two readers could understand differently is refused.
///
/// Made once and used again for every request of a worker; all slices are offsets into the bytes that were parsed.
package final class RequestHead {
    package struct Limits: Sendable, Hashable {
        /// Octets of the whole head, at most 65,535.
        package var size: Int
        /// Octets of the request target. RFC 9112 section 3 wants 8,000 at least.
        package var target: Int
        /// Field lines, at most `FieldTable.capacity`.
        package var fields: Int
        /// Whether a target may hold UTF-8 beyond ASCII, and its query backslashes, as they are: no URI does, but many a client
        /// sends them.
        package var takesRawTargets: Bool

        package init(size: Int = 16 * 1024, fields: Int = 100, takesRawTargets: Bool = false) {
            self.takesRawTargets = takesRawTargets
            self.size = min(max(size, 64), 65_535)
            target = self.size
            self.fields = min(max(fields, 1), FieldTable.capacity)
        }
    }

    package let fields = FieldTable()
    /// Octets up to and including the empty line.
    package internal(set) var length = 0
    package internal(set) var method = Method.get
    package internal(set) var methodText = Slice.empty
    /// As received.
    package internal(set) var target = Slice.empty
    /// Without the query; empty for an absolute-form target without a path, which means `/`, and for `OPTIONS *`.
    package internal(set) var path = Slice.empty
    /// With the question mark; empty when there is none.
    package internal(set) var query = Slice.empty
    /// The path has something to normalise (an escape, a dot segment): `PathNormaliser` makes the one that counts.
    package internal(set) var pathNeedsNormalising = false
    /// Path or query hold UTF-8 beyond ASCII, or the query a backslash, which go on percent-encoded.
    package internal(set) var isTargetRaw = false
    package internal(set) var isAsterisk = false
    /// The target named the authority, which then overrides Host (RFC 9112 section 3.2.2).
    package internal(set) var isAbsolute = false
    /// 0 or 1.
    package internal(set) var minorVersion = 1
    /// Host and port, as received.
    package internal(set) var authority = Slice.empty
    /// Without the port.
    package internal(set) var host = Slice.empty
    package internal(set) var framing = BodyFraming.none
    /// What Content-Length said, be it 0.
    package internal(set) var contentLength: UInt64?
    /// The client wants the connection to persist (RFC 9112 section 9.3).
    package internal(set) var keepsAlive = true
    package internal(set) var expectsContinue = false
    /// What Upgrade says, when there is one such field and `Connection: upgrade`; else empty.
    package internal(set) var upgrade = Slice.empty
    /// What Meridian-Check says; empty when there is none.
    package internal(set) var checkMark = Slice.empty
    /// Connection names fields other than the usual ones.
    package var hasConnectionOptions: Bool { fields.hasOptions }
    /// The value of Max-Forwards, which only TRACE and OPTIONS heed (RFC 9110 section 7.6.2).
    package internal(set) var maxForwards: Int?
    // What access logs quote.
    package internal(set) var userAgent = Slice.empty
    package internal(set) var referer = Slice.empty
    /// What X-Request-ID says, when there is one such field that can be quoted anywhere: 1 to 128 letters, digits and
    /// `-._~+/=:@`. Else empty.
    package internal(set) var requestID = Slice.empty

    package init() {}

    /// Parses a head from the start of `bytes`.
    package func parse(_ bytes: RawSpan, limits: Limits) -> HeadResult {
        var start = 0
        // A server ignores an empty line before the request line (RFC 9112 section 2.2); two are plenty.
        while start < 4, start &+ 1 < bytes.byteCount, bytes.octet(start) == Octet.carriageReturn,
            bytes.octet(start &+ 1) == Octet.lineFeed
        {
            start &+= 2
        }
        if start &+ 1 == bytes.byteCount, bytes.octet(start) == Octet.carriageReturn { return .incomplete }
        switch parseRequestLine(bytes, from: start, limits) {
        case .invalid(let fault): return .invalid(fault)
        case .incomplete: return incomplete(bytes, limits, inTarget: true)
        case .end(let offset):
            let parser = FieldParser(maximumCount: limits.fields, allowsSpaceBeforeColon: false)
            switch parser.parse(bytes, from: offset, into: fields) {
            case .invalid(let fault): return .invalid(fault)
            case .incomplete: return incomplete(bytes, limits, inTarget: false)
            case .end(let end):
                guard end <= limits.size else { return .invalid(.headTooLarge) }
                length = end
            }
        }
        if let fault = interpret(bytes) { return .invalid(fault) }
        return .complete
    }

    private func incomplete(_ bytes: RawSpan, _ limits: Limits, inTarget: Bool) -> HeadResult {
        guard bytes.byteCount >= limits.size else { return .incomplete }
        return .invalid(inTarget ? .targetTooLong : .headTooLarge)
    }

    /// Takes in what the fields say about framing, persistence and the host.
    private func interpret(_ bytes: RawSpan) -> HeadFault? {
        var facts = FramingFacts()
        var hostField: Slice?
        var upgrades = UpgradeFacts()
        var identifiers = 0
        var connection = ConnectionFacts()
        expectsContinue = false
        maxForwards = nil
        checkMark = .empty
        userAgent = .empty
        referer = .empty
        requestID = .empty
        for index in 0..<fields.count {
            let field = fields[index]
            switch field.id {
            case .other: continue
            case .host:
                guard hostField == nil else { return .invalidHost }
                hostField = field.value
            case .contentLength, .transferEncoding:
                if let fault = facts.take(field, bytes) { return fault }
            case .connection:
                if let fault = connection.take(field.value, bytes, fields) { return fault }
            case .upgrade: upgrades.take(field.value)
            case .expect:
                guard bytes.equals(field.value, ignoringCase: "100-continue") else { return .unsupportedExpectation }
                // An HTTP/1.0 client does not mean it (RFC 9110 section 10.1.1).
                expectsContinue = minorVersion == 1
            case .checkMark: checkMark = field.value
            case .maxForwards:
                guard method == .options || method == .trace else { continue }
                guard let value = decimal(bytes, field.value) else { return .malformedField }
                maxForwards = Int(clamping: value)
            case .userAgent: userAgent = field.value
            case .referer: referer = field.value
            case .requestID:
                identifiers &+= 1
                requestID = identifiers == 1 && Self.isIdentifier(bytes, field.value) ? field.value : .empty
            default: continue
            }
        }
        keepsAlive = minorVersion == 1 ? !connection.close : connection.keepAlive && !connection.close
        upgrade = connection.upgrade && minorVersion == 1 ? upgrades.value : .empty
        contentLength = facts.contentLength
        if let fault = facts.requestFraming(minorVersion: minorVersion, into: &framing) { return fault }
        return interpretHost(bytes, hostField)
    }

    private static func isIdentifier(_ bytes: RawSpan, _ slice: Slice) -> Bool {
        guard slice.count <= 128 else { return false }
        for index in slice.start..<slice.end {
            switch bytes.octet(index) {
            // Digits and colon; at and capitals; letters; `+`; `-./`; `=`; `_`; `~`.
            case 0x30...0x3a, 0x40...0x5a, 0x61...0x7a, 0x2b, 0x2d...0x2f, 0x3d, 0x5f, 0x7e: continue
            default: return false
            }
        }
        return true
    }

    private func interpretHost(_ bytes: RawSpan, _ field: Slice?) -> HeadFault? {
        if !isAbsolute {
            guard let field else {
                // HTTP/1.0 knew no Host.
                authority = .empty
                host = .empty
                return minorVersion == 1 ? .invalidHost : nil
            }
            authority = field
        } else if field == nil && minorVersion == 1 {
            return .invalidHost
        }
        if isAbsolute, let field, Authority.host(in: bytes, field) == nil { return .invalidHost }
        guard let name = Authority.host(in: bytes, authority) else { return .invalidHost }
        host = name
        return nil
    }
}
