import DNSWire

/// Where a dynamic name stands in the dynamic table, and which types it answers.
package struct DynamicSlots: Hashable, Sendable {
    let index: UInt32
    /// One slot for each, A and AAAA first; a slot more, behind them, for all other types when a candidate is a CNAME.
    let types: [RecordType]
    let answersEveryType: Bool

    var count: Int { types.count + (answersEveryType ? 1 : 0) }

    init(index: UInt32, types: Set<RecordType>, answersEveryType: Bool) {
        self.index = index
        self.types = [.a, .aaaa] + types.subtracting([.a, .aaaa]).sorted()
        self.answersEveryType = answersEveryType
    }

    /// Of the views of health, the one that answers of `type` follow: each type of address has its own, the first slots'.
    static func view(of type: RecordType?) -> Int { type == .a ? 0 : type == .aaaa ? 1 : 2 }

    /// The type of a slot; nil for the one of all others.
    func type(_ slot: Int) -> RecordType? { slot < types.count ? types[slot] : nil }
}
