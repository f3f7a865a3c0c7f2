/// Reads the chunked coding (RFC 9112 section 7.1) strictly, in place, and leaves behind what goes on: the data alone, or
/// the data framed anew, so that the next reader gets no octet of framing that we did not choose.
///
/// Framed anew, a size is in lower-case digits without leading zeros, and there are no extensions. Trailers go on except
/// those that a recipient must not merge (`TrailerName`).
///
/// Lines end in CRLF only and are taken whole: part of one stays unread. Sizes have at most 15 digits, a line's extension at
/// most 256 octets, all extensions of a body together 16 KiB, a trailer line 2 KiB and the trailer section 8 KiB.
package struct ChunkedDecoder: Sendable, Hashable {
    private enum State: Sendable, Hashable {
        case size
        case data
        case dataEnd
        case trailers
        case ended
    }

    private enum Line {
        /// Octets of the line, its end included.
        case whole(Int)
        case partial
        case malformed
    }

    private static let maximumDigits = 15
    private static let maximumLineExtension = 256
    private static let maximumExtensions = 16 * 1024
    private static let maximumTrailerLine = 2 * 1024
    private static let maximumTrailers = 8 * 1024
    /// What a reader of one body has to have room for: the longest line that may stay unread.
    package static let longestLine = maximumTrailerLine

    private var state = State.size
    private var remaining: UInt64 = 0
    private var extensions = 0
    private var trailers = 0
    /// Octets of data that were announced or read so far.
    package private(set) var announced: UInt64 = 0

    package init() {}

    package var hasEnded: Bool { state == .ended }

    /// Reads `octets` and moves what goes on together at their front.
    mutating func pass(_ octets: Octets, decodes: Bool) -> BodyReader.Passage {
        var passage = BodyReader.Passage()
        while passage.taken < octets.count {
            switch state {
            case .data:
                let run = Int(min(UInt64(octets.count &- passage.taken), remaining))
                octets.move(run, from: passage.taken, to: passage.kept)
                passage.taken &+= run
                passage.kept &+= run
                remaining &-= UInt64(run)
                if remaining == 0 { state = .dataEnd }
                continue
            case .dataEnd:
                guard octets[passage.taken] == Octet.carriageReturn else { return .malformed }
                guard passage.taken &+ 1 < octets.count else { return passage }
                guard octets[passage.taken &+ 1] == Octet.lineFeed else { return .malformed }
                passage.taken &+= 2
                if !decodes { octets.writeLineEnd(at: &passage.kept) }
                state = .size
                continue
            case .size:
                switch readSize(octets, from: passage.taken) {
                case .partial: return passage
                case .malformed: return .malformed
                case .whole(let count): passage.taken &+= count
                }
                announced &+= remaining
                state = remaining == 0 ? .trailers : .data
                if !decodes { octets.writeSize(remaining, at: &passage.kept) }
                continue
            case .trailers:
                let start = passage.taken
                switch readTrailer(octets, from: start) {
                case .partial: return passage
                case .malformed: return .malformed
                case .whole(2):
                    passage.taken &+= 2
                    if !decodes { octets.writeLineEnd(at: &passage.kept) }
                    state = .ended
                case .whole(let count):
                    passage.taken &+= count
                    if !decodes, TrailerName.goesOn(octets, from: start) {
                        octets.move(count, from: start, to: passage.kept)
                        passage.kept &+= count
                    }
                }
                continue
            case .ended: break
            }
            break
        }
        passage.hasEnded = state == .ended
        return passage
    }

    /// `1*HEXDIG [BWS] [chunk-ext] CRLF`; a whole line sets `remaining`.
    private mutating func readSize(_ octets: Octets, from start: Int) -> Line {
        var offset = start
        var size: UInt64 = 0
        while offset < octets.count, let digit = Octet.hexadecimal(octets[offset]) {
            size = size << 4 | UInt64(digit)
            offset &+= 1
            if offset &- start > Self.maximumDigits { return .malformed }
        }
        guard offset < octets.count else { return .partial }
        guard offset > start else { return .malformed }
        let digitsEnd = offset
        // Bad white space before an extension (RFC 9112 section 7.1.1), of which more than a little is an attack.
        while offset < octets.count, octets[offset] == Octet.space || octets[offset] == Octet.tab { offset &+= 1 }
        if offset < octets.count, octets[offset] == Octet.semicolon {
            while offset < octets.count, Octet.isFieldContent(octets[offset]) { offset &+= 1 }
        }
        guard offset &- digitsEnd <= Self.maximumLineExtension else { return .malformed }
        guard offset < octets.count else { return .partial }
        guard octets[offset] == Octet.carriageReturn else { return .malformed }
        guard offset &+ 1 < octets.count else { return .partial }
        guard octets[offset &+ 1] == Octet.lineFeed else { return .malformed }
        extensions &+= offset &- digitsEnd
        guard extensions <= Self.maximumExtensions else { return .malformed }
        remaining = size
        return .whole(offset &+ 2 &- start)
    }

    /// `token ":" value CRLF`, or the empty line.
    private mutating func readTrailer(_ octets: Octets, from start: Int) -> Line {
        var offset = start
        while offset < octets.count, Octet.isToken(octets[offset]) { offset &+= 1 }
        let nameEnd = offset
        if offset < octets.count, offset > start {
            guard octets[offset] == Octet.colon else { return .malformed }
            offset &+= 1
            while offset < octets.count, Octet.isFieldContent(octets[offset]) { offset &+= 1 }
        }
        guard offset &- start <= Self.maximumTrailerLine else { return .malformed }
        guard offset < octets.count else { return .partial }
        guard octets[offset] == Octet.carriageReturn, nameEnd == start || offset > nameEnd else { return .malformed }
        guard offset &+ 1 < octets.count else { return .partial }
        guard octets[offset &+ 1] == Octet.lineFeed else { return .malformed }
        let count = offset &+ 2 &- start
        trailers &+= count
        return trailers <= Self.maximumTrailers ? .whole(count) : .malformed
    }
}

