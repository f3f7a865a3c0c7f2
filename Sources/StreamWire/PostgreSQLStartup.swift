/// The first packet of a PostgreSQL client (Frontend/Backend Protocol, "Message Formats": StartupMessage, SSLRequest,
/// GSSENCRequest, CancelRequest): a length, a code, and what belongs to the code.
package enum PostgreSQLStartup: Sendable, Hashable {
    /// More bytes are needed.
    case incomplete
    /// No PostgreSQL client speaks like this.
    case malformed
    /// Asks for TLS or Kerberos before anything else; answered with the one byte `declineEncryption`, after which the
    /// client goes on in plain text or gives up. `length` bytes are used.
    case encryption(length: Int)
    /// Wants to log in.
    case login(length: Int)
    /// Wants another session's query cancelled; has no answer.
    case cancel(length: Int)

    /// The server's own limit, MAX_STARTUP_PACKET_LENGTH.
    package static let maximumLength = 10_000
    /// "Not here": `N`.
    package static let declineEncryption: UInt8 = 0x4e

    package init(_ bytes: Span<UInt8>) {
        guard bytes.count >= 8 else {
            // A TLS ClientHello or an HTTP request is recognised by its first length byte.
            let wrong = bytes.count > 0 && bytes[0] != 0
            self = wrong ? .malformed : .incomplete
            return
        }
        let length = Int(Self.word(bytes, at: 0))
        guard (8...Self.maximumLength).contains(length) else {
            self = .malformed
            return
        }
        let code = Self.word(bytes, at: 4)
        guard bytes.count >= length else {
            self = .incomplete
            return
        }
        switch code {
        case 80_877_103, 80_877_104: self = .encryption(length: length)
        case 80_877_102: self = .cancel(length: length)
        case 0x0003_0000...0x0003_ffff: self = .login(length: length)
        default: self = .malformed
        }
    }

    private static func word(_ bytes: Span<UInt8>, at offset: Int) -> UInt32 {
        var word: UInt32 = 0
        for index in offset..<(offset + 4) { word = word << 8 | UInt32(bytes[index]) }
        return word
    }
}
