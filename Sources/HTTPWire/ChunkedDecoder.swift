/// Reads the chunked coding (RFC 9112 section 7.1) strictly, a run at a time, and leaves the bytes where they are: the
/// caller forwards the framing with the data, or the data alone.
///
/// Lines end in CRLF only. Sizes have at most 15 digits, a line's extension at most 256 octets, all extensions of a body
/// together 16 KiB, and the trailer section 8 KiB.
package struct ChunkedDecoder: Sendable, Hashable {
    package enum Step: Sendable, Hashable {
        /// So many octets of framing.
        case framing(Int)
        /// So many octets of data.
        case data(Int)
        /// So many octets of framing, and the body has ended.
        case end(Int)
        case malformed
    }

    private enum State: Sendable, Hashable {
        case size
        case spaceAfterSize
        case extensions
        case sizeLineFeed
        case data
        case dataCarriageReturn
        case dataLineFeed
        case trailerStart
        case trailerName
        case trailerValue
        case trailerLineFeed
        case endLineFeed
        case ended
    }

    private static let maximumDigits = 15
    private static let maximumLineExtension = 256
    private static let maximumExtensions = 16 * 1024
    private static let maximumTrailers = 8 * 1024

    private var state = State.size
    private var remaining: UInt64 = 0
    private var digits = 0
    private var lineExtension = 0
    private var extensions = 0
    private var trailers = 0
    /// Octets of data that were announced or read so far.
    package private(set) var announced: UInt64 = 0

    package init() {}

    package var hasEnded: Bool { state == .ended }

    /// Reads the next run of `bytes`, which is not empty.
    package mutating func step(_ bytes: RawSpan) -> Step {
        if state == .data {
            let run = Int(min(UInt64(bytes.byteCount), remaining))
            remaining &-= UInt64(run)
            if remaining == 0 { state = .dataCarriageReturn }
            return .data(run)
        }
        var offset = 0
        while offset < bytes.byteCount {
            guard advance(bytes.octet(offset)) else { return .malformed }
            offset &+= 1
            if state == .data { return .framing(offset) }
            if state == .ended { return .end(offset) }
        }
        return .framing(offset)
    }

    /// One octet of framing; false when it is out of place.
    private mutating func advance(_ octet: UInt8) -> Bool {
        switch state {
        case .size:
            if let value = Octet.hexadecimal(octet) {
                digits &+= 1
                remaining = remaining << 4 | UInt64(value)
                return digits <= Self.maximumDigits
            }
            guard digits > 0 else { return false }
            return sizeEnded(octet)
        case .spaceAfterSize: return sizeEnded(octet)
        case .extensions:
            if octet == Octet.carriageReturn {
                state = .sizeLineFeed
                return true
            }
            lineExtension &+= 1
            extensions &+= 1
            return (octet >= 0x20 || octet == Octet.tab) && octet != 0x7f
                && lineExtension <= Self.maximumLineExtension && extensions <= Self.maximumExtensions
        case .sizeLineFeed:
            guard octet == Octet.lineFeed else { return false }
            state = remaining == 0 ? .trailerStart : .data
            announced &+= remaining
            return true
        case .dataCarriageReturn:
            state = .dataLineFeed
            return octet == Octet.carriageReturn
        case .dataLineFeed:
            state = .size
            digits = 0
            lineExtension = 0
            return octet == Octet.lineFeed
        case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .endLineFeed: return advanceTrailer(octet)
        case .data, .ended: return false
        }
    }

    private mutating func sizeEnded(_ octet: UInt8) -> Bool {
        switch octet {
        case Octet.carriageReturn: state = .sizeLineFeed
        case Octet.semicolon: state = .extensions
        // Bad white space before an extension (RFC 9112 section 7.1.1), of which more than a little is an attack.
        case Octet.space, Octet.tab:
            state = .spaceAfterSize
            lineExtension &+= 1
            extensions &+= 1
            return lineExtension <= Self.maximumLineExtension && extensions <= Self.maximumExtensions
        default: return false
        }
        return true
    }

    private mutating func advanceTrailer(_ octet: UInt8) -> Bool {
        trailers &+= 1
        guard trailers <= Self.maximumTrailers else { return false }
        switch state {
        case .trailerStart:
            if octet == Octet.carriageReturn {
                state = .endLineFeed
                return true
            }
            state = .trailerName
            return Octet.isToken(octet)
        case .trailerName:
            if octet == Octet.colon {
                state = .trailerValue
                return true
            }
            return Octet.isToken(octet)
        case .trailerValue:
            if octet == Octet.carriageReturn {
                state = .trailerLineFeed
                return true
            }
            return (octet >= 0x20 || octet == Octet.tab) && octet != 0x7f
        case .trailerLineFeed:
            state = .trailerStart
            return octet == Octet.lineFeed
        default:
            state = .ended
            return octet == Octet.lineFeed
        }
    }
}
