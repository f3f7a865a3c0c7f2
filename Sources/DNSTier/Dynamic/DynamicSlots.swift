import DNSWire

/// Where a dynamic name stands in the dynamic table, and which types it answers.
package struct DynamicSlots: Hashable, Sendable {
    let index: UInt32
    /// One slot for each; a slot more, behind them, for all other types when a candidate is a CNAME.
    let types: [RecordType]
    let answersEveryType: Bool

    var count: Int { types.count + (answersEveryType ? 1 : 0) }

    /// The type of a slot; nil for the one of all others.
    func type(_ slot: Int) -> RecordType? { slot < types.count ? types[slot] : nil }
}
