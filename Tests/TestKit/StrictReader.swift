import Glibc

/// A request as `StrictReader` reads it.
package struct StrictRequest: Sendable {
    package var method = ""
    package var target = ""
    /// Names in lower case, in the order in which they came.
    package var fields: [(name: String, value: String)] = []
    /// Without framing.
    package var body: [UInt8] = []
    package var trailers: [(name: String, value: String)] = []
    /// As it came, framing included.
    package var octets: [UInt8] = []

    package func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }
}

/// Reads requests octet by octet and takes nothing that could be read in two ways.
package struct StrictReader {
    package enum Fault: Error, Hashable {
        /// The connection ended within a request.
        case cut
        case wrong(String)
    }

    private let descriptor: CInt
    private var octets: [UInt8] = []
    private var offset = 0

    package init(_ descriptor: CInt) { self.descriptor = descriptor }

    package mutating func next() throws(Fault) -> StrictRequest? {
        octets.removeFirst(offset)
        offset = 0
        guard offset < octets.count || fill() else { return nil }
        var request = StrictRequest()
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
        let count = unsafe block.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        guard count > 0 else { return false }
        octets += block[..<count]
        return true
    }
}
