import Engine
import Glibc
import Model
import Synchronization

/// A TCP server on a thread that gives each connection to a script, one after another, with blocking reads and writes.
final class ScriptedServer: Sendable {
    /// One accepted connection; closed when the script returns.
    struct Peer {
        let descriptor: CInt

        /// Reads until `text` has come, the peer is done, or a second has passed; returns all that came.
        func read(until text: String) -> String {
            var received: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 4096)
            while !String(decoding: received, as: UTF8.self).contains(text) {
                let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
                guard count > 0 else { break }
                received += chunk[..<count]
            }
            return String(decoding: received, as: UTF8.self)
        }

        /// False when the peer is gone.
        @discardableResult
        func write(_ text: String) -> Bool {
            let bytes = Array(text.utf8)
            var sent = 0
            while sent < bytes.count {
                let count = unsafe bytes[sent...].withUnsafeBytes { rest in
                    unsafe send(descriptor, rest.baseAddress, rest.count, CInt(MSG_NOSIGNAL))
                }
                guard count > 0 else { return false }
                sent += count
            }
            return true
        }
    }

    let address: SocketAddress
    private let listener: CInt
    private let accepts = Tally()

    init(_ script: @escaping @Sendable (Peer) -> Void) throws {
        listener = try Socket.listen(SocketAddress(IPAddress(v4: 0x7f00_0001), port: 0))
        guard let address = Socket.localAddress(listener) else { throw SocketError("getsockname", errno) }
        self.address = address
        let (listener, accepts) = (listener, accepts)
        try Thread.start(name: "scripted") {
            var entry = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
            while unsafe poll(&entry, 1, -1) >= 0 {
                let client = accept(listener, nil, nil)
                if client < 0 && errno != EAGAIN { break }
                guard client >= 0 else { continue }
                accepts.add()
                var limit = timeval(tv_sec: 1, tv_usec: 0)
                unsafe setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
                script(Peer(descriptor: client))
                close(client)
            }
            close(listener)
        }
    }

    /// Connections accepted so far.
    var accepted: Int { accepts.value }

    /// From now on connecting is refused.
    func stop() {
        // Wakes the thread, which then finds that accept fails.
        shutdown(listener, CInt(SHUT_RDWR))
    }
}

/// A count that several threads share.
final class Tally: Sendable {
    private let count = Mutex(0)

    func add() { count.withLock { $0 += 1 } }
    var value: Int { count.withLock { $0 } }
}
