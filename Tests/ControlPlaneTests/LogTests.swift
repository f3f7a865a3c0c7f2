import Logging
import Model
import Synchronization
import Testing

@testable import ControlPlane

@Suite("Logs and events")
struct LogTests {
    private let now = Timestamp(milliseconds: 1_700_000_000_007)

    @Test("Text is one line, whatever a peer put into it")
    func text() {
        let log = StandardErrorLog(label: "events", format: .text, node: "n", sink: { _ in })
        let line = log.line(
            .notice, "down\n\"now\"", ["subject": "shop in eu", "kind": "verdict"], error: nil, now: now)
        #expect(
            line == "2023-11-14T22:13:20.007Z notice events: down 'now' kind=verdict subject=\"shop in eu\"")
    }

    @Test("JSON is one object")
    func json() throws {
        let log = StandardErrorLog(label: "events", format: .json, node: "n", sink: { _ in })
        let line = log.line(.error, "a\nb", ["message": "forged", "x": "1"], error: "bad", now: now)
        let value = try #require(StatusValue(json: Array(line.utf8)))
        #expect(value["message"] == "a\nb")
        #expect(value["level"] == "error")
        #expect(value["node"] == "n")
        #expect(value["x"] == "1")
        #expect(value["error"] == "bad")
        #expect(!line.contains("\n"))
    }

    @Test("swift-log ends up in the sink")
    func backend() {
        let lines = Sink()
        var logger = Logger(label: "l") { label in
            StandardErrorLog(label: label, format: .text, node: "n") { line in lines.add(line) }
        }
        logger.logLevel = .warning
        logger[metadataKey: "a"] = "1"
        logger.info("quiet")
        logger.warning("loud", metadata: ["b": "2"])
        #expect(lines.all.count == 1)
        #expect(lines.all.first?.hasSuffix("warning l: loud a=1 b=2") == true)
    }

    @Test(
        "Times are RFC 3339",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] as [(Int64, String)])
    func times(milliseconds: Int64, text: String) {
        #expect(Timestamp(milliseconds: milliseconds).text == text)
    }

    @Test("The event log keeps the latest and numbers them all")
    func events() {
        let seen = Sink()
        let now = now
        let log = EventLog(capacity: 3, clock: { now }, sink: { seen.add($0.subject) })
        for index in 1...5 { log.record(.node, "s\(index)", "t") }
        #expect(log.events().map(\.number) == [3, 4, 5])
        #expect(log.events(after: 4).map(\.subject) == ["s5"])
        #expect(log.events().allSatisfy { $0.time == now })
        #expect(seen.all == ["s1", "s2", "s3", "s4", "s5"])
    }
}

private final class Sink: Sendable {
    private let lines = Mutex([String]())

    func add(_ line: String) { lines.withLock { $0.append(line) } }

    var all: [String] { lines.withLock { $0 } }
}
