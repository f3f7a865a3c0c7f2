/// Follows one message body through the bytes of its connection, says where it ends and which octets of it go on.
package struct BodyReader: Sendable, Hashable {
    /// What became of the octets that were given.
    package struct Passage: Sendable, Hashable {
        /// Octets, from the first, that were read. Those behind belong to the next message when the body has ended, and are to
        /// be given again, with more behind them, when it has not.
        package internal(set) var taken = 0
        /// Octets at the front that go on; never more than `taken`.
        package internal(set) var kept = 0
        package internal(set) var hasEnded = false
        package internal(set) var isMalformed = false

        static let malformed: Passage = {
            var passage = Passage()
            passage.isMalformed = true
            return passage
        }()
    }

    private enum Kind: Sendable, Hashable {
        case none
        case length
        case chunked
        case untilClose
    }

    private var kind: Kind
    private let decodes: Bool
    private var remaining: UInt64
    private var decoder = ChunkedDecoder()

    /// With `decodes`, the data alone of a chunked body goes on; otherwise it is framed anew.
    package init(_ framing: BodyFraming, decodes: Bool = false) {
        self.decodes = decodes
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

    /// Takes in the next `bytes` and moves those that go on to their front.
    @inline(__always)
    package mutating func pass(_ bytes: consuming MutableRawSpan) -> Passage {
        var passage = Passage()
        switch kind {
        case .none: passage.hasEnded = true
        case .length:
            let run = Int(min(UInt64(bytes.byteCount), remaining))
            remaining &-= UInt64(run)
            passage.taken = run
            passage.kept = run
            passage.hasEnded = remaining == 0
        case .untilClose:
            passage.taken = bytes.byteCount
            passage.kept = bytes.byteCount
        case .chunked:
            return unsafe bytes.withUnsafeMutableBytes { unsafe decoder.pass(Octets($0), decodes: decodes) }
        }
        return passage
    }
}
