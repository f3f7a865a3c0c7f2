/// Where a PostgreSQL session stands, as far as the last octets that passed tell: enough to know when it can be ended
/// without cutting off anybody's work.
///
/// A server ends each answer with ReadyForQuery, `Z` with a length of 5 and the state of the transaction, and then says
/// nothing until it is asked again. Under TLS nothing of that is seen, and the session stays `.unknown`.
struct SessionWatch {
    enum Standing {
        /// An answer is under way, or nobody can tell.
        case unknown
        /// Nothing is under way, and no transaction is open.
        case idle
        /// The client has a transaction open and may go on with it.
        case inTransaction
    }

    /// The last octets of the server, the latest lowest.
    private var tail: UInt64 = 0
    private var isAsking = false

    mutating func clientSent() { isAsking = true }

    mutating func serverSent(_ bytes: RawSpan) {
        isAsking = false
        let count = bytes.byteCount
        if count >= 8 {
            tail = unsafe UInt64(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: count &- 8, as: UInt64.self))
        } else {
            for index in 0..<count {
                tail = unsafe tail << 8 | UInt64(bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))
            }
        }
    }

    var standing: Standing {
        guard !isAsking, tail >> 8 & 0xff_ffff_ffff == 0x5a_0000_0005 else { return .unknown }
        return switch UInt8(truncatingIfNeeded: tail) {
        case UInt8(ascii: "I"): .idle
        case UInt8(ascii: "T"), UInt8(ascii: "E"): .inTransaction
        default: .unknown
        }
    }
}
