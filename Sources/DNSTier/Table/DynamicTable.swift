import Steering

/// A dynamic name in flat memory: 48 octets. Nothing that it points at is retained: the table holds it.
@safe
struct FlatDynamic: @unchecked Sendable {
    /// The plan that tells its clients' classes.
    var plan: UnsafeRawPointer
    /// One for each class and view of health. Shared by all names in the same situation.
    var choices: UnsafeMutablePointer<FlatChoice>
    var variants: UnsafeMutablePointer<FlatVariant>
    /// Its own: one for each row and slot.
    var answers: UnsafeMutablePointer<FlatAnswer>
    /// One for each row: what its answers are counted by.
    var kinds: UnsafeMutablePointer<UInt32>
    var slotCount: UInt16
    /// 1 when all clients are of one class and need not be looked up.
    var isUniform: UInt16
    /// How far the choices of one view of health (A, AAAA, all else) are from the next; 0 where one is for all.
    var viewStride: UInt32

    /// Stands in a compiler's list until the name is compiled; never in a table.
    static let empty: FlatDynamic = {
        let nowhere = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 8)
        return unsafe FlatDynamic(
            plan: UnsafeRawPointer(nowhere), choices: nowhere.assumingMemoryBound(to: FlatChoice.self),
            variants: nowhere.assumingMemoryBound(to: FlatVariant.self),
            answers: nowhere.assumingMemoryBound(to: FlatAnswer.self),
            kinds: nowhere.assumingMemoryBound(to: UInt32.self), slotCount: 0, isUniform: 0, viewStride: 0)
    }()
}

/// What a class of clients is answered with: one of some rows of answers.
struct FlatChoice {
    /// Where its variants begin.
    var variants: UInt32
    var count: UInt32
    /// The sum of the weights, at least 1; 0 where the client's prefix chooses.
    var total: UInt32
}

struct FlatVariant {
    /// The weights up to and with this one. Where the client's prefix chooses: the variant's key.
    var cumulative: UInt32
    var row: UInt32
    /// 1 / weight, where the client's prefix chooses.
    var inverseWeight: Float

    init(cumulative: UInt32, row: UInt32) {
        self.cumulative = cumulative
        self.row = row
        inverseWeight = 0
    }

    init(key: UInt32, inverseWeight: Float, row: UInt32) {
        cumulative = key
        self.row = row
        self.inverseWeight = inverseWeight
    }
}

/// The ready-made answers of all dynamic names under one state of health. Immutable: a change of health makes another, which
/// shares what did not change.
package final class DynamicTable: Sendable {
    @safe
    struct View: @unchecked Sendable {
        let names: UnsafeMutablePointer<FlatDynamic>
    }

    /// Whatever the names point at.
    struct Owners: Sendable {
        let names: [PreparedName]
        let situations: [Situation?]
        let blocks: [NameBlock?]
    }

    let view: View
    /// Whether any answer says that it is stale.
    let isStale: Bool
    private let owners: Owners

    init(_ names: [FlatDynamic], keeping owners: Owners) {
        unsafe self.view = View(names: FlatMemory.copy(names))
        isStale = owners.blocks.contains { $0?.isStale == true }
        self.owners = owners
    }

    deinit { unsafe view.names.deallocate() }
}

/// Everything that queries are answered from at one moment: what the workers are given.
package final class AnswerTable: Sendable {
    package let zones: ZoneTable
    package let dynamics: DynamicTable
    /// Grows with each table of a server.
    let generation: UInt64

    package init(zones: ZoneTable, dynamics: DynamicTable, generation: UInt64) {
        self.zones = zones
        self.dynamics = dynamics
        self.generation = generation
    }
}
