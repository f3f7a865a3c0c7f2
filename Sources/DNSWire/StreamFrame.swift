/// What stands at the start of a stream of messages, each behind two octets of length (RFC 1035 section 4.2.2).
package enum StreamFrame: Sendable, Hashable {
    /// More octets are needed.
    case incomplete
    /// No query of ours can be so short or so long.
    case broken
    /// A message of `length` octets, which begins behind the two of its length.
    case message(length: Int)

    /// `limit`: octets that a message may have.
    @inline(__always)
    package init(_ octets: RawSpan, limit: Int) {
        guard octets.byteCount >= 2 else {
            self = .incomplete
            return
        }
        let length = Int(octets.word(at: 0))
        if length < messageHeaderSize || length > limit {
            self = .broken
        } else {
            self = octets.byteCount >= length &+ 2 ? .message(length: length) : .incomplete
        }
    }
}
