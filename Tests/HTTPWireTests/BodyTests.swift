import HTTPWire
import Model
import TestKit
import Testing

@Suite("Message bodies")
struct BodyTests {
    /// What goes on of a chunked body that comes in pieces of the given sizes; nil when it is malformed or does not end.
    private func pass(_ text: String, decodes: Bool, pieces: () -> Int) -> (data: String, rest: Int)? {
        var body = BodyReader(.chunked, decodes: decodes)
        let bytes = Array(text.utf8)
        var data: [UInt8] = []
        var waiting: [UInt8] = []
        var offset = 0
        while offset < bytes.count {
            let end = min(bytes.count, offset + max(1, pieces()))
            waiting += bytes[offset..<end]
            offset = end
            let passage = waiting.withUnsafeMutableBytes { body.pass($0.mutableBytes) }
            if passage.isMalformed { return nil }
            data += waiting[..<passage.kept]
            waiting.removeFirst(passage.taken)
            if passage.hasEnded {
                return (String(decoding: data, as: UTF8.self), bytes.count - offset + waiting.count)
            }
        }
        return nil
    }

    @Test("A chunked body is the same however it is cut", arguments: 1...10)
    func chunked(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let text =
            "5\r\nhello\r\n0A;a=\"b\"\r\n 1234567\r\n\r\n1 \t;x\r\n!\r\n000\r\nTrailer-Of: x\r\nTE: y\r\nB:\r\n\r\nNEXT"
        for _ in 0..<50 {
            let result = pass(text, decodes: true) { Int.random(in: 1...9, using: &random) }
            #expect(result?.data == "hello 1234567\r\n!")
            #expect(result?.rest == 4)
            let framed = pass(text, decodes: false) { Int.random(in: 1...9, using: &random) }
            #expect(framed?.data == "5\r\nhello\r\na\r\n 1234567\r\n\r\n1\r\n!\r\n0\r\nTrailer-Of: x\r\nB:\r\n\r\n")
            #expect(framed?.rest == 4)
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
            "1 1\r\n", "0\r\nT: " + String(repeating: "v", count: 3_000), "0\r\nT\r\n\r\n", "0\r\nA : b\r\n\r\n",
            ";\r\n",
        ])
    func broken(text: String) {
        for size in [1, 7, 10_000] {
            var body = BodyReader(.chunked)
            var waiting: [UInt8] = []
            var isMalformed = false
            for start in stride(from: 0, to: text.utf8.count, by: size) where !isMalformed {
                waiting += text.utf8.dropFirst(start).prefix(size)
                let passage = waiting.withUnsafeMutableBytes { body.pass($0.mutableBytes) }
                isMalformed = passage.isMalformed
                if !isMalformed { waiting.removeFirst(passage.taken) }
            }
            #expect(isMalformed, "in pieces of \(size)")
        }
    }

    @Test("A body by length takes its octets and no more")
    func length() {
        var body = BodyReader(.length(5))
        let bytes = Array("abcdefg".utf8)
        var first = Array(bytes[..<3])
        var passage = first.withUnsafeMutableBytes { body.pass($0.mutableBytes) }
        #expect(passage.taken == 3 && passage.kept == 3 && !passage.hasEnded)
        #expect(!body.isComplete)
        var second = Array(bytes[3...])
        passage = second.withUnsafeMutableBytes { body.pass($0.mutableBytes) }
        #expect(passage.taken == 2 && passage.kept == 2 && passage.hasEnded)
        #expect(body.isComplete)
        #expect(BodyReader(.none).isComplete)
    }

    @Test("Decoding in place leaves the data at the front")
    func inPlace() {
        var body = BodyReader(.chunked, decodes: true)
        var bytes = Array("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nX".utf8)
        let passage = bytes.withUnsafeMutableBytes { body.pass($0.mutableBytes) }
        #expect(passage.hasEnded && passage.taken == 20)
        #expect(String(decoding: bytes[..<passage.kept], as: UTF8.self) == "abcde")
    }
}

extension String {
    fileprivate func replacingFirst(_ part: Character, with text: String) -> String {
        guard let place = firstIndex(of: part) else { return self }
        return String(self[..<place]) + text + String(self[index(after: place)...])
    }
}
