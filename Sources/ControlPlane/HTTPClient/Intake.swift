import Engine
import Model

/// What a connection brought during one transfer, against what the answer is made of.
///
/// libcurl reads what belongs to no head and no body (chunk extensions above all) without end and tells nobody, so the
/// kernel's count is asked.
struct Intake {
    /// Octets beside the answer: chunk sizes, TLS. Eight times what was of use comes on top, for chunks of one octet.
    private static let spare = 256 << 10

    private(set) var isExcessive = false
    /// Sockets that were opened for this transfer, by more than one address perhaps.
    private var opened: [CInt] = []
    private var descriptor: CInt = -1
    /// What the connection had received before.
    private var before: UInt64?

    mutating func opens(_ descriptor: CInt) {
        opened.append(descriptor)
        self.descriptor = -1
    }

    /// Whether more came than an answer of `used` octets may take. `port` is the connection's own one, 0 while there is none.
    mutating func look(used: Int, among kept: KeptSockets, port: () -> Int) -> Bool {
        if descriptor < 0 {
            let port = port()
            if let own = opened.last(where: { KeptSockets.has($0, port) }) {
                kept.note(own, port)
                (descriptor, before) = (own, 0)
            } else if let older = kept.socket(port) {
                (descriptor, before) = (older, nil)
            } else {
                return false
            }
        }
        let received = Socket.receivedOctets(descriptor)
        let start = before ?? received
        before = start
        isExcessive = received > start && received - start > UInt64(Self.spare + 9 * used)
        return isExcessive
    }
}

/// The sockets of connections that libcurl may use again: it does not tell which one a transfer has until that is over, but
/// it tells its port. Confined to the driver's thread.
final class KeptSockets {
    private var byPort: [Int: CInt] = [:]

    func note(_ descriptor: CInt, _ port: Int) {
        // Those of closed connections are only known by looking.
        if byPort.count >= 256 { byPort = byPort.filter { Self.has($0.value, $0.key) } }
        byPort[port] = descriptor
    }

    func socket(_ port: Int) -> CInt? { byPort[port].flatMap { Self.has($0, port) ? $0 : nil } }

    static func has(_ descriptor: CInt, _ port: Int) -> Bool {
        port > 0 && Socket.localAddress(descriptor).map { Int($0.port) } == port
    }
}
