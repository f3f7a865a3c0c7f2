/// Reads field lines (RFC 9112 section 5), the part that requests and responses share.
struct FieldParser {
    enum Outcome {
        /// The offset behind the empty line.
        case end(Int)
        case incomplete
        case invalid(HeadFault)
    }

    let maximumCount: Int
    /// White space before the colon is an error in a request and is taken out of a response (RFC 9112 section 5.1).
    let allowsSpaceBeforeColon: Bool

    @inline(__always)
    func parse(_ bytes: RawSpan, from start: Int, into fields: FieldTable) -> Outcome {
        let count = bytes.byteCount
        var offset = start
        fields.removeAll()
        while true {
            guard offset < count else { return .incomplete }
            let first = bytes.octet(offset)
            if first == Octet.carriageReturn {
                guard offset &+ 1 < count else { return .incomplete }
                return bytes.octet(offset &+ 1) == Octet.lineFeed ? .end(offset &+ 2) : .invalid(.malformedField)
            }
            if first == Octet.space || first == Octet.tab { return .invalid(.foldedField) }

            let nameStart = offset
            var hasUnderscore = false
            offset = Self.nameEnd(bytes, from: offset, count, &hasUnderscore)
            guard offset < count else { return .incomplete }
            let name = Slice(nameStart, offset)
            var isIrregular = false
            if allowsSpaceBeforeColon {
                while offset < count, bytes.octet(offset) == Octet.space || bytes.octet(offset) == Octet.tab {
                    isIrregular = true
                    offset &+= 1
                }
                guard offset < count else { return .incomplete }
            }
            guard bytes.octet(offset) == Octet.colon, !name.isEmpty else { return .invalid(.malformedField) }
            offset &+= 1

            while offset < count, bytes.octet(offset) == Octet.space || bytes.octet(offset) == Octet.tab {
                offset &+= 1
            }
            let valueStart = offset
            guard let lineEnd = Self.valueEnd(bytes, from: offset, count) else { return .incomplete }
            guard lineEnd &+ 1 < count else {
                // A byte that is no CR cannot become one.
                return bytes.octet(lineEnd) == Octet.carriageReturn ? .incomplete : .invalid(.malformedField)
            }
            guard bytes.octet(lineEnd) == Octet.carriageReturn, bytes.octet(lineEnd &+ 1) == Octet.lineFeed else {
                return .invalid(.malformedField)
            }
            offset = lineEnd &+ 2
            var valueEnd = lineEnd
            while valueEnd > valueStart,
                bytes.octet(valueEnd &- 1) == Octet.space || bytes.octet(valueEnd &- 1) == Octet.tab
            {
                valueEnd &-= 1
            }
            guard fields.count < maximumCount else { return .invalid(.tooManyFields) }
            fields.append(
                Field(
                    name: name, value: Slice(valueStart, valueEnd), id: FieldName.recognise(bytes, name),
                    isIrregular: isIrregular, hasUnderscore: hasUnderscore))
        }
    }

    /// The offset of the first octet that is no token character, eight at a time as long as there are only letters, digits
    /// and hyphens.
    @inline(__always)
    private static func nameEnd(_ bytes: RawSpan, from start: Int, _ count: Int, _ hasUnderscore: inout Bool) -> Int {
        var offset = start
        while offset < count {
            if offset &+ 8 <= count {
                let marks = Octet.uncommonInNames(bytes.knownWord(offset))
                if marks == 0 {
                    offset &+= 8
                    continue
                }
                offset &+= marks.trailingZeroBitCount >> 3
            }
            let octet = bytes.knownOctet(offset)
            if octet == Octet.colon || !Octet.isToken(octet) { return offset }
            if octet == 0x5f { hasUnderscore = true }
            offset &+= 1
        }
        return offset
    }

    /// The offset of the first control character other than HTAB, eight bytes at a time; nil when there is none yet.
    @inline(__always)
    private static func valueEnd(_ bytes: RawSpan, from start: Int, _ count: Int) -> Int? {
        var offset = start
        while offset &+ 8 <= count {
            let marks = Octet.controls(in: bytes.knownWord(offset))
            if marks == 0 {
                offset &+= 8
                continue
            }
            offset &+= marks.trailingZeroBitCount >> 3
            if bytes.knownOctet(offset) != Octet.tab { return offset }
            offset &+= 1
        }
        while offset < count {
            let octet = bytes.knownOctet(offset)
            if (octet < 0x20 && octet != Octet.tab) || octet == 0x7f { return offset }
            offset &+= 1
        }
        return nil
    }
}

/// Reads a comma-separated list of tokens (RFC 9110 section 5.6.1), as in Connection and Transfer-Encoding.
struct TokenList {
    private var offset: Int
    private let end: Int

    init(_ value: Slice) {
        offset = value.start
        end = value.end
    }

    /// The next element without white space around it; nil at the end. Empty elements are skipped.
    mutating func next(_ bytes: RawSpan) -> Slice? {
        while offset < end {
            var start = offset
            while offset < end, bytes.octet(offset) != 0x2c { offset &+= 1 }
            var stop = offset
            offset &+= 1
            while start < stop, bytes.octet(start) == Octet.space || bytes.octet(start) == Octet.tab { start &+= 1 }
            while start < stop, bytes.octet(stop &- 1) == Octet.space || bytes.octet(stop &- 1) == Octet.tab {
                stop &-= 1
            }
            if start < stop { return Slice(start, stop) }
        }
        return nil
    }
}
