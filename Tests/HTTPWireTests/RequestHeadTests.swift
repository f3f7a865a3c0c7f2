import HTTPWire
import TestKit
import Testing

/// Parses `text` as a request head.
func parseRequest(_ text: String, limits: RequestHead.Limits = .init()) -> (HeadResult, RequestHead) {
    let head = RequestHead()
    let bytes = Array(text.utf8)
    let result = bytes.withUnsafeBytes { head.parse($0.bytes, limits: limits) }
    return (result, head)
}

@Suite("Request heads")
struct RequestHeadTests {
    private func slice(_ text: String, _ slice: Slice) -> String {
        String(decoding: Array(text.utf8)[slice.start..<slice.end], as: UTF8.self)
    }

    @Test("A plain request is read without a copy")
    func plain() {
        let text = "GET /a/b?c=d HTTP/1.1\r\nHost: Shop.Test:8080\r\nAccept:  */* \t\r\nX-Empty:\r\n\r\nrest"
        let (result, head) = parseRequest(text)
        #expect(result == .complete)
        #expect(head.length == text.utf8.count - 4)
        #expect(head.method == .get)
        #expect(slice(text, head.path) == "/a/b")
        #expect(slice(text, head.query) == "?c=d")
        #expect(slice(text, head.host) == "Shop.Test")
        #expect(head.fields.count == 3)
        #expect(slice(text, head.fields[1].name) == "Accept")
        #expect(slice(text, head.fields[1].value) == "*/*")
        #expect(head.fields[2].value.isEmpty)
        #expect(head.framing == .none)
        #expect(head.keepsAlive && !head.pathNeedsNormalising)
    }

    @Test("Every prefix of a head is incomplete, never wrong")
    func prefixes() {
        let text = "\r\nPOST http://h.test/x HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n"
        for count in 0..<text.utf8.count {
            let part = String(decoding: text.utf8.prefix(count), as: UTF8.self)
            #expect(parseRequest(part).0 == .incomplete, "after \(count) octets")
        }
        #expect(parseRequest(text).0 == .complete)
    }

