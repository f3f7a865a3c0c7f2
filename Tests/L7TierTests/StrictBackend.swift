import Engine
import Glibc
import Model
import Synchronization
import TestKit
import Testing

/// A backend that reads requests as the strictest server would, keeps every octet of them, and says what it could not
/// read. It answers each request with the target that it read.
final class StrictBackend: Sendable {
    private struct Seen {
        var requests: [StrictRequest] = []
        var faults: [String] = []
        var connections = 0
    }

    let address: SocketAddress
    private let descriptor: CInt
    private let seen = Mutex(Seen())

    init() throws {
        let socket = try Socket.listen(SocketAddress(IPAddress(v4: 0x7f00_0001), port: 0))
        // Blocking, for threads.
        _ = fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) & ~O_NONBLOCK)
        descriptor = socket
        address = try #require(Socket.localAddress(socket))
        let backend = self
        try Thread.start(name: "strict-backend") { backend.acceptAll() }
    }

    var requests: [StrictRequest] { seen.withLock { $0.requests } }
    /// What was no request by the letter of RFC 9112, or was framed in another way than the one that there is.
    var faults: [String] { seen.withLock { $0.faults } }
    var connections: Int { seen.withLock { $0.connections } }

    func forget() { seen.withLock { $0 = Seen() } }

    func stop() { shutdown(descriptor, CInt(SHUT_RDWR)) }

    private func acceptAll() {
        while true {
            let client = accept(descriptor, nil, nil)
            if client < 0 { break }
            seen.withLock { $0.connections += 1 }
            let backend = self
            try? Thread.start(name: "strict-client") {
                var reader = StrictReader(client)
                while backend.serveNext(&reader, client) {}
                close(client)
            }
        }
        close(descriptor)
    }

    private func serveNext(_ reader: inout StrictReader, _ client: CInt) -> Bool {
        do throws(StrictReader.Fault) {
            guard let request = try reader.next() else { return false }
            seen.withLock { $0.requests.append(request) }
            let body = request.method == "HEAD" ? "" : request.target
            let text = "HTTP/1.1 200 OK\r\nContent-Length: \(request.target.utf8.count)\r\n\r\n\(body)"
            return Array(text.utf8).withUnsafeBytes { send(client, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) } > 0
        } catch {
            // A body that the proxy cut short, for its client's sake, is no fault of the framing.
            if error != .cut { seen.withLock { $0.faults.append("\(error)") } }
            return false
        }
    }
}
