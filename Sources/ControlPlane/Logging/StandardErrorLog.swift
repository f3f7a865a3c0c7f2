import Glibc
package import Logging
package import Model
import Synchronization

/// swift-log's way to standard error: one line per event, text for people or JSON for programs, written with one system
/// call so that lines of several threads never mix.
package struct StandardErrorLog: LogHandler {
    /// The least level that is written, for every logger of the process; a reload changes it.
    private static let threshold = Mutex(Logger.Level.info)

    private let label: String
    private let format: LogSettings.Format
    private let node: String
    private let sink: @Sendable (String) -> Void
    private var own: Logger.Level?
    package var metadata: Logger.Metadata = [:]

    package init(
        label: String, format: LogSettings.Format, node: String, sink: @escaping @Sendable (String) -> Void = Self.write
    ) {
        self.label = label
        self.format = format
        self.node = node
        self.sink = sink
    }

    /// Makes this the log of the process, once.
    package static func install(_ settings: LogSettings, node: String) {
        setLevel(settings.level)
        LoggingSystem.bootstrap { StandardErrorLog(label: $0, format: settings.format, node: node) }
    }

    /// - Parameter level: a name that swift-log knows; others change nothing.
    package static func setLevel(_ level: String) {
        guard let level = Logger.Level(rawValue: level) else { return }
        threshold.withLock { $0 = level }
    }

    package var logLevel: Logger.Level {
        get { own ?? Self.threshold.withLock { $0 } }
        set { own = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let merged = metadata.merging(event.metadata ?? [:]) { _, new in new }
        sink(line(event.level, "\(event.message)", merged, error: event.error.map { "\($0)" }, now: .now))
    }

    /// The line without its end.
    func line(
        _ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata, error: String?, now: Timestamp
    ) -> String {
        var fields = metadata.map { ($0.key, "\($0.value)") }.sorted { $0.0 < $1.0 }
        if let error { fields.append(("error", error)) }
        switch format {
        case .text:
            let pairs = fields.map { " \($0.0)=\(Self.isPlain($0.1) ? $0.1 : "\"\(Self.oneLine($0.1))\"")" }.joined()
            return "\(now.text) \(level.rawValue) \(label): \(Self.oneLine(message))\(pairs)"
        case .json:
            var value: StatusValue = [
                "time": .string(now.text), "level": .string(level.rawValue), "logger": .string(label),
                "node": .string(node), "message": .string(message),
            ]
            for (key, text) in fields where value[key] == .null { value[key] = .string(text) }
            return String(decoding: value.json(), as: UTF8.self)
        }
    }

    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x22 && $0 != 0x3d }
    }

    /// What a peer sent must not forge lines, nor reach the terminal that shows them.
    private static func oneLine(_ text: String) -> String {
        let line = text.printable
        guard line.utf8.contains(UInt8(ascii: "\"")) else { return line }
        return String(line.map { $0 == "\"" ? "'" : $0 })
    }

    package static func write(_ line: String) {
        var bytes = Array((line + "\n").utf8)
        while !bytes.isEmpty {
            let written = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if written <= 0 {
                if written < 0, errno == EINTR { continue }
                // Nobody reads: a log is not worth a crash or a wait.
                return
            }
            bytes.removeFirst(written)
        }
    }
}

extension Timestamp {
    /// RFC 3339 in UTC, to the millisecond: `2026-11-22T09:05:12.345Z`.
    package var text: String {
        let days = milliseconds.dividedFloor(by: 86_400_000)
        let inDay = milliseconds - days * 86_400_000
        // Howard Hinnant's civil_from_days: era-based, exact over the whole range.
        let shifted = days + 719_468
        let era = shifted.dividedFloor(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let time = [inDay / 3_600_000, inDay / 60_000 % 60, inDay / 1000 % 60].map { Self.padded($0, 2) }
        return "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))T"
            + time.joined(separator: ":") + ".\(Self.padded(inDay % 1000, 3))Z"
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension Int64 {
    fileprivate func dividedFloor(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
