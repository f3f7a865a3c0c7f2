/// What JSON of strangers may look like before anything is made of it. A decoder's work grows with the product of depth and
/// size, and is done before a signature could be looked at.
package struct JSONBounds: Sendable, Hashable {
    /// Arrays and objects within one another. Reports and state files have five, an answer of `/explain` twice that.
    package static let depth = 32
    /// Octets of a number, or of what stands where one could: the longest that a Double prints as has 24.
    package static let word = 64

    /// Values of all kinds.
    package let values: Int

    package init(values: Int) { self.values = values }

    /// Whether `bytes` stay within the bounds: one pass, no memory. Says nothing about whether they are JSON.
    package func admits(_ bytes: [UInt8]) -> Bool {
        var depth = 0
        var count = 1
        var word = 0
        var isInString = false
        var isEscaped = false
        for byte in bytes {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                count += 1
                if depth > Self.depth { return false }
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            case UInt8(ascii: ","): count += 1
            case UInt8(ascii: ":"), 0x20, 0x09, 0x0a, 0x0d: break
            default:
                word += 1
                if word > Self.word { return false }
                continue
            }
            word = 0
            if count > values { return false }
        }
        return true
    }
}
