import TestKit

/// Spoils inputs.
package struct Mutator {
    private let tokens: [[UInt8]]
    private let limit: Int
    private var generator: SeededGenerator

    package init(tokens: [[UInt8]], limit: Int, seed: UInt64) {
        self.tokens = tokens
        self.limit = limit
        generator = SeededGenerator(seed: seed)
    }

    /// One of `corpus` with one to eight changes, few being likelier.
    package mutating func next(from corpus: [[UInt8]]) -> [UInt8] {
        var input = corpus.randomElement(using: &generator) ?? []
        let changes = 1 << below(4)
        for _ in 0..<(1 + below(changes)) { change(&input, corpus) }
        if input.count > limit { input.removeSubrange(limit...) }
        return input
    }

    private mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<max(bound, 1), using: &generator) }

    private mutating func change(_ input: inout [UInt8], _ corpus: [[UInt8]]) {
        let position = below(input.count + 1)
        let rest = input.count - position
        switch below(10) {
        case 0 where rest > 0: input[position] ^= 1 << UInt8(below(8))
        case 1 where rest > 0: input[position] = UInt8(below(256))
        case 2 where rest > 0: input[position] = Self.octets[below(Self.octets.count)]
        case 3: input.insert(UInt8(below(256)), at: position)
        case 4 where rest > 0: input.removeSubrange(position..<(position + 1 + below(min(rest, 32))))
        case 5 where rest > 0:
            // Repeats a piece, sometimes often: counters, depths and lengths overflow that way.
            let piece = Array(input[position..<(position + 1 + below(min(rest, 16)))])
            for _ in 0..<(1 << below(7)) where input.count < limit { input.insert(contentsOf: piece, at: position) }
        case 6 where rest > 1:
            let value = Self.words[below(Self.words.count)]
            input[position] = UInt8(truncatingIfNeeded: value >> 8)
            input[position + 1] = UInt8(truncatingIfNeeded: value)
        case 7:
            let other = corpus.randomElement(using: &generator) ?? []
            let start = below(other.count)
            let piece = other[start..<min(other.count, start + below(64))]
            input.replaceSubrange(position..<min(input.count, position + below(piece.count + 1)), with: piece)
        case 8: input.removeSubrange(position...)
        default:
            guard let token = tokens.randomElement(using: &generator) else { return }
            input.replaceSubrange(position..<min(input.count, position + below(token.count + 1)), with: token)
        }
    }

    private static let octets: [UInt8] = [
        0, 1, 9, 10, 13, 32, 34, 44, 45, 46, 47, 48, 57, 58, 59, 92, 127, 128, 192, 255,
    ]
    private static let words: [UInt16] = [
        0, 1, 2, 4, 12, 16, 41, 63, 64, 127, 128, 255, 256, 512, 0x7fff, 0x8000, 0xc00c, 0xffff,
    ]
}
