import HTTPWire
import Model
import TestKit
import Testing

@Suite("Message bodies")
struct BodyTests {
    /// The data of a chunked body, read in pieces of the given sizes; nil when it is malformed or does not end.
    private func decode(_ text: String, pieces: () -> Int) -> (data: String, rest: Int)? {
        var decoder = ChunkedDecoder()
        let bytes = Array(text.utf8)
        var data: [UInt8] = []
        var offset = 0
        while offset < bytes.count {
            let end = min(bytes.count, offset + max(1, pieces()))
            let step = bytes[offset..<end].withUnsafeBytes { decoder.step($0.bytes) }
            switch step {
            case .framing(let count): offset += count
            case .data(let count):
                data += bytes[offset..<(offset + count)]
                offset += count
            case .end(let count): return (String(decoding: data, as: UTF8.self), bytes.count - offset - count)
            case .malformed: return nil
            }
        }
        return nil
    }

    @Test("A chunked body is the same however it is cut", arguments: 1...10)
    func chunked(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let text = "5\r\nhello\r\n0A;a=\"b\"\r\n 1234567\r\n\r\n1 \t;x\r\n!\r\n000\r\nTrailer: x\r\nB:\r\n\r\nNEXT"
        for _ in 0..<50 {
            let result = decode(text) { Int.random(in: 1...9, using: &random) }
            #expect(result?.data == "hello 1234567\r\n!")
            #expect(result?.rest == 4)
        }
    }

    @Test(
        "Broken chunked bodies",
        arguments: [
            "\r\n", "g\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", "1\nA\r\n", "1\r\nAB\r\n", "1\r\nA\n", "1\rA", "1;\n",
            "1;a\u{0}b\r\n",
            "1234567890abcdef\r\n", "0\r\nno colon\r\n\r\n", "0\r\n: x\r\n\r\n".replacingFirst(":", with: "\u{1}:"),
            "0\r\nA: b\n\r\n", "1;" + String(repeating: "e", count: 300) + "\r\n",
            "0\r\n" + String(repeating: "T: v\r\n", count: 2_000),
            "1 1\r\n",
        ])
    func broken(text: String) {
        #expect(decode(text) { 7 } == nil)
        var decoder = ChunkedDecoder()
        var isMalformed = false
        for octet in text.utf8 where !isMalformed {
            isMalformed = [octet].withUnsafeBytes { decoder.step($0.bytes) } == .malformed
        }
        #expect(isMalformed)
    }

    @Test("A body by length takes its octets and no more")
    func length() {
        var body = BodyReader(.length(5))
        let bytes = Array("abcdefg".utf8)
        #expect(bytes[..<3].withUnsafeBytes { body.advance($0.bytes) } == .more(3))
        #expect(!body.isComplete)
        #expect(bytes[3...].withUnsafeBytes { body.advance($0.bytes) } == .ended(2))
        #expect(body.isComplete)
        #expect(BodyReader(.none).isComplete)
    }

    @Test("Decoding in place leaves the data at the front")
    func inPlace() {
        var body = BodyReader(.chunked)
        var bytes = Array("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nX".utf8)
        var count = 0
        let progress = bytes.withUnsafeMutableBytes { body.advanceDecoding($0, dataCount: &count) }
        #expect(progress == .ended(20))
        #expect(String(decoding: bytes[..<count], as: UTF8.self) == "abcde")
    }
}

extension String {
    fileprivate func replacingFirst(_ part: Character, with text: String) -> String {
        guard let place = firstIndex(of: part) else { return self }
        return String(self[..<place]) + text + String(self[index(after: place)...])
    }
}
