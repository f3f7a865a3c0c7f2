/// DNS names as text: letters, digits, `-`, `_` and `*`, in labels of at most 63 octets (RFC 1035 section 2.3.4; the
/// underscore of RFC 8552). Results are in lower case. Escapes are left to master files.
enum DomainText {
    /// With the final dot, whether or not `text` has it; the root is `.`.
    static func absolute(_ text: String) -> String? {
        if text == "." { return text }
        let body = text.hasSuffix(".") ? text.dropLast() : text[...]
        return labels(body, longest: 253).map { $0 + "." }
    }

    /// As written: relative without the final dot, absolute with it.
    static func relative(_ text: String) -> String? {
        text.hasSuffix(".") ? absolute(text) : labels(text[...], longest: 253)
    }

    /// `name` (from `relative`, or `@`) below `origin` (from `absolute`); nil when it is outside or too long.
    static func join(_ name: String, origin: String) -> String? {
        if name == "@" { return origin }
        if name.hasSuffix(".") { return name == origin || name.hasSuffix(suffix(of: origin)) ? name : nil }
        let joined = name + suffix(of: origin)
        return joined.utf8.count <= 254 ? joined : nil
    }

    /// A host name without the final dot, letters, digits and hyphens only (RFC 1123 section 2.1), in lower case.
    static func host(_ text: Substring) -> String? {
        guard let name = labels(text, longest: 253), !name.contains("*") else { return nil }
        return name
    }

    private static func suffix(of origin: String) -> String { origin == "." ? "." : "." + origin }

    private static func labels(_ text: Substring, longest: Int) -> String? {
        guard !text.isEmpty, text.utf8.count <= longest else { return nil }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        for (index, label) in labels.enumerated() {
            guard (1...63).contains(label.utf8.count), label == "*" ? index == 0 : label.utf8.allSatisfy(isLabelByte)
            else { return nil }
        }
        return text.lowercased()
    }

    private static func isLabelByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x2d
            || byte == 0x5f
    }
}
