import Glibc
package import Model
import Synchronization

/// A resolver on a thread of its own that asks one question over UDP at a steady rate, from many ports, and counts what is
/// answered.
package final class QueryStream: Sendable {
    private struct State {
        var isOver = false
        var hasEnded = false
        var asked = 0
        var answered = 0
    }

    private let state = Mutex(State())

    /// - Parameters:
    ///   - server: whom it asks.
    ///   - question: a query; its first two octets, the number, are replaced.
    ///   - rate: queries per second.
    ///   - ports: how many it asks from.
    package init(_ server: SocketAddress, question: [UInt8], rate: Int, ports: Int = 64) {
        let asker = Asker(server, question, ports: ports)
        startThread { [self] in
            let start = Self.now
            while !state.withLock({ $0.isOver }) {
                let due = Int((Self.now - start) * Double(rate))
                while asker.asked < due { asker.ask() }
                asker.listen()
                usleep(1_000)
            }
            // The last ones have a second to come.
            let end = Self.now + 1
            while asker.answered < asker.asked, Self.now < end {
                asker.listen()
                usleep(1_000)
            }
            let (asked, answered) = (asker.asked, asker.answered)
            asker.close()
            state.withLock { $0 = State(isOver: true, hasEnded: true, asked: asked, answered: answered) }
        }
    }

    /// Ends the asking and waits for the last answers.
    ///
    /// - Returns: how many were asked and how many of them were answered.
    package func stop() async -> (asked: Int, answered: Int) {
        state.withLock { $0.isOver = true }
        while !state.withLock({ $0.hasEnded }) { try? await Task.sleep(for: .milliseconds(5)) }
        return state.withLock { ($0.asked, $0.answered) }
    }

    private static var now: Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// The sockets of one stream. Used by its thread alone.
private final class Asker: @unchecked Sendable {
    private var sockets: [CInt] = []
    private var question: [UInt8]
    /// By socket: numbers that are not answered yet.
    private var open: [Set<UInt16>]
    private(set) var asked = 0
    private(set) var answered = 0

    init(_ server: SocketAddress, _ question: [UInt8], ports: Int) {
        self.question = question
        open = Array(repeating: [], count: ports)
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = server.port.bigEndian
        place.sin_addr.s_addr = server.address.v4.bigEndian
        for _ in 0..<ports {
            let descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
            let connected = unsafe withUnsafePointer(to: &place) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            precondition(connected == 0)
            sockets.append(descriptor)
        }
    }

    func ask() {
        let index = asked % sockets.count
        let number = UInt16(truncatingIfNeeded: asked / sockets.count)
        question[0] = UInt8(number >> 8)
        question[1] = UInt8(number & 255)
        asked += 1
        open[index].insert(number)
        // What the kernel refuses, because nobody listens, counts as not answered.
        _ = unsafe send(sockets[index], question, question.count, 0)
    }

    func listen() {
        var room = [UInt8](repeating: 0, count: 512)
        for (index, descriptor) in sockets.enumerated() where !open[index].isEmpty {
            while true {
                let count = unsafe recv(descriptor, &room, room.count, 0)
                // A refusal of an earlier query is told first, and only then what came.
                if count < 0, errno == ECONNREFUSED { continue }
                if count < 12 { break }
                let number = UInt16(room[0]) << 8 | UInt16(room[1])
                if open[index].remove(number) != nil, room[3] & 15 == 0 { answered += 1 }
            }
        }
    }

    func close() { for descriptor in sockets { Glibc.close(descriptor) } }
}
