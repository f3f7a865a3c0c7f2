/// An ErrorResponse of PostgreSQL's protocol 3.0 that ends a connection, as a server would send it.
package struct PostgreSQLError: Sendable, Hashable {
    /// Five characters of SQLSTATE (PostgreSQL, appendix A).
    package let state: String
    package let message: String
    package let hint: String?

    package init(state: String, message: String, hint: String? = nil) {
        self.state = state
        self.message = message
        self.hint = hint
    }

    /// 57P03 cannot_connect_now: libpq goes on to the next host of a list when it reads this, and drivers retry.
    package static func cannotConnectNow(_ message: String, hint: String? = nil) -> PostgreSQLError {
        PostgreSQLError(state: "57P03", message: message, hint: hint)
    }

    /// The message as it goes over the wire.
    package var encoded: [UInt8] {
        var fields: [UInt8] = []
        func add(_ type: Character, _ text: String) {
            fields += Array(String(type).utf8)
            fields += text.utf8.filter { $0 != 0 }
            fields.append(0)
        }
        add("S", "FATAL")
        add("V", "FATAL")
        add("C", state)
        add("M", message)
        if let hint { add("H", hint) }
        fields.append(0)
        let length = UInt32(fields.count + 4)
        return [0x45] + (0..<4).map { UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * $0)) } + fields
    }
}
