import ControlPlane
import Engine
import Model
import TestKit
import Testing

@Suite struct LogLineTests {
    private func text(_ build: (LogLine) -> Void) -> String {
        let line = LogLine()
        build(line)
        return unsafe String(decoding: line.bytes, as: UTF8.self)
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (951_782_400_123, "2000-02-29T00:00:00.123Z"),
        (1_795_338_300_001, "2026-11-22T09:05:00.001Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
    ])
    func writesTimes(milliseconds: Int64, expected: String) {
        #expect(text { $0.append(Timestamp(milliseconds: milliseconds)) } == expected)
    }

    @Test func writesNumbersAndAddresses() {
        #expect(text { $0.append(UInt64(0)) } == "0")
        #expect(text { $0.append(UInt64.max) } == "18446744073709551615")
        #expect(text { $0.append(nanoseconds: 12_034_567) } == "12.034")
        #expect(text { $0.append(SocketAddress(IPAddress(v4: 0x7f00_0001), port: 80)) } == "127.0.0.1:80")
    }

    @Test("An address reads as it does elsewhere, so that lines and metrics can be joined")
    func writesAddressesAlike() {
        var random = SeededGenerator(seed: 7)
        var addresses = [
            IPAddress(v6: 0, 0), IPAddress(v6: 0, 1), IPAddress(v6: 1 << 48, 0), IPAddress(v6: .max, .max),
        ]
        for _ in 0..<2_000 {
            // Groups that are often zero.
            func word() -> UInt64 {
                (0..<4).reduce(0) { word, _ in
                    word << 16 | (random.next() & 1 == 0 ? 0 : random.next() >> (48 + random.next() % 15))
                }
            }
            addresses.append(IPAddress(v6: word(), word()))
        }
        for address in addresses {
            #expect(text { $0.append(address) } == address.description)
            let place = SocketAddress(address, port: 443)
            #expect(text { $0.append(place) } == place.description)
        }
    }

    private func escaped(_ bytes: [UInt8], limit: Int = LogLine.capacity) -> String {
        text { line in unsafe bytes.withUnsafeBytes { unsafe line.append(escaping: $0, limit: limit) } }
    }

    @Test func escapesWhatWouldBreakTheLine() {
        #expect(escaped(Array("a\"b\\\n".utf8) + [0xff]) == #"a\"b\\\u000a\u00ff"#)
        #expect(escaped(Array("é€😀".utf8)) == "é€😀")
        // A terminal takes U+009B for the start of a command.
        #expect(escaped(Array("\u{1b}[2J\u{9b}2J\u{7f}".utf8)) == #"\u001b[2J\u00c2\u009b2J\u007f"#)
        // Text that runs backwards, a line separator, a word joiner.
        for octets: [UInt8] in [[0xe2, 0x80, 0xae], [0xe2, 0x80, 0xa8], [0xe2, 0x81, 0xa0]] {
            #expect(escaped(octets) == octets.map { "\\u00" + String($0, radix: 16) }.joined())
        }
        // Overlong, a surrogate, beyond U+10FFFF, cut short: each octet by its number.
        for octets: [UInt8] in [
            [0xc0, 0xaf], [0xe0, 0x80, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82],
        ] {
            #expect(
                escaped(octets)
                    == octets.map { "\\u00" + String($0, radix: 16) }.joined())
        }
    }

    @Test("Text is cut between characters, at every limit")
    func cutsText() {
        let original = Array("ab\"\\\u{1}é€😀\u{0}z".utf8)
        for limit in 8...60 {
            let text = escaped(original, limit: limit)
            #expect(text.utf8.count <= limit)
            #expect(StatusValue(json: Array("[\"\(text)\"]".utf8)) != nil, "\(text)")
            #expect((text == escaped(original)) == !text.hasSuffix("…"))
        }
    }

    @Test func leavesOutWhatDoesNotFit() {
        let line = LogLine(reserve: 2)
        while !line.isFull { line.append("0123456789") }
        #expect(line.count == 8190)
        line.append(byte: 7)
        #expect(line.count == 8190 && line.isFull)
        line.close("}\n")
        #expect(line.count == 8192)
    }
}
