/// What the Connection fields of a head say.
struct ConnectionFacts {
    /// Options in all Connection fields of one head. More serve no purpose but to make us look for them.
    static let maximumOptions = 16

    var close = false
    var keepAlive = false
    var upgrade = false
    private var count = 0

    /// Takes in one Connection field. Options that name other fields are noted in `fields`.
    mutating func take(_ value: Slice, _ bytes: RawSpan, _ fields: FieldTable) -> HeadFault? {
        // What nearly every Connection field says.
        if value.count == 10, FieldName.isKeepAlive(bytes, value.start) {
            keepAlive = true
            count &+= 1
            return count <= Self.maximumOptions ? nil : .tooManyOptions
        }
        var list = TokenList(value)
        while let option = list.next(bytes) {
            count &+= 1
            guard count <= Self.maximumOptions else { return .tooManyOptions }
            switch option.count {
            case 5 where bytes.equals(option, ignoringCase: "close"): close = true
            case 7 where bytes.equals(option, ignoringCase: "upgrade"): upgrade = true
            case 10 where bytes.equals(option, ignoringCase: "keep-alive"): keepAlive = true
            default: fields.appendOption(option)
            }
        }
        return nil
    }
}

/// What the Upgrade fields of a head say: of several, nothing.
struct UpgradeFacts {
    private(set) var value = Slice.empty
    private var count = 0

    mutating func take(_ field: Slice) {
        count &+= 1
        value = count == 1 ? field : .empty
    }
}

/// What Content-Length and Transfer-Encoding say, and the one body length that follows (RFC 9112 section 6.3).
struct FramingFacts {
    private(set) var contentLength: UInt64?
    private(set) var hasTransferCoding = false
    private var isChunked = false
    private var hasUnknownCoding = false
    /// Codings that are known and not understood, before a final chunked.
    private var hasOtherCoding = false
    private var isAmbiguous = false

    /// A second Content-Length is refused even when it agrees: nobody sends it by accident. Of Transfer-Encoding there is one
    /// line, and it says `chunked` and nothing else: readers differ about empty elements and about lines to be joined.
    mutating func take(_ field: Field, _ bytes: RawSpan) -> HeadFault? {
        if field.id == .contentLength {
            guard contentLength == nil, let value = decimal(bytes, field.value) else { return .invalidContentLength }
            contentLength = value
            return nil
        }
        guard !hasTransferCoding else { return .ambiguousFraming }
        hasTransferCoding = true
        if bytes.equals(field.value, ignoringCase: "chunked") {
            isChunked = true
            return nil
        }
        // Refused in any case; with which status is all that is left to find out.
        var last = Slice.empty
        var list = TokenList(field.value)
        while let coding = list.next(bytes) {
            if !last.isEmpty, bytes.equals(last, ignoringCase: "chunked") { return .ambiguousFraming }
            if bytes.equals(coding, ignoringCase: "chunked") {
                isAmbiguous = last.isEmpty
            } else if Self.isRegistered(coding, bytes) {
                hasOtherCoding = true
            } else {
                hasUnknownCoding = true
            }
            last = coding
        }
        if last.isEmpty || !bytes.equals(last, ignoringCase: "chunked") { isAmbiguous = true }
        return nil
    }

    private static func isRegistered(_ coding: Slice, _ bytes: RawSpan) -> Bool {
        bytes.equals(coding, ignoringCase: "gzip") || bytes.equals(coding, ignoringCase: "deflate")
            || bytes.equals(coding, ignoringCase: "compress") || bytes.equals(coding, ignoringCase: "identity")
            || bytes.equals(coding, ignoringCase: "x-gzip") || bytes.equals(coding, ignoringCase: "x-compress")
    }

    func requestFraming(minorVersion: Int, into framing: inout BodyFraming) -> HeadFault? {
        guard hasTransferCoding else {
            framing = contentLength.map { $0 == 0 ? .none : .length($0) } ?? .none
            return nil
        }
        if contentLength != nil || minorVersion == 0 { return .ambiguousFraming }
        if hasUnknownCoding { return .unsupportedTransferCoding }
        if isAmbiguous { return .ambiguousFraming }
        if hasOtherCoding { return .unsupportedTransferCoding }
        guard isChunked else { return .ambiguousFraming }
        framing = .chunked
        return nil
    }

    func responseFraming(minorVersion: Int, bodyless: Bool, into framing: inout BodyFraming) -> HeadFault? {
        if hasTransferCoding {
            if contentLength != nil || minorVersion == 0 { return .ambiguousFraming }
            guard isChunked else { return .unsupportedTransferCoding }
            framing = bodyless ? .none : .chunked
            return nil
        }
        if bodyless {
            framing = .none
        } else if let contentLength {
            framing = contentLength == 0 ? .none : .length(contentLength)
        } else {
            framing = .untilClose
        }
        return nil
    }
}

/// 1 to 18 digits and nothing else: no sign, no list, no white space, below 10^18.
func decimal(_ bytes: RawSpan, _ slice: Slice) -> UInt64? {
    guard slice.count >= 1, slice.count <= 18 else { return nil }
    var value: UInt64 = 0
    for index in slice.start..<slice.end {
        let octet = bytes.octet(index)
        guard Octet.isDigit(octet) else { return nil }
        value = value &* 10 &+ UInt64(octet &- 0x30)
    }
    return value
}
