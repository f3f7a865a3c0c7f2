import Engine
import Foundation
import Model
import Synchronization

/// A blocking client socket. Closed with the object unless it was closed before.
final class Client {
    private(set) var descriptor: CInt

    init(_ address: SocketAddress, receiveBuffer: CInt? = nil) throws {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer {
            unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
        }
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let result = unsafe Socket.withSockaddr(address) { unsafe connect(descriptor, $0, $1) }
        guard result == 0 else {
            let code = errno
            close()
            throw SocketError("connect", code, address)
        }
    }

    deinit { close() }

    func close() {
        if descriptor >= 0 { Socket.close(descriptor) }
        descriptor = -1
    }

    /// False when the connection broke.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes[sent...].withUnsafeBytes { rest in
                unsafe Foundation.send(descriptor, rest.baseAddress, rest.count, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    func finishWriting() { _ = shutdown(descriptor, CInt(SHUT_WR)) }

    enum Received: Equatable {
        case bytes([UInt8])
        case end
        case reset
        case silence
    }

    /// What one read brings.
    func receive(atMost room: Int = 65_536) -> Received {
        var bytes = [UInt8](repeating: 0, count: room)
        let count = unsafe read(descriptor, &bytes, room)
        if count > 0 { return .bytes(Array(bytes[..<count])) }
        if count == 0 { return .end }
        return errno == ECONNRESET ? .reset : .silence
    }

    /// Exactly `count` bytes, or fewer when the stream ends.
    func receive(exactly count: Int) -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count, case .bytes(let more) = receive(atMost: count - all.count) { all += more }
        return all
    }

    func text(_ count: Int) -> String { String(decoding: receive(exactly: count), as: UTF8.self) }

    /// Everything up to the end, and how it ended.
    func receiveAll() -> (bytes: [UInt8], ending: Received) {
        var all: [UInt8] = []
        while true {
            let next = receive()
            guard case .bytes(let more) = next else { return (all, next) }
            all += more
        }
    }
}

/// An endpoint: gives each connection to `serve` on a thread of its own. It serves until `stop()` or the process ends.
final class Backend: Sendable {
    let address: SocketAddress
    private let listener: CInt
    private let count = Mutex(0)

    var accepted: Int { count.withLock { $0 } }

    init(_ serve: @escaping @Sendable (CInt) -> Void = Backend.echo) throws {
        listener = try Socket.listen(SocketAddress(IPAddress(v4: 0x7f00_0001), port: 0))
        guard let address = Socket.localAddress(listener) else { throw SocketError("getsockname", errno) }
        self.address = address
        let descriptor = listener
        try Thread.start(name: "backend") { [self] in
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            while unsafe poll(&entry, 1, -1) >= 0 {
                let client = accept(descriptor, nil, nil)
                if client < 0 && errno != EAGAIN { break }
                guard client >= 0 else { continue }
                count.withLock { $0 += 1 }
                try? Thread.start(name: "backend") {
                    serve(client)
                    Socket.close(client)
                }
            }
            Socket.close(descriptor)
        }
    }

    func stop() { _ = shutdown(listener, CInt(SHUT_RDWR)) }

    static let echo: @Sendable (CInt) -> Void = { descriptor in
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe read(descriptor, &bytes, bytes.count)
            guard count > 0, Backend.write(descriptor, Array(bytes[..<count])) else { return }
        }
    }

    @discardableResult
    static func write(_ descriptor: CInt, _ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes[sent...].withUnsafeBytes { rest in
                unsafe Foundation.send(descriptor, rest.baseAddress, rest.count, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    static func readAll(_ descriptor: CInt) -> Int {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        var total = 0
        while true {
            let count = unsafe read(descriptor, &bytes, bytes.count)
            guard count > 0 else { return total }
            total += count
        }
    }
}

/// The sockets of this process that touch one of `ports`, at either end: a count that other tests do not disturb.
func openSockets(touching ports: Set<UInt16>) -> Int {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    return names.compactMap { CInt($0) }.count { descriptor in
        [Socket.localAddress(descriptor), remoteAddress(descriptor)].contains { address in
            address.map { ports.contains($0.port) } ?? false
        }
    }
}

private func remoteAddress(_ descriptor: CInt) -> SocketAddress? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return unsafe withUnsafeMutableBytes(of: &storage) { bytes in
        guard let base = bytes.baseAddress,
            unsafe getpeername(descriptor, base.assumingMemoryBound(to: sockaddr.self), &length) == 0
        else { return nil }
        return unsafe Socket.socketAddress(UnsafeRawPointer(base))
    }
}
