import Model

/// What a PostgreSQL server says to a client that logs in and asks (protocol 3.0, "Message Formats"), as far as a check
/// wants to know.
package enum PostgreSQLMessage: Sendable, Hashable {
    /// `R`: what the server wants to know, by its number, and what belongs to it.
    case authentication(kind: UInt32, data: [UInt8])
    /// `E`
    case error(PostgreSQLComplaint)
    /// `D`: a column is nil when it is NULL.
    case row([[UInt8]?])
    /// `C`, `I`: the end of one statement's result.
    case completed
    /// `Z`: ready for the next query.
    case ready
    /// `T`, `K`: belongs to an answer and tells a check nothing.
    case detail
    /// `N`, `A`, `S`, `v`: may come at any time, unasked.
    case unasked
    /// Anything else: nothing that a check asks for leads to it.
    case unexpected(UInt8)
}

/// The fields of an ErrorResponse that people read.
package struct PostgreSQLComplaint: Sendable, Hashable {
    /// Octets of the text that are kept.
    package static let longest = 5120

    /// FATAL, ERROR.
    package var severity = ""
    /// SQLSTATE (PostgreSQL, appendix A); empty when there is none.
    package var state = ""
    package var text = ""

    init(_ body: ArraySlice<UInt8>) {
        for field in body.split(separator: 0) {
            guard let kind = field.first else { continue }
            let value = field.dropFirst()
            switch kind {
            // V is S in English, and comes after it.
            case UInt8(ascii: "S"), UInt8(ascii: "V"): severity = String(plain: value, atMost: 16)
            case UInt8(ascii: "C"): state = String(plain: value, atMost: 5)
            case UInt8(ascii: "M"): text = String(plain: value, atMost: Self.longest)
            default: break
            }
        }
    }

    /// `FATAL: role "x" does not exist`.
    package var sentence: String {
        let words = text.isEmpty ? "an error without words" : text
        return severity.isEmpty ? words : "\(severity): \(words)"
    }
}

/// Puts a server's stream together to messages. Holds no more than one message, and no message that is longer than
/// `longest`: what a check asks for has short answers.
package struct PostgreSQLStream: Sendable {
    /// Octets of one message.
    package static let longest = 16_384

    /// What ends the conversation.
    package enum Breach: Error, Sendable, Hashable, CustomStringConvertible {
        case tooLong(Int)
        /// A length that leaves no room for itself, or fields that are not in their message.
        case malformed(UInt8)

        package var description: String {
            switch self {
            case .tooLong(let count): "a message of \(count) octets, more than \(PostgreSQLStream.longest)"
            case .malformed: "what it says is not PostgreSQL's protocol"
            }
        }
    }

    private var bytes: [UInt8] = []
    private var start = 0

    package init() {}

    /// Octets that wait for the rest of their message.
    package var held: Int { bytes.count - start }

    package mutating func append(_ more: some Sequence<UInt8>) {
        if start > 0 {
            bytes.removeFirst(start)
            start = 0
        }
        bytes.append(contentsOf: more)
    }

    /// The next whole message; nil when more octets are needed.
    package mutating func next() throws(Breach) -> PostgreSQLMessage? {
        guard held >= 5 else { return nil }
        let kind = bytes[start]
        let length = Int(Self.word(bytes[(start + 1)...]))
        guard length >= 4 else { throw .malformed(kind) }
        guard length <= Self.longest else { throw .tooLong(length) }
        guard held > length else { return nil }
        let body = bytes[(start + 5)..<(start + 1 + length)]
        start += 1 + length
        return try Self.message(kind, body)
    }

    private static func message(_ kind: UInt8, _ body: ArraySlice<UInt8>) throws(Breach) -> PostgreSQLMessage {
        switch kind {
        case UInt8(ascii: "R"):
            guard body.count >= 4 else { throw .malformed(kind) }
            return .authentication(kind: word(body), data: Array(body.dropFirst(4)))
        case UInt8(ascii: "E"): return .error(PostgreSQLComplaint(body))
        case UInt8(ascii: "D"): return .row(try columns(body))
        case UInt8(ascii: "C"), UInt8(ascii: "I"): return .completed
        case UInt8(ascii: "Z"): return .ready
        case UInt8(ascii: "T"), UInt8(ascii: "K"): return .detail
        case UInt8(ascii: "N"), UInt8(ascii: "A"), UInt8(ascii: "S"), UInt8(ascii: "v"): return .unasked
        default: return .unexpected(kind)
        }
    }

    private static func columns(_ body: ArraySlice<UInt8>) throws(Breach) -> [[UInt8]?] {
        guard body.count >= 2 else { throw .malformed(UInt8(ascii: "D")) }
        var rest = body.dropFirst(2)
        var columns: [[UInt8]?] = []
        let count = Int(body[body.startIndex]) << 8 | Int(body[body.startIndex + 1])
        for _ in 0..<count {
            guard rest.count >= 4 else { throw .malformed(UInt8(ascii: "D")) }
            let length = word(rest)
            rest = rest.dropFirst(4)
            if length == .max {
                columns.append(nil)
                continue
            }
            guard length <= rest.count else { throw .malformed(UInt8(ascii: "D")) }
            columns.append(Array(rest.prefix(Int(length))))
            rest = rest.dropFirst(Int(length))
        }
        guard rest.isEmpty else { throw .malformed(UInt8(ascii: "D")) }
        return columns
    }

    /// Four octets, the highest first; there are four.
    private static func word(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }
}
