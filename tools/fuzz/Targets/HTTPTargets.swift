import HTTPWire

private let httpTokens =
    [
        "GET ", "POST ", "OPTIONS * ", "CONNECT ", " HTTP/1.1\r\n", " HTTP/1.0\r\n", "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 101 \r\n",
        "Host: h\r\n", "Content-Length: 5\r\n", "Content-Length: ", "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: ",
        "Connection: close\r\n", "Connection: keep-alive, x\r\n", "Upgrade: websocket\r\n", "Expect: 100-continue\r\n",
        "Max-Forwards: 0\r\n", "http://h:80/", "https://[::1]:443", "/../", "/./", "%2e%2E", "%2F", "%00", "?", "#",
        "\r\n",
        "\r\n\r\n", "\n", "\t", ": ", "999999999999999999", "18446744073709551616", "chunked", "gzip", "0\r\n\r\n",
        "5;a=b\r\n",
        "fffffffffffffff\r\n", "Trailer: x\r\n",
    ].map(\.octets)

/// Request heads, with what is made of their paths.
package struct RequestTarget: FuzzTarget {
    package static let name = "http-request"
    package static let tokens = httpTokens

    private let whole = RequestHead()
    private let part = RequestHead()
    private let limits = RequestHead.Limits(size: 2048, fields: 16)

    package init() {}

    package mutating func run(_ input: [UInt8]) -> Outcome {
        let result = input.withBytes { whole.parse($0, limits: limits) }
        if let promise = prefixes(of: input, result) { return .broken(promise) }
        var trail = Trail()
        trail.step(result)
        guard result == .complete else { return trail.outcome }
        guard whole.length <= min(input.count, limits.size) else { return .broken("length \(whole.length)") }
        var slices = [whole.methodText, whole.target, whole.path, whole.query, whole.authority, whole.host]
        for index in 0..<whole.fields.count { slices += [whole.fields[index].name, whole.fields[index].value] }
        if let slice = slices.first(where: { $0.start > $0.end || $0.end > whole.length }) {
            return .broken("slice \(slice.start)..<\(slice.end) of \(whole.length)")
        }
        let path = Array(input[whole.path.start..<whole.path.end])
        if whole.pathNeedsNormalising, let promise = normalise(path) { return .broken(promise) }
        trail.step(Int(whole.method.rawValue))
        trail.step(whole.fields.count)
        trail.step(whole.keepsAlive ? 1 : 0)
        trail.step(whole.upgrade.isEmpty ? 0 : 1)
        trail.step(whole.isAbsolute ? 1 : 0)
        trail.step(whole.framing == .none ? 0 : whole.framing == .chunked ? 1 : 2)
        return trail.outcome
    }

    /// However a head is cut, the pieces lead to what the whole leads to.
    private func prefixes(of input: [UInt8], _ result: HeadResult) -> String? {
        let end = result == .complete ? whole.length : input.count
        for count in stride(from: 0, to: end, by: max(end / 64, 1)) {
            switch Array(input[..<count]).withBytes({ part.parse($0, limits: limits) }) {
            case .incomplete: continue
            case .complete: return "\(count) octets are a head, and \(input.count) are \(result)"
            case .invalid(let fault):
                if case .invalid = result { continue }
                return "\(count) octets are invalid (\(fault)), and \(input.count) are \(result)"
            }
        }
        if result == .complete, Array(input[..<end]).withBytes({ part.parse($0, limits: limits) }) != .complete {
            return "a head is not complete without what follows it"
        }
        var scanner = HeadScanner()
        if result == .complete, !input.withBytes({ scanner.hasEnd($0) }) { return "the scanner misses the end" }
        return nil
    }

    /// The normal form of a path is its own normal form, never longer, and has no dot segments.
    private func normalise(_ path: [UInt8]) -> String? {
        guard let once = Self.normalForm(path) else { return nil }
        guard once.count <= path.count else { return "a path grew" }
        guard Self.normalForm(once) == once else { return "a normal path changed: \(path)" }
        let segments = once.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return segments.contains { $0 == [0x2e] || $0 == [0x2e, 0x2e] } ? "a dot segment is left: \(path)" : nil
    }

    private static func normalForm(_ path: [UInt8]) -> [UInt8]? {
        var room = [UInt8](repeating: 0, count: path.count)
        let count = path.withBytes { bytes in
            unsafe room.withUnsafeMutableBytes { unsafe PathNormaliser.normalise(bytes, into: $0) }
        }
        return count.map { Array(room[..<$0]) }
    }
}

/// Response heads.
package struct ResponseTarget: FuzzTarget {
    package static let name = "http-response"
    package static let tokens = httpTokens

    private let whole = ResponseHead()
    private let part = ResponseHead()

    package init() {}

    package mutating func run(_ input: [UInt8]) -> Outcome {
        let result = parse(input, with: whole)
        let end = result == .complete ? whole.length : input.count
        for count in stride(from: 0, to: end, by: max(end / 64, 1)) {
            let early = parse(Array(input[..<count]), with: part)
            if early == .incomplete { continue }
            if case .invalid = early, case .invalid = result { continue }
            return .broken("\(count) octets are \(early), and \(input.count) are \(result)")
        }
        var trail = Trail()
        trail.step(result)
        guard result == .complete else { return trail.outcome }
        guard whole.length <= input.count, (100...999).contains(whole.status) else {
            return .broken("length \(whole.length), status \(whole.status)")
        }
        for index in 0..<whole.fields.count {
            let (name, value) = (whole.fields[index].name, whole.fields[index].value)
            guard name.start < name.end, name.end < value.start, value.start <= value.end, value.end < whole.length
            else {
                return .broken("field \(index) lies outside of the head")
            }
        }
        trail.step(whole.status / 100)
        trail.step(whole.fields.count)
        trail.step(whole.keepsAlive ? 1 : 0)
        trail.step(whole.framing == .none ? 0 : whole.framing == .chunked ? 1 : 2)
        return trail.outcome
    }

    private func parse(_ input: [UInt8], with head: ResponseHead) -> HeadResult {
        input.withBytes { head.parse($0, isHead: false, limit: 2048, fieldLimit: 16) }
    }
}

