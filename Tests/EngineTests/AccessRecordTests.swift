import ControlPlane
import Engine
import Model
import Testing

@Suite("Access records")
struct AccessRecordTests {
    private let ring = LogRing()

    private func record(_ format: LogSettings.Format, sample: Int = 1) -> AccessRecord {
        let node = Node(
            name: "l7-a", tier: .l7, region: RegionID(0), address: IPAddress(v4: 0x7f00_0001), workers: 1, admin: nil,
            adminToken: nil, federation: nil, drainTimeout: .zero, log: LogSettings())
        return AccessRecord(ring, LogSettings(format: format, access: "-", accessSample: sample), of: node)
    }

    private var lines: [String] {
        String(decoding: ring.take(), as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)
    }

    private let time = Timestamp(milliseconds: 1_795_338_300_001)

    private func fill(_ record: AccessRecord, _ text: [UInt8]) {
        #expect(record.begin(at: time))
        record.add("client", SocketAddress(IPAddress(v4: 0x7f00_0001), port: 80))
        record.add("target", text: text.span.bytes)
        record.add("bytes_in", 7)
        record.add("duration_ms", nanoseconds: 12_034_567)
        record.add("reason", "no-route")
        record.end()
    }

    @Test("The same fields as text and as JSON")
    func shape() {
        fill(record(.text), Array("/a".utf8))
        fill(record(.text), Array("/a?b=c d\"".utf8))
        fill(record(.text), [])
        fill(record(.json), Array("/a".utf8))
        let start = "time=2026-11-22T09:05:00.001Z tier=l7 node=l7-a client=127.0.0.1:80 target="
        let end = " bytes_in=7 duration_ms=12.034 reason=no-route"
        #expect(
            lines == [
                start + "/a" + end, start + #""/a?b=c d\"""# + end, start + #""""# + end,
                #"{"time":"2026-11-22T09:05:00.001Z","tier":"l7","node":"l7-a","client":"127.0.0.1:80","target":"/a","#
                    + #""bytes_in":7,"duration_ms":12.034,"reason":"no-route"}"#, "",
            ])
    }

    @Test(
        "Whatever strangers send, each record is a line of its own, and valid",
        arguments: [LogSettings.Format.json, .text])
    func hostile(format: LogSettings.Format) {
        let record = record(format)
        // Every octet, each many times: far more than a line holds.
        let octets = (0..<256).map { UInt8($0) }
        for text in octets.map({ [UInt8](repeating: $0, count: 5_000) }) + [octets] {
            #expect(record.begin(at: time))
            for _ in 0..<6 { record.add("target", text: text.span.bytes, limit: 2_048) }
            record.add("status", 200)
            record.end()
            let written = lines
            #expect(written.count == 2)
            let line = written[0].utf8
            #expect(line.count > 1_000 && line.count < 8_192)
            #expect(line.allSatisfy { $0 >= 0x20 && $0 != 0x7f })
            if format == .json {
                #expect(StatusValue(json: Array(line)) != nil, "\(written[0].prefix(200))")
            } else {
                #expect(written[0].hasPrefix("time=2026-11-22T09:05:00.001Z tier=l7 node=l7-a target="))
            }
        }
    }

    @Test("Of every so many operations the first has a line")
    func sampled() {
        let record = record(.text, sample: 3)
        var begun: [Int] = []
        for index in 0..<7 where record.begin(at: time) {
            begun.append(index)
            record.end()
        }
        #expect(begun == [0, 3, 6])
        #expect(lines.count == 4)
    }
}
