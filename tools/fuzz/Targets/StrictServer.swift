import Engine
import Glibc
import Model
import Synchronization
import TestKit

/// A server that reads requests as the strictest one would, keeps them and what it could not read, and answers each with its
/// target.
final class StrictServer: Sendable {
    private struct Seen {
        var requests: [StrictRequest] = []
        var faults: [String] = []
        var connections = 0
    }

    let address: SocketAddress
    private let seen = Mutex(Seen())

    init() throws {
        let socket = try Socket.listen(SocketAddress(IPAddress(v4: 0x7f00_0001), port: 0))
        // Blocking, for threads.
        _ = fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) & ~O_NONBLOCK)
        guard let address = Socket.localAddress(socket) else { throw StrictReader.Fault.cut }
        self.address = address
        let server = self
        try Thread.start(name: "strict-server") {
            while true {
                let client = accept(socket, nil, nil)
                if client < 0 { break }
                server.seen.withLock { $0.connections += 1 }
                try? Thread.start(name: "strict-client") { server.serve(client) }
            }
        }
    }

    /// Requests that were read since the last `take`.
    var count: Int { seen.withLock { $0.requests.count } }
    /// Connections that are open.
    var connections: Int { seen.withLock { $0.connections } }

    /// What was read since the last call.
    func take() -> (requests: [StrictRequest], faults: [String]) {
        seen.withLock { seen in
            defer { (seen.requests, seen.faults) = ([], []) }
            return (seen.requests, seen.faults)
        }
    }

    private func serve(_ client: CInt) {
        var reader = StrictReader(client)
        do throws(StrictReader.Fault) {
            while let request = try reader.next() {
                seen.withLock { $0.requests.append(request) }
                let body = request.method == "HEAD" ? "" : request.target
                let text = "HTTP/1.1 200 OK\r\nContent-Length: \(request.target.utf8.count)\r\n\r\n\(body)"
                let octets = Array(text.utf8)
                let count = unsafe octets.withUnsafeBytes {
                    unsafe send(client, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
                }
                if count < octets.count { break }
            }
        } catch {
            // A body that the proxy cut short, for its client's sake, is no fault of the framing.
            if error != .cut { seen.withLock { $0.faults.append("\(error)") } }
        }
        close(client)
        seen.withLock { $0.connections -= 1 }
    }
}
