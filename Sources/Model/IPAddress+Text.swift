extension IPAddress: CustomStringConvertible {
    /// Reads dotted quads (RFC 6943 section 3.1.1, strict form) and IPv6 text (RFC 4291 section 2.2).
    /// Nil when `text` is neither; leading zeros in a quad are refused.
    package init?(_ text: some StringProtocol) {
        if text.contains(":") {
            guard let words = Self.v6Words(text) else { return nil }
            self.init(
                v6: words[0..<4].reduce(0) { $0 << 16 | UInt64($1) },
                words[4..<8].reduce(0) { $0 << 16 | UInt64($1) })
        } else {
            guard let quad = Self.quad(text) else { return nil }
            self.init(v4: quad)
        }
    }

    private static func quad(_ text: some StringProtocol) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                part == "0" || part.first != "0", let byte = UInt8(part)
            else { return nil }
            value = value << 8 | UInt32(byte)
        }
        return value
    }

    private static func v6Words(_ text: some StringProtocol) -> [UInt16]? {
        let bytes = Array(text.utf8)
        guard let gap = bytes.indices.dropLast().first(where: { bytes[$0] == 0x3a && bytes[$0 + 1] == 0x3a }) else {
            guard let words = groups(bytes[...], quadAllowed: true), words.count == 8 else { return nil }
            return words
        }
        guard let head = groups(bytes[..<gap], quadAllowed: false),
            let tail = groups(bytes[(gap + 2)...], quadAllowed: true), head.count + tail.count <= 7
        else { return nil }
        return head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
    }

    /// The 16-bit words of colon-separated groups; empty text has none.
    private static func groups(_ text: ArraySlice<UInt8>, quadAllowed: Bool) -> [UInt16]? {
        if text.isEmpty { return [] }
        let parts = text.split(separator: 0x3a, omittingEmptySubsequences: false)
        var words: [UInt16] = []
        for (index, part) in parts.enumerated() {
            let group = String(decoding: part, as: UTF8.self)
            if quadAllowed, index == parts.count - 1, let quad = quad(group) {
                words += [UInt16(quad >> 16), UInt16(truncatingIfNeeded: quad)]
            } else {
                guard (1...4).contains(part.count), part.allSatisfy(isHex), let word = UInt16(group, radix: 16) else {
                    return nil
                }
                words.append(word)
            }
        }
        return words
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }

    /// Dotted quad, or the canonical IPv6 text of RFC 5952.
    package var description: String {
        if family == .v4 { return bytes.map(String.init).joined(separator: ".") }
        let words = (0..<8).map { UInt16(byte(at: 2 * $0)) << 8 | UInt16(byte(at: 2 * $0 + 1)) }
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, words[end] == 0 { end += 1 }
            if end - start > max(best.count, 1) { best = start..<end }
            start = max(end, start + 1)
        }
        let hex = words.map { String($0, radix: 16) }
        if best.isEmpty { return hex.joined(separator: ":") }
        return hex[..<best.lowerBound].joined(separator: ":") + "::" + hex[best.upperBound...].joined(separator: ":")
    }
}