    @Test(
        "What two readers could understand differently is refused",
        arguments: [
            (
                "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                HeadFault.ambiguousFraming
            ),
            ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", .invalidContentLength),
            ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 42, 42\r\n\r\n", .invalidContentLength),
            ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\n", .invalidContentLength),
            ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1 1\r\n\r\n", .invalidContentLength),
            ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n", .invalidContentLength),
            ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", .invalidContentLength),
            ("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", .ambiguousFraming),
            ("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", .ambiguousFraming),
            ("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n", .ambiguousFraming),
            ("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n", .unsupportedTransferCoding),
            ("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", .unsupportedTransferCoding),
            ("GET / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", .ambiguousFraming),
            ("GET / HTTP/1.1\r\nHost : h\r\n\r\n", .malformedField),
            ("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n", .foldedField),
            ("GET / HTTP/1.1\r\n Host: h\r\n\r\n", .foldedField),
            ("GET / HTTP/1.1\r\nHost: h\r\nA: b\rc\r\n\r\n", .malformedField),
            ("GET / HTTP/1.1\r\nHost: h\r\nA: b\nC: d\r\n\r\n", .malformedField),
            ("GET / HTTP/1.1\nHost: h\n\n", .malformedStartLine),
            ("GET / HTTP/1.1\r\nHost: h\r\nA: b\u{0}c\r\n\r\n", .malformedField),
            ("GET / HTTP/1.1\r\nHost: h\r\nA\u{7f}: b\r\n\r\n", .malformedField),
            ("GET / HTTP/1.1\r\nHost: h\r\n: b\r\n\r\n", .malformedField),
            ("GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", .malformedField),
            ("GET / HTTP/1.1\r\n\r\n", .invalidHost),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", .invalidHost),
            ("GET / HTTP/1.1\r\nHost:\r\n\r\n", .invalidHost),
            ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", .invalidHost),
            ("GET / HTTP/1.1\r\nHost: user@a\r\n\r\n", .invalidHost),
            ("GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", .invalidHost),
            ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .invalidHost),
            ("GET http://a@b/ HTTP/1.1\r\nHost: b\r\n\r\n", .invalidHost),
            ("GET * HTTP/1.1\r\nHost: h\r\n\r\n", .malformedTarget),
            ("GET x HTTP/1.1\r\nHost: h\r\n\r\n", .malformedTarget),
            ("GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n", .malformedTarget),
            ("GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", .malformedTarget),
            ("GET /a\\b HTTP/1.1\r\nHost: h\r\n\r\n", .malformedTarget),
            ("GET /\u{e9} HTTP/1.1\r\nHost: h\r\n\r\n", .malformedTarget),
            ("GET  / HTTP/1.1\r\nHost: h\r\n\r\n", .malformedTarget),
            ("GET / HTTP/1.1 \r\nHost: h\r\n\r\n", .malformedStartLine),
            ("GET /\r\n\r\nHost: h\r\n\r\n", .malformedTarget),
            ("CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n", .methodNotAllowed),
            ("GET / HTTP/1.1\r\nHost: h\r\nExpect: tea\r\n\r\n", .unsupportedExpectation),
            ("GET / HTTP/3.0\r\nHost: h\r\n\r\n", .unsupportedVersion),
            ("G\u{1}T / HTTP/1.1\r\nHost: h\r\n\r\n", .malformedStartLine),
            ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}", .malformedStartLine),
            ("OPTIONS / HTTP/1.1\r\nHost: h\r\nMax-Forwards: x\r\n\r\n", .malformedField),
        ])
    func refused(text: String, fault: HeadFault) {
        #expect(parseRequest(text).0 == .invalid(fault))
    }

    @Test("The target decides over Host, OPTIONS may ask for everything, HTTP/1.0 needs no Host")
    func targets() {
        let absolute = "GET http://Target.test:80?q HTTP/1.1\r\nHost: other\r\n\r\n"
        let (result, head) = parseRequest(absolute)
        #expect(result == .complete)
        #expect(head.isAbsolute && head.path.isEmpty)
        #expect(slice(absolute, head.host) == "Target.test")
        #expect(slice(absolute, head.query) == "?q")
        #expect(parseRequest("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").1.isAsterisk)
        let old = parseRequest("GET / HTTP/1.0\r\n\r\n")
        #expect(old.0 == .complete && !old.1.keepsAlive && old.1.host.isEmpty)
        let bracketed = "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"
        #expect(slice(bracketed, parseRequest(bracketed).1.host) == "[::1]")
        let rooted = "GET / HTTP/1.1\r\nHost: shop.test.\r\n\r\n"
        #expect(slice(rooted, parseRequest(rooted).1.host) == "shop.test")
    }

    @Test("Persistence, upgrades and expectations are taken from the fields")
    func connection() {
        let host = "\r\nHost: h\r\n"
        #expect(!parseRequest("GET / HTTP/1.1\(host)Connection: Close\r\n\r\n").1.keepsAlive)
        #expect(parseRequest("GET / HTTP/1.0\(host)Connection: keep-alive\r\n\r\n").1.keepsAlive)
        #expect(
            !parseRequest("GET / HTTP/1.1\(host)Connection: x, upgrade\r\nUpgrade: websocket\r\n\r\n").1.upgrade.isEmpty
        )
        #expect(parseRequest("GET / HTTP/1.1\(host)Connection: x-a\r\n\r\n").1.hasConnectionOptions)
        #expect(parseRequest("GET / HTTP/1.1\(host)Upgrade: websocket\r\n\r\n").1.upgrade.isEmpty)
        let twice = "Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n\r\n"
        #expect(parseRequest("GET / HTTP/1.1\(host)\(twice)").1.upgrade.isEmpty)
        #expect(
            parseRequest("PUT / HTTP/1.1\(host)Content-Length: 1\r\nExpect: 100-Continue\r\n\r\n").1.expectsContinue)
        #expect(parseRequest("OPTIONS / HTTP/1.1\(host)Max-Forwards: 3\r\n\r\n").1.maxForwards == 3)
        #expect(parseRequest("GET / HTTP/1.1\(host)Max-Forwards: 3\r\n\r\n").1.maxForwards == nil)
    }

    @Test("What logs quote is noted, an identifier only when it is one and can be quoted anywhere")
    func quoted() {
        let start = "GET / HTTP/1.1\r\nHost: h\r\n"
        let text = start + "user-agent: a b\r\nREFERER: http://x/\r\nX-Request-Id: 7f-A.b_c~d+e/f=g:h@i\r\n\r\n"
        let head = parseRequest(text).1
        #expect(slice(text, head.userAgent) == "a b" && slice(text, head.referer) == "http://x/")
        #expect(slice(text, head.requestID) == "7f-A.b_c~d+e/f=g:h@i")
        let long = String(repeating: "a", count: 128)
        #expect(parseRequest("\(start)X-Request-ID: \(long)\r\n\r\n").1.requestID.count == 128)
        for bad in ["", "\(long)a", "a b", "a,b", "a\"b", "a\\b", "a;b", "a?b", "<a>", "{a}", "a\r\nX-Request-ID: a"] {
            #expect(parseRequest("\(start)X-Request-ID: \(bad)\r\n\r\n").1.requestID.isEmpty, "\(bad)")
        }
    }

    @Test("A long target is 414, a long head or too many fields 431, and 8,000 octets are fine")
    func limits() {
        let long = String(repeating: "a", count: 8_000)
        #expect(parseRequest("GET /\(long) HTTP/1.1\r\nHost: h\r\n\r\n").0 == .complete)
        let huge = String(repeating: "a", count: 17_000)
        #expect(parseRequest("GET /\(huge)").0 == .invalid(.targetTooLong))
        #expect(parseRequest("GET /\(huge) HTTP/1.1\r\nHost: h\r\n\r\n").0 == .invalid(.targetTooLong))
        #expect(parseRequest("GET / HTTP/1.1\r\nHost: h\r\nA: \(huge)").0 == .invalid(.headTooLarge))
        let many = (0..<100).map { "A\($0): b\r\n" }.joined()
        #expect(parseRequest("GET / HTTP/1.1\r\nHost: h\r\n\(many)\r\n").0 == .invalid(.tooManyFields))
    }

    @Test("Names are recognised in any case and never by resemblance")
    func names() {
        let names: [(String, FieldName)] = [
            ("TE", .te), ("Host", .host), ("dAte", .date), ("EXPECT", .expect), ("Upgrade", .upgrade),
            ("Connection", .connection), ("Keep-Alive", .keepAlive), ("User-Agent", .userAgent),
            ("Content-Type", .contentType), ("Max-Forwards", .maxForwards), ("Referer", .referer),
            ("X-Request-ID", .requestID), ("Content-Length", .contentLength),
            ("HTTP2-Settings", .http2Settings), ("X-Forwarded-For", .xForwardedFor),
            ("X-Forwarded-Host", .xForwardedHost), ("Proxy-Connection", .proxyConnection),
            ("X-Forwarded-Proto", .xForwardedProto), ("Transfer-Encoding", .transferEncoding), ("X-Real-IP", .xRealIP),
            ("X-Forwarded-Port", .xForwardedPort),
        ]
        func recognise(_ name: [UInt8]) -> FieldName? {
            let head = ResponseHead()
            let bytes = Array("HTTP/1.1 204 x\r\n".utf8) + name + Array(":\r\n\r\n".utf8)
            let result = bytes.withUnsafeBytes { head.parse($0.bytes, isHead: false, limit: 1_000, fieldLimit: 1) }
            // A fault over its value shows that the field was recognised.
            if result == .invalid(.invalidContentLength) { return .contentLength }
            return result == .complete || head.fields.count == 1 ? head.fields[0].id : nil
        }
        for (name, id) in names {
            #expect(recognise(Array(name.utf8)) == id, "\(name)")
            for place in name.utf8.indices {
                for other in "!#$%&'*+-.^_`|~09azAZ".utf8 {
                    var octets = Array(name.utf8)
                    let offset = name.utf8.distance(from: name.utf8.startIndex, to: place)
                    guard octets[offset] | 0x20 != other | 0x20 else { continue }
                    octets[offset] = other
                    let found = recognise(octets)
                    // `X-Forwarded-Fox` is no field that we read, and none that a stranger may send.
                    #expect(
                        found == .other || (found == .otherForwarding && name.hasPrefix("X-Forwarded")),
                        "\(String(decoding: octets, as: UTF8.self))")
                }
            }
        }
    }

    @Test("Random bytes and random damage never trap", arguments: 1...8)
    func damage(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let text = Array("GET /a/%41/../b?c HTTP/1.1\r\nHost: h.test:80\r\nContent-Length: 10\r\nX: y\r\n\r\n".utf8)
        let head = RequestHead()
        var outcomes = Set<HeadResult>()
        for _ in 0..<4_000 {
            var bytes = text
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            outcomes.insert(bytes.withUnsafeBytes { head.parse($0.bytes, limits: .init(size: 128, fields: 4)) })
        }
        #expect(outcomes.count > 4)
    }
}
