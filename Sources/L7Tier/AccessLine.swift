import Engine
import HTTPExchange
import HTTPWire

/// What the access log tells of a request.
enum AccessLine {
    // Octets of a target, and of a user agent or a referer, as they are written: longer ones are cut.
    private static let longestTarget = 2048
    private static let longestText = 1024

    /// `elapsed`: nanoseconds from the head to the end.
    static func add(_ exchange: Exchange, elapsed: UInt64, to record: AccessRecord) {
        let session = exchange.session
        record.add("listener", text: session.rules.name)
        if session.hasClient {
            unsafe record.add("client", text: session.clientBytes.bytes)
            record.add("proxy", session.peer)
        } else {
            record.add("client", session.peer)
        }
        if exchange.givenIdentifier.isEmpty { record.add("request_id", identifier: exchange.identifier) }
        exchange.withHead { head in
            add("request_id", exchange.givenIdentifier, of: head, to: record)
            add("method", exchange.methodText, of: head, to: record)
            add("host", exchange.host, of: head, to: record)
            add("target", exchange.target, of: head, to: record, limit: longestTarget)
        }
        if !exchange.methodText.isEmpty { record.add("protocol", exchange.isOldClient ? "HTTP/1.0" : "HTTP/1.1") }
        if exchange.status > 0 { record.add("status", UInt64(exchange.status)) }
        if let route = unsafe exchange.route { record.add("route", text: route.logName) }
        if let pool = unsafe exchange.pool { record.add("pool", text: pool.logName) }
        if let endpoint = unsafe exchange.asked { record.add("endpoint", text: endpoint.text) }
        if exchange.attempts > 0 { record.add("attempts", UInt64(exchange.attempts)) }
        record.add("bytes_in", exchange.bytesIn)
        record.add("bytes_out", exchange.bytesOut)
        record.add("duration_ms", nanoseconds: elapsed)
        if let time = exchange.connectTime { record.add("upstream_connect_ms", nanoseconds: time) }
        if let time = exchange.headTime { record.add("upstream_header_ms", nanoseconds: time) }
        if let time = exchange.endTime { record.add("upstream_duration_ms", nanoseconds: time) }
        exchange.withHead { head in
            add("user_agent", exchange.userAgent, of: head, to: record, limit: longestText)
            add("referer", exchange.referer, of: head, to: record, limit: longestText)
        }
        if let reason = exchange.reason { record.add("reason", reason) }
    }

    /// Nothing when there is no such text, or the head is gone.
    private static func add(
        _ name: StaticString, _ slice: Slice, of head: RawSpan, to record: AccessRecord,
        limit: Int = AccessRecord.textLimit
    ) {
        guard !slice.isEmpty, slice.end <= head.byteCount else { return }
        record.add(name, text: head.extracting(slice.start..<slice.end), limit: limit)
    }
}
