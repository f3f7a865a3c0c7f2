import Glibc
package import Model

/// A blocking TCP client that sends exactly the bytes it is told to and gives up after a few seconds.
package final class RawClient {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
        /// An errno, or 0.
        package let code: CInt

        package init(description: String, code: CInt = 0) {
            self.description = description
            self.code = code
        }

        init(_ operation: String, _ code: CInt) { self.init(description: "\(operation): \(code)", code: code) }
    }

    private var descriptor: CInt
    private var buffered: [UInt8] = []

    /// `timeout`: seconds that one call may take. `source`: the address to connect from, on any port.
    package init(_ address: SocketAddress, timeout: Int = 5, source: IPAddress? = nil) throws(Failure) {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failure("socket", errno) }
        var limit = timeval(tv_sec: timeout, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        if let source {
            // Without this the port would be taken from all addresses alike, and 64 thousand are not enough.
            var yes: CInt = 1
            unsafe setsockopt(descriptor, CInt(IPPROTO_IP), 24, &yes, socklen_t(MemoryLayout<CInt>.size))
            let bound = unsafe Self.withSockaddr(SocketAddress(source, port: 0)) {
                unsafe bind(descriptor, $0, length)
            }
            guard bound == 0 else { throw fail("bind") }
        }
        let result = unsafe Self.withSockaddr(address) { unsafe connect(descriptor, $0, length) }
        guard result == 0 else { throw fail("connect") }
    }

    /// Closes the socket: an initialiser that throws has no deinitialiser.
    private func fail(_ operation: String) -> Failure {
        let code = errno
        Glibc.close(descriptor)
        return Failure(operation, code)
    }

    private static func withSockaddr(_ address: SocketAddress, _ body: (UnsafePointer<sockaddr>) -> CInt) -> CInt {
        var inet = sockaddr_in()
        inet.sin_family = sa_family_t(AF_INET)
        inet.sin_port = address.port.bigEndian
        inet.sin_addr.s_addr = address.address.v4.bigEndian
        return unsafe withUnsafePointer(to: &inet) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0) }
        }
    }

    deinit { hangUp() }

    package func hangUp() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    package func finishSending() { shutdown(descriptor, CInt(SHUT_WR)) }

    package func send(_ text: String) throws { try send(Array(text.utf8)) }

    package func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.send(
                    descriptor, $0.baseAddress.map { unsafe $0 + sent }, bytes.count - sent, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure("send", errno) }
            sent += count
        }
    }

    /// Reads once; nothing at the end of the stream.
    private func fill() throws(Failure) -> Bool {
        var block = [UInt8](repeating: 0, count: 64 * 1024)
        let count = unsafe block.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
        guard count >= 0 else { throw Failure("read", errno) }
        buffered += block[..<count]
        return count > 0
    }

    /// Reads once and throws away what came, at most 4 MiB; the result is how much that was, 0 at the end of the stream.
    package func discard() throws(Failure) -> Int {
        let count = recv(descriptor, nil, 1 << 22, CInt(MSG_TRUNC))
        guard count >= 0 else { throw Failure("recv", errno) }
        return count
    }

    /// Reads `count` bytes.
    package func read(count: Int) throws -> [UInt8] {
        while buffered.count < count {
            guard try fill() else { throw Failure(description: "closed after \(buffered.count) of \(count) bytes") }
        }
        defer { buffered.removeFirst(count) }
        return Array(buffered[..<count])
    }

    /// Reads until the peer closes.
    package func readToEnd() throws(Failure) -> String {
        while try fill() {}
        defer { buffered = [] }
        return String(decoding: buffered, as: UTF8.self)
    }

    /// What has come and was not taken yet.
    func readBuffered() -> String {
        defer { buffered = [] }
        return String(decoding: buffered, as: UTF8.self)
    }

    /// Reads one head, up to and including the empty line.
    package func readHead() throws -> String {
        while true {
            if let end = headEnd() {
                defer { buffered.removeFirst(end) }
                return String(decoding: buffered[..<end], as: UTF8.self)
            }
            guard try fill() else {
                throw Failure(description: "closed in a head: \(String(decoding: buffered, as: UTF8.self))")
            }
        }
    }

    private func headEnd() -> Int? {
        guard buffered.count >= 4 else { return nil }
        for index in 3..<buffered.count
        where buffered[index] == 10 && buffered[index - 1] == 13 && buffered[index - 2] == 10
            && buffered[index - 3] == 13
        {
            return index + 1
        }
        return nil
    }

    /// Reads a response whose length a Content-Length tells, or nothing.
    package func readResponse(hasBody: Bool = true) throws -> (head: String, body: String) {
        let head = try readHead()
        var length = 0
        for line in head.split(separator: "\r\n") where line.lowercased().hasPrefix("content-length:") {
            length = Int(line.split(separator: ":")[1].drop { $0 == " " }) ?? 0
        }
        guard hasBody, length > 0 else { return (head, "") }
        return (head, String(decoding: try read(count: length), as: UTF8.self))
    }
}

package func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// Memory of this process that is in RAM.
package func residentKiB() -> Int {
    guard let file = unsafe fopen("/proc/self/statm", "r") else { return 0 }
    defer { unsafe fclose(file) }
    var line = [CChar](repeating: 0, count: 128)
    guard unsafe fgets(&line, 128, file) != nil else { return 0 }
    let fields = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).split(
        separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4 : 0
}
