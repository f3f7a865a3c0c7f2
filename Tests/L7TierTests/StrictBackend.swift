import Engine
import Glibc
import Model
import Synchronization
import Testing

/// A backend that reads requests as the strictest server would, keeps every octet of them, and says what it could not
/// read. It answers each request with the target that it read.
final class StrictBackend: Sendable {
    struct Request: Sendable, Hashable {
        var method = ""
        var target = ""
        /// Names in lower case, in the order in which they came.
        var fields: [(name: String, value: String)] = []
        /// Without framing.
        var body: [UInt8] = []
        var trailers: [(name: String, value: String)] = []
        /// As it came, framing included.
        var octets: [UInt8] = []

        func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

        static func == (left: Self, right: Self) -> Bool { left.octets == right.octets }
        func hash(into hasher: inout Hasher) { hasher.combine(octets) }
    }

    private struct Seen {
        var requests: [Request] = []
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

    var requests: [Request] { seen.withLock { $0.requests } }
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
            let text = "HTTP/1.1 200 OK\r\nContent-Length: \(request.target.utf8.count)\r\n\r\n\(request.target)"
            return Array(text.utf8).withUnsafeBytes { send(client, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) } > 0
        } catch {
            // A body that the proxy cut short, for its client's sake, is no fault of the framing.
            if error != .cut { seen.withLock { $0.faults.append("\(error)") } }
            return false
        }
    }
}

/// Reads requests octet by octet and takes nothing that could be read in two ways.
struct StrictReader {
    enum Fault: Error, Hashable {
        /// The connection ended within a request.
        case cut
        case wrong(String)
    }

    private let descriptor: CInt
    private var octets: [UInt8] = []
    private var offset = 0

    init(_ descriptor: CInt) { self.descriptor = descriptor }

    mutating func next() throws(Fault) -> StrictBackend.Request? {
        octets.removeFirst(offset)
        offset = 0
        guard offset < octets.count || fill() else { return nil }
        var request = StrictBackend.Request()
        let parts = try line().split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, parts[2] == "HTTP/1.1", parts[1].hasPrefix("/") || parts[1] == "*" else {
            throw .wrong("request line \(parts)")
        }
        request.method = parts[0]
        request.target = parts[1]
        request.fields = try fields()
        guard request.values("host").count == 1 else { throw .wrong("Host: \(request.values("host"))") }
        let lengths = request.values("content-length")
        let codings = request.values("transfer-encoding")
        if codings.isEmpty {
            if lengths.count > 1 { throw .wrong("Content-Length: \(lengths)") }
            if let text = lengths.first {
                guard let length = Int(text), "\(length)" == text else { throw .wrong("Content-Length: \(text)") }
                request.body = try take(length)
            }
        } else {
            guard codings == ["chunked"], lengths.isEmpty else { throw .wrong("Transfer-Encoding: \(codings)") }
            while true {
                let size = try line()
                guard let count = Int(size, radix: 16), String(count, radix: 16) == size else {
                    throw .wrong("chunk size '\(size)'")
                }
                if count == 0 { break }
                request.body += try take(count)
                guard try take(2) == [13, 10] else { throw .wrong("a chunk is longer than it says") }
            }
            request.trailers = try fields()
        }
        request.octets = Array(octets[..<offset])
        return request
    }

    private mutating func fields() throws(Fault) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        while true {
            let text = try line()
            if text.isEmpty { return fields }
            guard let colon = text.firstIndex(of: ":"), text.first != " ", colon > text.startIndex else {
                throw .wrong("field '\(text)'")
            }
            fields.append(
                (
                    text[..<colon].lowercased(),
                    String(text[text.index(after: colon)...].trimmingPrefix { $0 == " " })
                ))
        }
    }

    private mutating func line() throws(Fault) -> String {
        let start = offset
        while true {
            while offset >= octets.count { guard fill() else { throw .cut } }
            let octet = octets[offset]
            offset += 1
            if octet == 10 {
                guard offset - start >= 2, octets[offset - 2] == 13 else { throw .wrong("a line ends in a bare LF") }
                return String(decoding: octets[start..<(offset - 2)], as: UTF8.self)
            }
        }
    }

    private mutating func take(_ count: Int) throws(Fault) -> [UInt8] {
        while octets.count - offset < count { guard fill() else { throw .cut } }
        offset += count
        return Array(octets[(offset - count)..<offset])
    }

    private mutating func fill() -> Bool {
        var block = [UInt8](repeating: 0, count: 65_536)
        let count = block.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        guard count > 0 else { return false }
        octets += block[..<count]
        return true
    }
}
