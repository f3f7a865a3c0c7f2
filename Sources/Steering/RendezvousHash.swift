package import Model

/// Weighted rendezvous hashing: of a set of candidates each client has one, the same for as long as it is in the set. A
/// candidate that comes or goes, or changes its weight, moves no client but those that it takes or leaves (Thaler and
/// Ravishankar, 1998; weights after Schindelhauer and Schomaker, 2005).
package enum RendezvousHash {
    /// Clients of one prefix of this length are one client.
    package static let v4Width = 24
    package static let v6Width = 48

    /// A number for the prefix around `client`, which is canonical.
    @inline(__always)
    package static func number(of client: IPAddress) -> UInt64 {
        let prefix: UInt64 = client.family == .v4 ? UInt64(client.v4 >> 8) : client.high >> 16 | 1 << 63
        return mixed(prefix &* 0x9e37_79b9_7f4a_7c15)
    }

    /// The candidate with the lowest score has the client.
    ///
    /// `key`: of the candidate, `key(of:)`.
    /// `inverseWeight`: 1 / weight.
    @inline(__always)
    package static func score(client: UInt64, key: UInt32, inverseWeight: Float) -> Float {
        let draw = UInt32(truncatingIfNeeded: mixed(client ^ UInt64(key) &* 0xd6e8_feb8_6659_fd93) >> 32) | 1
        // -log2 of the draw as a part of 2^32: an exponential draw, which the weight stretches.
        let zeros = draw.leadingZeroBitCount
        let fraction = Float(bitPattern: 0x3f80_0000 | ((draw &<< UInt32(zeros)) &<< 1) &>> 9) - 1
        // log2(1 + f) = 2 / ln 2 × artanh(f / (2 + f)); the argument is a third at most, so four terms give six digits.
        let ratio = fraction / (2 + fraction)
        let square = ratio * ratio
        let series = ratio * (1 + square * (1 / 3 + square * (1 / 5 + square / 7)))
        return (Float(zeros) + 1 - 2.885_390_1 * series) * inverseWeight
    }

    /// A number for a candidate's name (FNV-1a).
    static func key(of name: String) -> UInt32 {
        name.utf8.reduce(0x811c_9dc5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    }

    /// Keys for names, in their order: different ones for different names, and a name's own unless an earlier one has it.
    static func keys(of names: [String]) -> [UInt32] {
        var taken: Set<UInt32> = []
        return names.map { name in
            var key = key(of: name)
            while !taken.insert(key).inserted { key &+= 1 }
            return key
        }
    }

    /// The finish of SplitMix64 (Steele et al., 2014): every bit of the result depends on every bit of the argument.
    @inline(__always)
    private static func mixed(_ number: UInt64) -> UInt64 {
        var mixed = (number ^ (number >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
