import DNSWire

/// A name of the table: 32 octets.
struct FlatNode {
    /// What a query below this name that finds no name of its own is answered with.
    enum Below: UInt8 {
        /// `below` is an answer: NXDOMAIN, or a referral.
        case answer
        /// `below` is the node of a wildcard.
        case wildcard
        /// `below` is an alias (DNAME).
        case alias
    }

    /// Marks that nothing stands in a field.
    static let none = UInt32.max

    /// Where the folded name begins among the names, filled to whole words.
    var name: UInt32
    /// The list of types that the name has answers for.
    var entries: UInt32
    var entryCount: UInt16
    var nameLength: UInt8
    var belowKind: UInt8
    /// The answer for all other types.
    var other: UInt32
    /// The answer to ANY (RFC 8482).
    var any: UInt32
    var below: UInt32
    /// The dynamic name, or `none`.
    var dynamic: UInt32
    /// The slot of a dynamic name that answers all other types in place of `other`, or `none`.
    var dynamicOther: UInt32
}

/// A type of a node and its answer.
struct FlatEntry {
    var type: UInt16
    /// 1 when `answer` is a slot of the node's dynamic name.
    var isDynamic: UInt16
    var answer: UInt32
}

/// What is below a DNAME: its record, and what replaces its owner.
struct FlatAlias {
    /// The answer with the DNAME record alone.
    var answer: UInt32
    /// Where the target's name (wire form) begins among the names.
    var target: UInt32
    var targetLength: UInt16
    /// Octets of the owner's name.
    var ownerLength: UInt16
    var ttl: UInt32
    /// The name of the zone's apex: only names within it are followed.
    var origin: UInt32
    var originLength: UInt32
}

/// All zones of a server, compiled: a flat hash table from folded names to nodes, and ready-made answers.
///
/// Immutable. The data path reads it through `view`, which is bare pointers: no reference counting, no bounds checks; the
/// compiler that made the table vouches for every index in it.
package final class ZoneTable: Sendable {
    @safe
    struct View: @unchecked Sendable {
        /// Hash tag in the upper 32 bits, node index plus one in the lower; 0 is empty.
        let slots: UnsafeMutablePointer<UInt64>
        /// Number of slots (a power of two) less one.
        let mask: Int
        let nodes: UnsafeMutablePointer<FlatNode>
        let entries: UnsafeMutablePointer<FlatEntry>
        let aliases: UnsafeMutablePointer<FlatAlias>
        let names: UnsafeMutableRawPointer
        /// The most labels of any name in the table.
        let maximumLabels: Int
        let answers: AnswerStore.View
    }

    let view: View
    let zones: [ZoneSummary]
    let nameCount: Int
    private let store: AnswerStore

    init(
        slots: [UInt64], nodes: [FlatNode], entries: [FlatEntry], aliases: [FlatAlias], names: [UInt8],
        maximumLabels: Int, store: AnswerStore, zones: [ZoneSummary]
    ) {
        unsafe self.view = View(
            slots: FlatMemory.copy(slots), mask: slots.count - 1, nodes: FlatMemory.copy(nodes),
            entries: FlatMemory.copy(entries), aliases: FlatMemory.copy(aliases),
            names: UnsafeMutableRawPointer(FlatMemory.copy(names)), maximumLabels: maximumLabels, answers: store.view)
        self.store = store
        self.zones = zones
        self.nameCount = nodes.count
    }

    deinit {
        unsafe view.slots.deallocate()
        unsafe view.nodes.deallocate()
        unsafe view.entries.deallocate()
        unsafe view.aliases.deallocate()
        unsafe view.names.deallocate()
    }
}

/// A zone as status shows it.
struct ZoneSummary: Sendable, Hashable {
    let origin: String
    let serial: UInt32
    let names: Int
    let dynamicNames: Int
}