/// The octets of a body in place; every access is checked.
@safe
struct Octets {
    private let bytes: UnsafeMutableRawBufferPointer
    let count: Int

    init(_ bytes: UnsafeMutableRawBufferPointer) {
        unsafe self.bytes = bytes
        count = bytes.count
    }

    @inline(__always)
    subscript(offset: Int) -> UInt8 {
        get {
            precondition(offset >= 0 && offset < count)
            return unsafe bytes[offset]
        }
        nonmutating set {
            precondition(offset >= 0 && offset < count)
            unsafe bytes[offset] = newValue
        }
    }

    /// What a field whose name stands there is to a proxy.
    func name(from start: Int, to end: Int) -> FieldName {
        unsafe FieldName.recognise(UnsafeRawBufferPointer(bytes).bytes, Slice(start, end))
    }

    /// Towards the front.
    @inline(__always)
    func move(_ run: Int, from source: Int, to target: Int) {
        guard source != target, run > 0 else { return }
        precondition(target >= 0 && target < source && run <= count &- source)
        if let base = unsafe bytes.baseAddress {
            unsafe (base + target).copyMemory(from: base + source, byteCount: run)
        }
    }

    func writeLineEnd(at offset: inout Int) {
        self[offset] = Octet.carriageReturn
        self[offset &+ 1] = Octet.lineFeed
        offset &+= 2
    }

    /// A chunk's size and its line end. It is never longer than the line that was read, so the room is there.
    func writeSize(_ size: UInt64, at offset: inout Int) {
        var shift: UInt64 = size == 0 ? 0 : UInt64(63 &- size.leadingZeroBitCount) & ~3
        while true {
            let digit = UInt8(truncatingIfNeeded: size >> shift) & 15
            self[offset] = digit < 10 ? 0x30 &+ digit : 0x57 &+ digit
            offset &+= 1
            if shift == 0 { break }
            shift &-= 4
        }
        writeLineEnd(at: &offset)
    }
}
