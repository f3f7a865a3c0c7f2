import FoundationEssentials
import HTTPExchange

extension HTTPServer.Response {
    /// An error as people and programs read it.
    static func problem(_ status: Int, _ text: String, _ headers: [(String, String)] = []) -> Self {
        .json(["error": .string(text)], status: status, headers)
    }

    static func json(_ value: StatusValue, status: Int = 200, _ headers: [(String, String)] = []) -> Self {
        let body = value.json(pretty: true)
        return Self(status: status, headers: [("Content-Type", "application/json")] + headers, body: body)
    }
}

extension StatusValue {
    /// JSON text, keys sorted.
    package func json(pretty: Bool = false) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting =
            pretty
            ? [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
            : [
                .sortedKeys, .withoutEscapingSlashes,
            ]
        // Every case encodes: numbers that JSON lacks become null.
        guard let data = try? encoder.encode(self) else { return Array("null".utf8) }
        return Array(data) + (pretty ? [0x0a] : [])
    }
}

/// The parameters of a request's query (WHATWG application/x-www-form-urlencoded): `a=1&b=two+words%21`.
package struct QueryString: Sendable {
    /// The last value of each name.
    package let values: [String: String]

    package init(_ query: String) {
        var values: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            values[Self.decoded(parts[0])] = parts.count == 2 ? Self.decoded(parts[1]) : ""
        }
        self.values = values
    }

    package subscript(name: String) -> String? { values[name] }

    private static func decoded(_ text: Substring) -> String {
        let bytes = Array(text.utf8)
        var decoded: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == 0x25, index + 2 < bytes.count,
                let byte = UInt8(String(decoding: bytes[(index + 1)...(index + 2)], as: UTF8.self), radix: 16)
            {
                decoded.append(byte)
                index += 3
            } else {
                decoded.append(bytes[index] == 0x2b ? 0x20 : bytes[index])
                index += 1
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }
}
