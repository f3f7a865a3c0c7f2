import Model

/// Guesses what was meant.
enum NearestKey {
    /// The candidate that is nearest to `text`: equal but for case, within a third of its length in edits, or else begun by it. Nil when nothing is near.
    static func nearest(to text: String, among candidates: [String]) -> String? {
        guard text.utf8.count <= 64 else { return nil }
        let wanted = Array(text.lowercased().utf8)
        var best: (candidate: String, distance: Int)?
        for candidate in candidates {
            let other = Array(candidate.lowercased().utf8)
            let limit = max(1, min(wanted.count, other.count) / 3)
            let found = distance(wanted, other)
            if found <= limit, found < best?.distance ?? .max { best = (candidate, found) }
        }
        return best?.candidate ?? (text.count >= 3 ? candidates.first { $0.hasPrefix(text) } : nil)
    }

    /// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours, each counting one.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforePrevious: [Int] = []
        var previous = Array(0...right.count)
        for i in 0..<left.count {
            var current = [i + 1]
            current.reserveCapacity(right.count + 1)
            for j in 0..<right.count {
                let cost = left[i] == right[j] ? 0 : 1
                var least = min(previous[j + 1] + 1, current[j] + 1, previous[j] + cost)
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    least = min(least, beforePrevious[j - 1] + 1)
                }
                current.append(least)
            }
            beforePrevious = previous
            previous = current
        }
        return previous[right.count]
    }
}

extension ScalarKind {
    /// What was probably meant by `text`, which this kind refuses.
    func guess(_ text: String) -> String? {
        let candidates: [String] =
            switch self {
            case .choice(let words): NearestKey.nearest(to: text, among: words).map { [$0] } ?? []
            case .boolean: ["yes", "on", "True", "TRUE"].contains(text) ? ["true"] : ["false"]
            case .duration, .timeToLive: [text + "s", text.filter { $0 != " " }, text.lowercased()]
            case .size: [text + "iB", text + "B", text.filter { $0 != " " }, text.dropLast() + "iB"]
            case .share: [text + "%", text.filter { $0 != " " }]
            case .urlPath: ["/" + text]
            case .country: [text.uppercased()]
            case .prefix, .clients: Self.withoutHostBits(text).map { [$0] } ?? []
            case .statuses where text.count == 3 && text.lowercased().hasSuffix("xx"):
                text.first.map { ["\($0)00-\($0)99"] } ?? []
            case .word(let word, let other):
                (NearestKey.nearest(to: text, among: [word]).map { [$0] } ?? [])
                    + (other.guess(text).map { [$0] } ?? [])
            default: []
            }
        return candidates.first { $0 != text && read($0) != nil }
    }

    private static func withoutHostBits(_ text: String) -> String? {
        let parts = text.split(separator: "/")
        guard parts.count == 2, let address = IPAddress(parts[0]), let length = Int(parts[1]) else { return nil }
        return IPPrefix(address, length: length).description
    }
}
