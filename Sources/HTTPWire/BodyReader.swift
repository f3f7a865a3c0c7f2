/// Follows one message body through the bytes of its connection and says where it ends.
package struct BodyReader: Sendable, Hashable {
    package enum Progress: Sendable, Hashable {
        /// So many octets of the given bytes belong to the body, and more will come.
        case more(Int)
        /// So many octets belong to the body, which ends with them.
        case ended(Int)
        case malformed
    }

    private enum Kind: Sendable, Hashable {
        case none
        case length
        case chunked
        case untilClose
    }

    private var kind: Kind
    private var remaining: UInt64
    private var decoder = ChunkedDecoder()

    package init(_ framing: BodyFraming) {
        remaining = 0
        switch framing {
        case .none: kind = .none
        case .length(let length):
            kind = .length
            remaining = length
        case .chunked: kind = .chunked
        case .untilClose: kind = .untilClose
        }
    }

    package var isComplete: Bool {
        switch kind {
        case .none: true
        case .length: remaining == 0
        case .chunked: decoder.hasEnded
        case .untilClose: false
        }
    }

    /// The end of the connection is the end of this body, not a truncation.
    package var endsWithConnection: Bool { kind == .untilClose }

    /// Octets of a chunked body's data announced so far, without framing.
    package var announced: UInt64 { decoder.announced }

    /// Takes in the next `bytes`; the body's octets, framing included, are a prefix of them.
    @inline(__always)
    package mutating func advance(_ bytes: RawSpan) -> Progress {
        switch kind {
        case .none: return .ended(0)
        case .length:
            let run = min(UInt64(bytes.byteCount), remaining)
            remaining &-= run
            return remaining == 0 ? .ended(Int(run)) : .more(Int(run))
        case .untilClose: return .more(bytes.byteCount)
        case .chunked: return advanceChunked(bytes)
        }
    }

    private mutating func advanceChunked(_ bytes: RawSpan) -> Progress {
        if decoder.hasEnded { return .ended(0) }
        var offset = 0
        while offset < bytes.byteCount {
            switch decoder.step(bytes.extracting(offset..<bytes.byteCount)) {
            case .framing(let count), .data(let count): offset &+= count
            case .end(let count): return .ended(offset &+ count)
            case .malformed: return .malformed
            }
        }
        return .more(offset)
    }

    /// Takes in `bytes` as `advance` does and moves the data of a chunked body together at their front, without its
    /// framing. `dataCount` tells how much data there is; for other bodies it is the progress itself.
    package mutating func advanceDecoding(
        _ bytes: UnsafeMutableRawBufferPointer, dataCount: inout Int
    ) -> Progress {
        guard kind == .chunked, !decoder.hasEnded else {
            let progress = unsafe advance(UnsafeRawBufferPointer(bytes).bytes)
            switch progress {
            case .more(let count), .ended(let count): dataCount = count
            case .malformed: dataCount = 0
            }
            return progress
        }
        var offset = 0
        dataCount = 0
        while offset < bytes.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[offset...])
            switch unsafe decoder.step(UnsafeRawBufferPointer(rest).bytes) {
            case .framing(let count): offset &+= count
            case .data(let count):
                if let base = bytes.baseAddress, offset != dataCount {
                    unsafe (base + dataCount).copyMemory(from: base + offset, byteCount: count)
                }
                offset &+= count
                dataCount &+= count
            case .end(let count): return .ended(offset &+ count)
            case .malformed: return .malformed
            }
        }
        return .more(offset)
    }
}
