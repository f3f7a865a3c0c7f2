/// A set of candidate positions 0 ..< 128.
struct CandidateSet: Hashable, Sendable {
    private(set) var bits: UInt128 = 0

    init() {}

    init(_ members: some Sequence<Int>) {
        for member in members { insert(member) }
    }

    var isEmpty: Bool { bits == 0 }

    func contains(_ member: Int) -> Bool { bits >> UInt128(member) & 1 == 1 }

    mutating func insert(_ member: Int) { bits |= 1 << UInt128(member) }
}
