/// Where the parts of a TSIG record (RFC 8945 section 4.2) stand in a query. We have no keys: what can be said of it is that
/// its key is not known.
package struct QuerySignature: Sendable, Equatable {
    /// TSIG error BADKEY (RFC 8945 section 3): the key is not known here.
    package static let badKey: UInt16 = 17

    /// The key's name, uncompressed.
    package let key: Range<Int>
    /// The algorithm's name.
    package let algorithm: Range<Int>
    /// Time signed and fudge: eight octets behind the algorithm.
    package let time: Range<Int>

    /// Reads the record that begins at `position`; nil when it is malformed.
    package init?(_ message: RawSpan, at position: Int) {
        var end = position
        guard let key = Self.name(message, &end, limit: message.byteCount), end + 10 <= message.byteCount,
            // Class ANY, TTL 0.
            message.word(at: end + 2) == 255, message.long(at: end + 4) == 0
        else { return nil }
        let data = (end + 10)..<(end + 10 + Int(message.word(at: end + 8)))
        guard data.upperBound <= message.byteCount else { return nil }
        var rest = data.lowerBound
        guard let algorithm = Self.name(message, &rest, limit: data.upperBound), rest + 10 <= data.upperBound else {
            return nil
        }
        self.key = key
        self.algorithm = algorithm
        time = rest..<(rest + 8)
        // The code itself, the id it was signed with, the error, and what else there is.
        rest += 10 + Int(message.word(at: rest + 8))
        guard rest + 6 <= data.upperBound, rest + 6 + Int(message.word(at: rest + 4)) == data.upperBound else {
            return nil
        }
    }

    /// A name without compression; moves `position` behind it.
    private static func name(_ message: RawSpan, _ position: inout Int, limit: Int) -> Range<Int>? {
        let start = position
        while position < limit, position - start < Name.maximumLength {
            let length = Int(message.octet(at: position))
            guard length <= Name.maximumLabelLength else { return nil }
            position += length + 1
            if length == 0 { return start..<position }
        }
        return nil
    }
}
