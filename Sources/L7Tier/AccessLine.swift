import HTTPWire
import Model

/// One line of the access log.
enum AccessLine {
    /// Longer targets are cut: lines stay below what a log reader takes.
    private static let longestTarget = 2048

    static func append(
        _ exchange: Exchange, format: LogSettings.Format, time: Timestamp, elapsed: UInt64, to writer: inout HeadWriter
    ) {
        switch format {
        case .json: json(exchange, time, elapsed, &writer)
        case .text: text(exchange, time, elapsed, &writer)
        }
    }

    private static func json(_ exchange: Exchange, _ time: Timestamp, _ elapsed: UInt64, _ writer: inout HeadWriter) {
        writer.append("{\"time\":")
        writer.append(decimal: UInt64(max(0, time.milliseconds)))
        writer.append(",\"client\":\"")
        unsafe writer.append(exchange.session.peerBytes)
        writer.append("\",\"method\":\"")
        append(exchange.methodText, of: exchange, to: &writer)
        writer.append("\",\"host\":\"")
        append(exchange.host, of: exchange, to: &writer)
        writer.append("\",\"target\":\"")
        append(exchange.target, of: exchange, to: &writer)
        writer.append("\",\"status\":")
        writer.append(decimal: UInt64(max(0, exchange.status)))
        if let pool = unsafe exchange.pool {
            writer.append(",\"pool\":\"")
            append(pool.logName, to: &writer)
            writer.append("\"")
        }
        if let endpoint = unsafe exchange.endpoint {
            writer.append(",\"endpoint\":\"")
            append(endpoint.text, to: &writer)
            writer.append("\"")
        }
        if let reason = exchange.reason {
            writer.append(",\"reason\":\"")
            writer.append(reason)
            writer.append("\"")
        }
        writer.append(",\"attempts\":")
        writer.append(decimal: UInt64(max(0, exchange.attempts)))
        writer.append(",\"in\":")
        writer.append(decimal: exchange.bytesIn)
        writer.append(",\"out\":")
        writer.append(decimal: exchange.bytesOut)
        writer.append(",\"microseconds\":")
        writer.append(decimal: elapsed / 1_000)
        writer.append("}\n")
    }

    /// `time client "method target" host status in out microseconds pool endpoint attempts reason`, `-` for nothing.
    private static func text(_ exchange: Exchange, _ time: Timestamp, _ elapsed: UInt64, _ writer: inout HeadWriter) {
        writer.append(decimal: UInt64(max(0, time.milliseconds)))
        writer.append(" ")
        unsafe writer.append(exchange.session.peerBytes)
        writer.append(" \"")
        append(exchange.methodText, of: exchange, to: &writer)
        writer.append(" ")
        append(exchange.target, of: exchange, to: &writer)
        writer.append("\" ")
        if exchange.host.isEmpty { writer.append("-") } else { append(exchange.host, of: exchange, to: &writer) }
        for number in [UInt64(max(0, exchange.status)), exchange.bytesIn, exchange.bytesOut, elapsed / 1_000] {
            writer.append(" ")
            writer.append(decimal: number)
        }
        writer.append(" ")
        if let pool = unsafe exchange.pool { append(pool.logName, to: &writer) } else { writer.append("-") }
        writer.append(" ")
        if let endpoint = unsafe exchange.endpoint { append(endpoint.text, to: &writer) } else { writer.append("-") }
        writer.append(" ")
        writer.append(decimal: UInt64(max(0, exchange.attempts)))
        writer.append(" ")
        writer.append(exchange.reason ?? "-")
        writer.append("\n")
    }

    private static func append(_ octets: [UInt8], to writer: inout HeadWriter) {
        unsafe octets.withUnsafeBytes { unsafe writer.append($0) }
    }

    /// Targets and hosts have visible characters only; of these a quote would end the string.
    private static func append(_ slice: Slice, of exchange: Exchange, to writer: inout HeadWriter) {
        exchange.withHead { head in
            for index in slice.start..<min(slice.end, slice.start + longestTarget) where index < head.byteCount {
                let octet = head.octet(index)
                if octet == 0x22 { writer.append(0x5c) }
                writer.append(octet)
            }
        }
    }
}