/// Chunked bodies: however they are cut, the same data comes out and the body ends at the same octet.
package struct ChunkedTarget: FuzzTarget {
    package static let name = "http-chunked"
    package static let tokens = httpTokens

    /// What a body came to.
    private struct Reading: Equatable {
        var data: [UInt8] = []
        /// Octets up to the end of the body; nil when it has not ended.
        var end: Int?
        var malformed = false
    }

    package init() {}

    package mutating func run(_ input: [UInt8]) -> Outcome {
        let whole = Self.pass(input, pieces: [input.count], decodes: true)
        let seed = input.reduce(into: UInt64(17)) { $0 = $0 &* 31 &+ UInt64($1) }
        var sizes: [Int] = []
        for shift in 0..<16 { sizes.append(1 + Int(seed >> UInt64(shift * 4) & 15)) }
        // A malformed body is given up: how much data came before its fault is not promised.
        let cut = Self.pass(input, pieces: sizes, decodes: true)
        guard whole.malformed == cut.malformed, whole.malformed || whole == cut else {
            return .broken("cut up, \(whole) became \(cut)")
        }
        let framed = Self.pass(input, pieces: sizes, decodes: false)
        if let promise = Self.compare(framed, with: whole) { return .broken(promise) }
        var trail = Trail()
        trail.step(whole.malformed ? 1 : 0)
        trail.step(whole.end == nil ? 0 : 1)
        trail.step(min(whole.data.count, 32))
        trail.step(min(whole.end ?? 0, 256))
        return trail.outcome
    }

    /// Octets that are not taken are given again, with more behind them.
    private static func pass(_ input: [UInt8], pieces: [Int], decodes: Bool) -> Reading {
        var reader = BodyReader(.chunked, decodes: decodes)
        var reading = Reading()
        var waiting: [UInt8] = []
        var offset = 0
        var turn = 0
        while offset < input.count {
            let end = min(input.count, offset + max(pieces[turn % pieces.count], 1))
            waiting += input[offset..<end]
            offset = end
            turn += 1
            let passage = unsafe waiting.withUnsafeMutableBytes { unsafe reader.pass($0.mutableBytes) }
            if passage.isMalformed {
                reading.malformed = true
                return reading
            }
            guard passage.kept <= passage.taken, passage.taken <= waiting.count else {
                return Reading(data: [], end: -1)
            }
            reading.data += waiting[..<passage.kept]
            waiting.removeFirst(passage.taken)
            if passage.hasEnded {
                reading.end = offset - waiting.count
                return reading
            }
            // What waits is part of a line, and lines are bounded.
            if waiting.count > ChunkedDecoder.longestLine + 2 { return Reading(data: [], end: -2) }
        }
        return reading
    }

    /// Framed anew, a body ends where it did, is in the one form that there is, and has the same data.
    private static func compare(_ framed: Reading, with decoded: Reading) -> String? {
        guard framed.malformed == decoded.malformed, framed.malformed || framed.end == decoded.end else {
            return "framed anew, \(decoded) became \(framed)"
        }
        if framed.malformed || framed.end == nil { return nil }
        var data: [UInt8] = []
        var rest = framed.data[...]
        while true {
            guard let lineEnd = rest.firstIndex(of: 13) else { return "a chunk size has no end" }
            let line = String(decoding: rest[..<lineEnd], as: UTF8.self)
            guard let size = Int(line, radix: 16), String(size, radix: 16) == line else { return "chunk size \(line)" }
            rest = rest.dropFirst(line.utf8.count + 2)
            if size == 0 { break }
            guard rest.count >= size + 2 else { return "a chunk is cut" }
            data += rest.prefix(size)
            rest = rest.dropFirst(size + 2)
        }
        if data != decoded.data { return "framed anew, the data changed" }
        let trailers = String(decoding: rest, as: UTF8.self).lowercased()
        for name in ["transfer-encoding:", "content-length:", "host:", "x-forwarded-for:", "x_"]
        where trailers.hasPrefix(name) || trailers.contains("\r\n" + name) { return "a trailer says \(name)" }
        return Self.pass(framed.data, pieces: [7], decodes: false).data == framed.data ? nil : "not its own normal form"
    }
}

extension [UInt8] {
    func withBytes<Result>(_ body: (RawSpan) -> Result) -> Result {
        unsafe withUnsafeBytes { unsafe body($0.bytes) }
    }
}

extension Trail {
    fileprivate mutating func step(_ result: HeadResult) {
        switch result {
        case .complete: step(1)
        case .incomplete: step(2)
        case .invalid(let fault): step(message: "\(fault.reason)")
        }
    }
}
