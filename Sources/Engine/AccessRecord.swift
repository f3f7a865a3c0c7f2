package import Model

/// The record of an operation in an access log: one shape in every tier. Fields have names, and what two tiers tell of has the
/// same name and unit in both. As JSON a record is an object; as text it is `name=value`, quoted as in JSON where a value has
/// other than plain characters. What does not apply is left out.
///
/// A line is always whole: text that strangers chose is cut at its own limit, and a field without room is left out.
/// Confined to one worker; allocates nothing per record and never blocks.
package final class AccessRecord {
    /// Octets of text, unless a field says otherwise.
    package static let textLimit = 256

    private let ring: LogRing
    private let line: LogLine
    private let isJSON: Bool
    private let sample: Int
    private var untilNext = 1
    /// What stands between the time and the fields of an operation: the tier and the node.
    private let origin: [UInt8]

    package init(_ ring: LogRing, _ settings: LogSettings, of node: Node) {
        self.ring = ring
        isJSON = settings.format == .json
        sample = max(1, settings.accessSample)
        line = LogLine(reserve: 2)
        let (tier, name) = (node.tier.rawValue, node.name)
        origin = Array((isJSON ? "\",\"tier\":\"\(tier)\",\"node\":\"\(name)\"" : " tier=\(tier) node=\(name)").utf8)
    }

    /// Begins a record at the end of an operation. False when the sample leaves it out: then there is nothing to add and
    /// nothing to end.
    package func begin(at time: Timestamp) -> Bool {
        untilNext &-= 1
        guard untilNext == 0 else { return false }
        untilNext = sample
        line.clear()
        line.append(isJSON ? "{\"time\":\"" : "time=")
        line.append(time)
        line.append(origin)
        return true
    }

    /// Hands the record to the log's writer.
    package func end() {
        line.close(isJSON ? "}\n" : "\n")
        unsafe ring.append(line.bytes)
    }

    /// `value` has plain characters only: letters, digits, signs other than `"`, `=` and `\`.
    package func add(_ name: StaticString, _ value: StaticString) {
        let field = open(name, quoted: isJSON)
        line.append(value)
        close(field)
    }

    package func add(_ name: StaticString, _ value: UInt64) {
        let field = open(name, quoted: false)
        line.append(value)
        close(field)
    }

    /// Milliseconds with three decimals; `name` ends with `_ms`.
    package func add(_ name: StaticString, nanoseconds: UInt64) {
        let field = open(name, quoted: false)
        line.append(nanoseconds: nanoseconds)
        close(field)
    }

    package func add(_ name: StaticString, _ address: SocketAddress) {
        let field = open(name, quoted: isJSON)
        line.append(address)
        close(field)
    }

    /// A number of 128 bits, as 32 hexadecimal digits.
    package func add(_ name: StaticString, identifier: (UInt64, UInt64)) {
        let field = open(name, quoted: isJSON)
        line.append(hexadecimal: identifier.0)
        line.append(hexadecimal: identifier.1)
        close(field)
    }

    /// Text of any kind, in UTF-8 or not.
    ///
    /// `limit`: octets, as they are written.
    package func add(_ name: StaticString, text: RawSpan, limit: Int = textLimit) {
        unsafe text.withUnsafeBytes { octets in
            let field = open(name, quoted: unsafe isJSON || !Self.isPlain(octets))
            unsafe line.append(escaping: octets, limit: limit)
            close(field)
        }
    }

    /// Text that was made ahead of time, such as a listener's name.
    package func add(_ name: StaticString, text: [UInt8]) { unsafe add(name, text: text.span.bytes) }

    /// A field under way.
    private struct Field {
        /// Octets of the line before it.
        let start: Int
        let isQuoted: Bool
    }

    private func open(_ name: StaticString, quoted: Bool) -> Field {
        let field = Field(start: line.count, isQuoted: quoted)
        line.append(isJSON ? ",\"" : " ")
        line.append(name)
        line.append(isJSON ? "\":" : "=")
        if quoted { line.append(byte: 0x22) }
        return field
    }

    private func close(_ field: Field) {
        if field.isQuoted { line.append(byte: 0x22) }
        if line.isFull { line.cut(to: field.start) }
    }

    private static func isPlain(_ text: UnsafeRawBufferPointer) -> Bool {
        for index in text.indices {
            switch unsafe text[index] {
            case 0x22, 0x3d, 0x5c: return false
            case 0x21...0x7e: continue
            default: return false
            }
        }
        return unsafe !text.isEmpty
    }
}
