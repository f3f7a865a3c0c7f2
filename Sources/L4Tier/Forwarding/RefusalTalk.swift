import Engine
import StreamWire

/// The short conversation with a PostgreSQL client that cannot be served: declines encryption, waits for the login and
/// answers it with the error that a server would send.
final class RefusalTalk {
    /// Nanoseconds that a client has for its login and for reading the answer.
    static let patience: UInt64 = 5_000_000_000

    let reason: EndReason
    private let message: [UInt8]
    private var received = Buffer()
    /// The error was sent.
    private(set) var isTold = false

    /// Reads in one go.
    private static let readsPerTurn = 16

    init(_ message: [UInt8], reason: EndReason, buffers: BufferPool) {
        self.message = message
        self.reason = reason
        buffers.lend(&received)
    }

    func close(_ buffers: BufferPool) { buffers.reclaim(&received) }

    /// Reads and answers what has come. True when the conversation is over.
    func proceed(_ transport: Transport) -> Bool {
        // Nobody has so much to say before a login: what goes on without end is not listened to.
        for _ in 0..<Self.readsPerTurn {
            guard received.space > 0 else { return true }
            switch transport.read(into: &received) {
            case .bytes: break
            case .wouldBlock: return false
            case .endOfStream, .failed: return true
            }
            // After the answer, whatever comes is read only so that closing does not reset what was sent.
            if isTold { received.clear() } else if answer(transport) { return true }
        }
        return true
    }

    /// True when there is nothing to say to this client.
    private func answer(_ transport: Transport) -> Bool {
        while true {
            switch PostgreSQLStartup(Span<UInt8>(_bytes: received.readable)) {
            case .incomplete: return false
            case .malformed, .cancel: return true
            case .encryption(let length):
                received.consume(length)
                // The socket is new: there is room for a byte.
                guard send([PostgreSQLStartup.declineEncryption], transport) else { return true }
            case .login(let length):
                received.consume(length)
                isTold = send(message, transport)
                transport.shutdownWrite()
                return !isTold
            }
        }
    }

    private func send(_ bytes: [UInt8], _ transport: Transport) -> Bool {
        unsafe bytes.withUnsafeBytes { bytes in
            guard case .bytes(bytes.count) = unsafe transport.write(bytes.bytes) else { return false }
            return true
        }
    }
}
