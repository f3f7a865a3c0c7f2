/// Lower-casing and hashing of names, eight octets at a time.
///
/// A name's hash is taken over its folded wire form, cut into words of eight octets, the last one filled with zeros.
/// The same function hashes the keys when a table is built and the question when a query comes.
package enum FoldedName {
    /// Octets that a buffer for a folded name needs: the longest name, filled to whole words, and one word to spare.
    package static let capacity = 264

    /// Any odd number with well-mixed bits will do (this one is from SplitMix64).
    private static let multiplier: UInt64 = 0xbf58_476d_1ce4_e5b9

    /// Lower-cases the ASCII letters among eight octets. Length octets are below `A` and stay as they are.
    @inline(__always)
    package static func fold(_ word: UInt64) -> UInt64 {
        let low7 = word & 0x7f7f_7f7f_7f7f_7f7f
        let aboveZ = low7 &+ 0x2525_2525_2525_2525
        let atLeastA = low7 &+ 0x3f3f_3f3f_3f3f_3f3f
        let upper = (atLeastA ^ aboveZ) & ~word & 0x8080_8080_8080_8080
        return word | upper >> 2
    }

    /// The first `count` octets (1 ... 8) of a word read from memory on a little-endian machine, the rest zero.
    @inline(__always)
    package static func head(_ word: UInt64, count: Int) -> UInt64 {
        word & UInt64.max >> UInt64(truncatingIfNeeded: 64 &- 8 &* count)
    }

    @inline(__always)
    package static func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let product = (hash ^ word) &* multiplier
        return product ^ product >> 32
    }

    /// Where hashing begins, for a name of `length` octets.
    @inline(__always)
    package static func seed(length: Int) -> UInt64 { UInt64(truncatingIfNeeded: length) &* 0x9e37_79b9_7f4a_7c15 }

    /// Copies the name of `length` octets at `source` to `output` in lower case, fills it to a whole word, and returns
    /// its hash.
    ///
    /// `source`: readable for `length` octets.
    /// `readable`: octets that may be read from `source`: when there are enough of them, the last word is read whole.
    /// `output`: `capacity` octets, aligned to 8.
    @inline(__always)
    @unsafe
    package static func copy(
        _ source: UnsafeRawPointer, length: Int, readable: Int, to output: UnsafeMutableRawPointer
    ) -> UInt64 {
        var hash = seed(length: length)
        var offset = 0
        while offset &+ 8 <= length {
            let word = fold(unsafe UInt64(littleEndian: source.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            unsafe output.storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt64.self)
            hash = mix(hash, word)
            offset &+= 8
        }
        let rest = length &- offset
        if rest > 0 {
            var word: UInt64 = 0
            if offset &+ 8 <= readable {
                word = unsafe UInt64(littleEndian: source.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                word = fold(head(word, count: rest))
            } else {
                for index in 0..<rest {
                    let octet = unsafe source.load(fromByteOffset: offset &+ index, as: UInt8.self)
                    word |= UInt64(octet) << UInt64(8 &* index)
                }
                word = fold(word)
            }
            unsafe output.storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt64.self)
            hash = mix(hash, word)
        }
        return hash
    }

    /// The hash of the `length` octets at `name`, which are folded already and readable to a whole word.
    @inline(__always)
    @unsafe
    package static func hash(_ name: UnsafeRawPointer, length: Int) -> UInt64 {
        var hash = seed(length: length)
        var offset = 0
        while offset &+ 8 <= length {
            let word = unsafe UInt64(littleEndian: name.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            hash = mix(hash, word)
            offset &+= 8
        }
        let rest = length &- offset
        if rest > 0 {
            let word = unsafe UInt64(littleEndian: name.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            hash = mix(hash, head(word, count: rest))
        }
        return hash
    }

    /// Whether the `length` octets at `name` (folded, readable to a whole word) are those at `key`, which is filled with
    /// zeros to a whole word.
    @inline(__always)
    @unsafe
    package static func equal(_ name: UnsafeRawPointer, _ key: UnsafeRawPointer, length: Int) -> Bool {
        var offset = 0
        while offset &+ 8 <= length {
            guard
                unsafe name.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                    == key.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            else { return false }
            offset &+= 8
        }
        let rest = length &- offset
        guard rest > 0 else { return true }
        let left = unsafe UInt64(littleEndian: name.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        let right = unsafe UInt64(littleEndian: key.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        return head(left, count: rest) == right
    }
}
