/// What a client says to a PostgreSQL server (protocol 3.0, "Message Formats").
package enum PostgreSQLRequest {
    /// Asks for TLS: answered with one octet, `S` or `N`.
    package static let encryption: [UInt8] = [0, 0, 0, 8, 4, 210, 22, 47]
    package static let terminate: [UInt8] = [UInt8(ascii: "X"), 0, 0, 0, 4]

    /// StartupMessage of protocol 3.0. Texts end at their first zero octet.
    package static func startup(_ parameters: [(name: String, value: String)]) -> [UInt8] {
        var body: [UInt8] = [0, 3, 0, 0]
        for parameter in parameters { body += text(parameter.name) + text(parameter.value) }
        body.append(0)
        return word(body.count + 4) + body
    }

    /// A simple query; its answer ends with ReadyForQuery, whatever comes of it.
    package static func query(_ statement: String) -> [UInt8] { message("Q", text(statement)) }

    package static func password(_ words: [UInt8]) -> [UInt8] { message("p", words + [0]) }

    package static func saslInitial(mechanism: String, _ data: [UInt8]) -> [UInt8] {
        message("p", text(mechanism) + word(data.count) + data)
    }

    package static func saslResponse(_ data: [UInt8]) -> [UInt8] { message("p", data) }

    private static func message(_ kind: Unicode.Scalar, _ body: [UInt8]) -> [UInt8] {
        [UInt8(ascii: kind)] + word(body.count + 4) + body
    }

    private static func text(_ value: String) -> [UInt8] { value.utf8.prefix { $0 != 0 } + [0] }

    private static func word(_ value: Int) -> [UInt8] {
        let word = UInt32(clamping: value)
        return (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(24 - 8 * $0)) }
    }
}
