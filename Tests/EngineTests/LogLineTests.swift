import Engine
import Model
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
        let six = SocketAddress(IPAddress(v6: 0x2001_0db8_0000_0000, 0x1f), port: 443)
        #expect(text { $0.append(six) } == "[2001:db8:0:0:0:0:0:1f]:443")
    }

    @Test func escapesWhatWouldBreakTheLine() {
        let bytes: [UInt8] = Array("a\"b\\\n".utf8) + [0xff]
        let written = text { line in unsafe bytes.withUnsafeBytes { unsafe line.append(escaping: $0) } }
        #expect(written == #"a\"b\\\u000a\u00ff"#)
    }

    @Test func cutsOffWhatDoesNotFit() {
        let written = text { line in for _ in 0..<1000 { line.append("0123456789") } }
        #expect(written.utf8.count == 4096)
    }
}
