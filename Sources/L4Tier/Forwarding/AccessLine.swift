import Engine
import Model

/// Writes the access line of each connection, or of every n-th.
final class AccessLine {
    private let ring: LogRing
    private let line = LogLine()
    private let isJSON: Bool
    private let sample: Int
    private var skipped = 0

    init(_ ring: LogRing, _ settings: LogSettings) {
        self.ring = ring
        isJSON = settings.format == .json
        sample = max(1, settings.accessSample)
    }

    /// `received` came from the client, `sent` went to it, both in octets of payload.
    func write(
        _ route: Route, client: SocketAddress, endpoint: SocketAddress?, began: UInt64, received: UInt64,
        sent: UInt64, reason: EndReason, worker: Worker
    ) {
        skipped += 1
        guard skipped >= sample else { return }
        skipped = 0
        let duration = worker.now &- began
        line.clear()
        if isJSON {
            line.append("{\"time\":\"")
            line.append(worker.wallClock)
            line.append("\",\"listener\":\"")
            unsafe route.label.withUnsafeBytes { unsafe line.append(escaping: $0) }
            line.append("\",\"client\":\"")
            line.append(client)
            line.append("\",\"endpoint\":")
            if let endpoint {
                line.append("\"")
                line.append(endpoint)
                line.append("\"")
            } else {
                line.append("null")
            }
            line.append(",\"received\":")
            line.append(received)
            line.append(",\"sent\":")
            line.append(sent)
            line.append(",\"milliseconds\":")
            line.append(nanoseconds: duration)
            line.append(",\"reason\":\"")
            line.append(reason.label)
            line.append("\"}\n")
        } else {
            line.append(worker.wallClock)
            line.append(" ")
            line.append(route.label)
            line.append(" ")
            line.append(client)
            line.append(" ")
            if let endpoint { line.append(endpoint) } else { line.append("-") }
            line.append(" ")
            line.append(received)
            line.append(" ")
            line.append(sent)
            line.append(" ")
            line.append(nanoseconds: duration)
            line.append(" ")
            line.append(reason.label)
            line.append("\n")
        }
        unsafe ring.append(line.bytes)
    }
}
