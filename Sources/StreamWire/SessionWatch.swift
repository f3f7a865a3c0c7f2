/// Where a PostgreSQL session stands, as far as the octets that pass tell: enough to know when it can be ended without
/// cutting off anybody's work.
///
/// A server ends each answer with ReadyForQuery, `Z` with a length of 5 and the state of the transaction. What it says
/// thereafter without being asked (NotificationResponse, NoticeResponse, ParameterStatus) changes nothing, once it is whole.
/// Answers are not looked into: ReadyForQuery is known by the octets that a read ends with. Under TLS nothing of all that is
/// seen, and the session stays `.unknown`.
package struct SessionWatch: Sendable {
    package enum Standing: Sendable, Hashable {
        /// An answer or another message is under way, or nobody can tell.
        case unknown
        /// Nothing is under way, and no transaction is open.
        case idle
        /// The client has a transaction open and may go on with it.
        case inTransaction
    }

    /// The last octets of the server, the latest lowest, less those that it said unasked.
    private var tail: UInt64 = 0
    /// Of an unasked message: its type and length as far as they came, the latest lowest.
    private var head: UInt64 = 0
    /// Octets in `head`: 0 between two messages and within a body.
    private var headSize: UInt8 = 0
    private var isAsking = false
    /// Octets of an unasked message that are still to come, once its length is known.
    private var missing = 0

    package init() {}

    package mutating func clientSent() { isAsking = true }

    package mutating func serverSent(_ bytes: RawSpan) {
        if isAsking {
            isAsking = false
        } else if state != .unknown, isUnasked(bytes) {
            return
        }
        (headSize, missing) = (0, 0)
        let count = bytes.byteCount
        if count >= 8 {
            tail = unsafe UInt64(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: count &- 8, as: UInt64.self))
        } else {
            for index in 0..<count {
                tail = unsafe tail << 8 | UInt64(bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))
            }
        }
    }

    package var standing: Standing { isAsking || headSize > 0 || missing > 0 ? .unknown : state }

    /// What the last ReadyForQuery said, if the last answer ended with one.
    private var state: Standing {
        guard tail >> 8 & 0xff_ffff_ffff == 0x5a_0000_0005 else { return .unknown }
        return switch UInt8(truncatingIfNeeded: tail) {
        case UInt8(ascii: "I"): .idle
        case UInt8(ascii: "T"), UInt8(ascii: "E"): .inTransaction
        default: .unknown
        }
    }

    /// Whether `bytes` go on with what the server says unasked, and nothing else.
    private mutating func isUnasked(_ bytes: RawSpan) -> Bool {
        var offset = min(missing, bytes.byteCount)
        missing &-= offset
        while offset < bytes.byteCount {
            let octet = unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
            offset &+= 1
            if headSize == 0 {
                switch octet {
                case UInt8(ascii: "A"), UInt8(ascii: "N"), UInt8(ascii: "S"): break
                default: return false
                }
            }
            head = head << 8 | UInt64(octet)
            headSize &+= 1
            guard headSize == 5 else { continue }
            // The server chose it; it counts itself.
            let length = Int(Int32(truncatingIfNeeded: head))
            guard length >= 4 else { return false }
            headSize = 0
            let body = min(length &- 4, bytes.byteCount &- offset)
            missing = length &- 4 &- body
            offset &+= body
        }
        return true
    }
}
