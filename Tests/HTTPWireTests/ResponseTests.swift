import HTTPWire
import Model
import Testing

@Suite("Responses and what is written")
struct ResponseTests {
    private func parse(_ text: String, isHead: Bool = false) -> (HeadResult, ResponseHead) {
        let head = ResponseHead()
        let bytes = Array(text.utf8)
        let result = bytes.withUnsafeBytes { head.parse($0.bytes, isHead: isHead, limit: 1_000, fieldLimit: 10) }
        return (result, head)
    }

    @Test(
        "Where a response ends",
        arguments: [
            ("200 OK\r\nContent-Length: 3", BodyFraming.length(3)), ("200 OK\r\nContent-Length: 0", .none),
            ("200\r\nTransfer-Encoding: Chunked", .chunked), ("200 OK", .untilClose),
            ("204 No Content\r\nContent-Length: 3", .none),
            ("304 Not Modified\r\nTransfer-Encoding: chunked", .none), ("101 Switching", .none),
        ])
    func framing(text: String, framing: BodyFraming) {
        let (result, head) = parse("HTTP/1.1 \(text)\r\n\r\n")
        #expect(result == .complete)
        #expect(head.framing == framing)
        #expect(parse("HTTP/1.1 \(text)\r\n\r\n", isHead: true).1.framing == .none)
    }

    @Test(
        "Broken heads",
        arguments: [
            "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 099 Far\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n  ",
            "HTTP/1.1 200 O\u{1}K\r\n\r\n",
            "HTTP/1.1 200 OK\nA: b\n\n", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n", "HTTP/1.1x200 OK\r\n\r\n", "ICY 200 OK\r\n\r\n\r\n\r\n",
        ])
    func broken(text: String) {
        guard case .invalid = parse(text).0 else {
            Issue.record("accepted: \(parse(text).0)")
            return
        }
    }

    @Test("A head beyond the limit is refused, one that may still end is awaited")
    func limits() {
        #expect(parse("HTTP/1.1 200 OK\r\nA: b").0 == .incomplete)
        #expect(parse("HTTP/1.1 200 OK\r\nA: " + String(repeating: "b", count: 1_000)).0 == .invalid(.headTooLarge))
    }

    @Test(
        "Dates are those of the calendar",
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
        ])
    func dates(seconds: Int64, text: String) throws {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 1)
        defer { room.deallocate() }
        var writer = try #require(HeadWriter(room))
        writer.append(date: Timestamp(milliseconds: seconds * 1_000))
        #expect(String(decoding: writer.written, as: UTF8.self) == text)
    }

    @Test("A writer stops at the end of its room and says so")
    func full() throws {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 1)
        defer { room.deallocate() }
        var writer = try #require(HeadWriter(room))
        writer.append("1234567")
        #expect(!writer.isFull)
        writer.append("89")
        #expect(writer.isFull && writer.count == 7)
        writer.append(decimal: 9)
        #expect(writer.count == 8)
    }

    @Test("The scanner finds the end of a head that comes octet by octet")
    func scanner() {
        let bytes = Array("GET / HTTP/1.1\r\nA: b\r\n\r\nbody".utf8)
        var scanner = HeadScanner()
        var ends: [Int] = []
        for count in 1...bytes.count where bytes[..<count].withUnsafeBytes({ scanner.hasEnd($0.bytes) }) {
            ends.append(count)
        }
        #expect(ends.first == 24)
    }
}
