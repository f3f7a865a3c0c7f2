import Glibc
package import Model
import Synchronization

/// A resolver that asks a server as fast as it may, from one port after the other, until the server's socket is closed.
package final class LastWords: Sendable {
    private let result = Mutex<(taken: Int, answered: Int)?>(nil)

    /// - Parameters:
    ///   - server: whom it asks.
    ///   - question: a query.
    package init(_ server: SocketAddress, question: [UInt8]) {
        startThread { [self] in
            var place = sockaddr_in()
            place.sin_family = sa_family_t(AF_INET)
            place.sin_port = server.port.bigEndian
            place.sin_addr.s_addr = server.address.v4.bigEndian
            var (taken, answered) = (0, 0)
            var isOver = false
            while !isOver {
                let descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
                defer { close(descriptor) }
                var limit = timeval(tv_sec: 1, tv_usec: 0)
                unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
                let connected = unsafe withUnsafePointer(to: &place) { pointer in
                    unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    }
                }
                precondition(connected == 0)
                // On loopback a closed port refuses at once; what is not refused was taken.
                _ = unsafe send(descriptor, question, question.count, 0)
                var room = [UInt8](repeating: 0, count: 512)
                let count = unsafe recv(descriptor, &room, room.count, 0)
                isOver = count < 0 && errno == ECONNREFUSED
                if isOver { break }
                taken += 1
                if count > 0 { answered += 1 }
            }
            result.withLock { $0 = (taken, answered) }
        }
    }

    /// How many queries the server's socket took, and how many of them were answered.
    package var count: (taken: Int, answered: Int) {
        get async {
            while true {
                if let known = result.withLock({ $0 }) { return known }
                try? await Task.sleep(for: .milliseconds(5))
            }
        }
    }
}
