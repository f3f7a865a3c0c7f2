import Steering

/// A dynamic name in flat memory.
@safe
struct FlatDynamic {
    /// The plan that tells its clients' classes, not retained: the table holds it.
    var plan: UnsafeRawPointer
    /// Where its choices begin: one for each class and slot.
    var choices: UInt32
    var slotCount: UInt16
    /// 1 when all clients are of one class and need not be looked up.
    var isUniform: UInt16
}

/// What a class of clients is answered with for one type: one of some answers, by weight.
struct FlatChoice {
    /// Where its variants begin.
    var variants: UInt32
    var count: UInt32
    /// The sum of the weights, at least 1.
    var total: UInt32
}

struct FlatVariant {
    /// The weights up to and with this one.
    var cumulative: UInt32
    var answer: UInt32
}

/// The ready-made answers of all dynamic names under one state of health. Immutable: a change of health makes another.
package final class DynamicTable: Sendable {
    @safe
    struct View: @unchecked Sendable {
        let names: UnsafeMutablePointer<FlatDynamic>
        let choices: UnsafeMutablePointer<FlatChoice>
        let variants: UnsafeMutablePointer<FlatVariant>
        let answers: AnswerStore.View
    }

    let view: View
    private let plans: [SteeringPlan]
    private let store: AnswerStore

    /// `plans`: of all names, kept alive for the bare pointers to them.
    init(
        names: [FlatDynamic], choices: [FlatChoice], variants: [FlatVariant], store: AnswerStore, plans: [SteeringPlan]
    ) {
        unsafe self.view = View(
            names: FlatMemory.copy(names), choices: FlatMemory.copy(choices), variants: FlatMemory.copy(variants),
            answers: store.view)
        self.store = store
        self.plans = plans
    }

    deinit {
        unsafe view.names.deallocate()
        unsafe view.choices.deallocate()
        unsafe view.variants.deallocate()
    }
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
