/// A pattern for names: `*` stands for any run of characters, dots included, `?` for one; everything else for itself.
package struct Glob: Sendable, Hashable, CustomStringConvertible {
    private let pattern: [UInt8]
    /// False when the pattern matches one text only: itself.
    package let isPattern: Bool

    package init(_ pattern: some StringProtocol) {
        self.pattern = Array(pattern.utf8)
        isPattern = self.pattern.contains { $0 == 0x2a || $0 == 0x3f }
    }

    package var description: String { String(decoding: pattern, as: UTF8.self) }

    /// Whether the whole of `text` matches. Time grows with the product of the two lengths at worst, never faster.
    package func matches(_ text: String) -> Bool {
        let text = text.utf8
        guard isPattern else { return pattern.elementsEqual(text) }
        var place = text.startIndex
        var next = 0
        // Where to go on when what followed the latest `*` does not match: it takes one character more.
        var retry: (next: Int, place: String.UTF8View.Index)?
        while place < text.endIndex {
            if next < pattern.count, pattern[next] == 0x2a {
                next += 1
                retry = (next, place)
            } else if next < pattern.count, pattern[next] == 0x3f || pattern[next] == text[place] {
                next += 1
                place = text.index(after: place)
            } else if let known = retry {
                place = text.index(after: known.place)
                next = known.next
                retry = (known.next, place)
            } else {
                return false
            }
        }
        return pattern[next...].allSatisfy { $0 == 0x2a }
    }
}
