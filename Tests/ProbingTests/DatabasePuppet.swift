import Engine
import Glibc
import Model
import Synchronization

/// A server that speaks PostgreSQL's protocol as badly as a test wants. Each connection has a thread of its own.
final class DatabasePuppet: Sendable {
    let address: SocketAddress
    private let listener: CInt
    private let tally = Tally()
    private let heard = Mutex<[UInt8]>([])
    private let written = Mutex(0)

    /// A script that lets everybody in and answers each query of a check with its row of `rows`.
    static func answering(_ rows: [[String?]?]) -> @Sendable (Peer) -> Void {
        { peer in
            guard peer.startup() != nil else { return }
            peer.letIn()
            peer.answer(rows)
        }
    }

    /// One accepted connection; closed when the script returns.
    struct Peer {
        let descriptor: CInt
        fileprivate let puppet: DatabasePuppet
        /// How many connections came before.
        let number: Int

        /// Exactly `count` octets; nil when the peer is done first, or says nothing for ten seconds.
        func read(_ count: Int) -> [UInt8]? {
            var all: [UInt8] = []
            while all.count < count {
                var chunk = [UInt8](repeating: 0, count: count - all.count)
                let got = Glibc.read(descriptor, &chunk, chunk.count)
                guard got > 0 else { return nil }
                all += chunk[..<got]
            }
            puppet.heard.withLock { $0 += all }
            return all
        }

        /// False when the peer is gone.
        @discardableResult
        func write(_ octets: [UInt8]) -> Bool {
            var rest = octets[...]
            while !rest.isEmpty {
                let sent = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
                guard sent > 0 else { return false }
                puppet.written.withLock { $0 += sent }
                rest = rest.dropFirst(sent)
            }
            return true
        }

        /// The startup packet, after a request for TLS was declined; nil when the peer is done first.
        func startup() -> [UInt8]? {
            guard let head = read(4) else { return nil }
            guard let body = read(DatabasePuppet.number(head) - 4) else { return nil }
            guard body.starts(with: [4, 210, 22, 47]) else { return body }
            return write([UInt8(ascii: "N")]) ? startup() : nil
        }

        /// The next message of a client; nil when it is done.
        func message() -> (kind: Character, body: [UInt8])? {
            guard let head = read(5), let body = read(DatabasePuppet.number(head.dropFirst()) - 4) else { return nil }
            return (Character(Unicode.Scalar(head[0])), body)
        }

        /// Lets the client in without a password.
        func letIn() {
            write(DatabasePuppet.message("R", [0, 0, 0, 0]) + DatabasePuppet.ready)
        }

        /// Answers each query with `row`, and those that it has no row for with none.
        func answer(_ rows: [[String?]?]) {
            var turn = 0
            while let (kind, _) = message(), kind == "Q" {
                var reply: [UInt8] = []
                if let row = rows[turn % rows.count] { reply += DatabasePuppet.row(row) }
                write(reply + DatabasePuppet.message("C", Array("SELECT 1\0".utf8)) + DatabasePuppet.ready)
                turn += 1
            }
        }
    }

    init(_ script: @escaping @Sendable (Peer) -> Void) throws {
        listener = try Socket.listen(SocketAddress(IPAddress(v4: 0x7f00_0001), port: 0))
        guard let address = Socket.localAddress(listener) else { throw SocketError("getsockname", errno) }
        self.address = address
        try Thread.start(name: "puppet") { [self] in
            var entry = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
            while poll(&entry, 1, -1) >= 0 {
                let client = accept(listener, nil, nil)
                if client < 0 && errno != EAGAIN { break }
                guard client >= 0 else { continue }
                let peer = Peer(descriptor: client, puppet: self, number: tally.value)
                tally.add()
                var limit = timeval(tv_sec: 10, tv_usec: 0)
                setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
                setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
                try? Thread.start(name: "puppet") {
                    script(peer)
                    close(client)
                }
            }
            close(listener)
        }
    }

    /// Connections accepted so far.
    var accepted: Int { tally.value }
    /// All that clients said.
    var said: [UInt8] { heard.withLock { $0 } }
    /// Octets that clients took, or that the kernel holds for them.
    var taken: Int { written.withLock { $0 } }

    func stop() { shutdown(listener, CInt(SHUT_RDWR)) }

    // MARK: - Messages

    static let ready = message("Z", [UInt8(ascii: "I")])

    static func message(_ kind: Unicode.Scalar, _ body: [UInt8]) -> [UInt8] {
        [UInt8(ascii: kind)] + word(UInt32(body.count + 4)) + body
    }

    static func authentication(_ kind: UInt32, _ data: [UInt8] = []) -> [UInt8] { message("R", word(kind) + data) }

    static func row(_ columns: [String?]) -> [UInt8] {
        let cells = columns.map { text -> [UInt8] in
            text.map { word(UInt32($0.utf8.count)) + Array($0.utf8) } ?? [255, 255, 255, 255]
        }
        return message("D", [UInt8(columns.count >> 8), UInt8(columns.count & 255)] + cells.flatMap(\.self))
    }

    static func error(_ severity: String, _ state: String, _ text: String) -> [UInt8] {
        message("E", Array("S\(severity)\0V\(severity)\0C\(state)\0M\(text)\0\0".utf8))
    }

    static func notice(_ text: String) -> [UInt8] { message("N", Array("SNOTICE\0C00000\0M\(text)\0\0".utf8)) }

    private static func word(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * $0)) }
    }

    private static func number(_ octets: some Sequence<UInt8>) -> Int {
        max(4, octets.prefix(4).reduce(0) { $0 << 8 | Int($1) })
    }

    // MARK: - Honest answers

    static let primary: [[String?]?] = [
        ["f", "0/5000060", "000000010000000000000005", nil, nil, "1795507796.8", nil], ["1", "7000000000000000001"],
        nil,
    ]
}
