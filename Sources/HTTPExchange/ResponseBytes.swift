import HTTPWire
import Model

/// Writes a whole response of the control plane.
enum ResponseBytes {
    static func encode(_ response: HTTPServer.Response, isHead: Bool, keepsAlive: Bool, date: Timestamp) -> [UInt8] {
        let hasBody = response.status >= 200 && response.status != 204 && response.status != 304
        let room = response.headers.reduce(256) { $0 + $1.0.utf8.count + $1.1.utf8.count + 4 }
        return unsafe [UInt8](unsafeUninitializedCapacity: room + response.body.count) { memory, count in
            guard var writer = unsafe HeadWriter(UnsafeMutableRawBufferPointer(memory)) else { return }
            writer.append("HTTP/1.1 ")
            writer.append(decimal: UInt64(max(0, response.status)))
            writer.append(" ")
            writer.append(StatusText.reason(response.status))
            writer.append("\r\nDate: ")
            writer.append(date: date)
            for (name, value) in response.headers {
                writer.append("\r\n")
                append(name, to: &writer)
                writer.append(": ")
                append(value, to: &writer)
            }
            if !keepsAlive { writer.append("\r\nConnection: close") }
            if hasBody {
                writer.append("\r\nContent-Length: ")
                writer.append(decimal: UInt64(response.body.count))
            }
            writer.append("\r\n\r\n")
            if hasBody, !isHead { unsafe response.body.withUnsafeBytes { unsafe writer.append($0) } }
            count = writer.count
        }
    }

    /// Line breaks in a header would start another one: they become spaces.
    private static func append(_ text: String, to writer: inout HeadWriter) {
        for octet in text.utf8 { writer.append(octet < 0x20 || octet == 0x7f ? 0x20 : octet) }
    }
}
