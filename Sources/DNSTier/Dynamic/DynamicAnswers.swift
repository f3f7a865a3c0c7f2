import Model
package import Steering

/// Compiles dynamic names to ready-made answers, and keeps what a change of health leaves as it was.
///
/// Names that follow one plan and the same sources of health make a cohort: its state is worked out once, and its names are
/// touched only when it moves. Even then a name whose lists of candidates were answered before keeps their octets. Control
/// threads only.
package struct DynamicAnswers: Sendable {
    let names: [PreparedName]
    private let cohorts: [Cohort]
    /// By name.
    private let cohortOfName: [Int]
    private var situations: [Situation?]
    private var blocks: [NameBlock?]
    /// By name, the addresses that are left out.
    private var dead: [Set<DeadAddress>]
    private var flats: [FlatDynamic]
    private var writer = NameBlockWriter()
    let ledger: AnswerLedger
    /// By cohort: what its situation was made of.
    private var settled: [Settled?]
    /// Names that go by a state of their own, by what an operator said of them.
    private var singled: [Int: Settled] = [:]
    /// Names whose answers the latest update made anew.
    package private(set) var recompiled = 0

    /// Names that are steered alike by the same facts.
    struct Cohort: Sendable {
        let plan: SteeringPlan
        /// By leaf, positions among all sources.
        let sources: [Int]
        var names: [Int]
    }

    private struct Settled: Sendable {
        let views: [[CandidateHealth]]
        let spill: SpillShares
        let situation: Situation
    }

    private struct CohortKey: Hashable {
        let plan: ObjectIdentifier
        let sources: [Int]
    }

    /// `sources`: of each name's candidates, any numbers that are equal where the facts are.
    init(_ names: [PreparedName], sources: [[Int]], ledger: AnswerLedger = AnswerLedger()) {
        var cohorts: [Cohort] = []
        var known: [CohortKey: Int] = [:]
        var cohortOfName: [Int] = []
        for (index, name) in names.enumerated() {
            let key = CohortKey(plan: ObjectIdentifier(name.plan), sources: sources[index])
            let cohort = known[key] ?? cohorts.count
            if cohort == cohorts.count {
                known[key] = cohort
                cohorts.append(Cohort(plan: name.plan, sources: sources[index], names: []))
            }
            cohorts[cohort].names.append(index)
            cohortOfName.append(cohort)
        }
        self.names = names
        self.ledger = ledger
        self.cohorts = cohorts
        self.cohortOfName = cohortOfName
        situations = Array(repeating: nil, count: names.count)
        blocks = Array(repeating: nil, count: names.count)
        dead = Array(repeating: [], count: names.count)
        flats = names.map { _ in FlatDynamic.empty }
        settled = Array(repeating: nil, count: cohorts.count)
    }

    var cohortCount: Int { cohorts.count }

    func cohort(_ index: Int) -> Cohort { cohorts[index] }

    /// The whole of `names` under one state of health.
    ///
    /// `health`: of each name's candidates, in the order of its `settings.leaves`.
    /// Returns the table, and for each name whether any class of clients is answered fail-open.
    package static func compile(
        _ names: [PreparedName], health: [[CandidateHealth]]
    ) -> (table: DynamicTable, failOpen: [Bool]) {
        // Every name is a cohort of its own, since its health is given by itself.
        var answers = DynamicAnswers(names, sources: names.indices.map { [$0] })
        answers.update(health: { health[$0] }, singles: [:])
        return (answers.table, answers.failOpen)
    }

    /// Takes a new state of health.
    ///
    /// `health`: of a cohort's candidates, without reasons, which change no answer.
    /// `spill`: what a cohort's `capacity` steps fill candidates with.
    /// `singles`: the health of names that differ from their cohort.
    mutating func update(
        health: (_ cohort: Int) -> [CandidateHealth], spill: (_ cohort: Int) -> SpillShares = { _ in SpillShares() },
        singles: [Int: NameHealth]
    ) {
        recompiled = 0
        var made: [Fact: Situation] = [:]
        var before = singled
        singled = [:]
        for (index, cohort) in cohorts.enumerated() {
            let now = settle(cohort.plan, [health(index)], spill(index), settled[index], &made)
            let moved = now.situation !== settled[index]?.situation
            settled[index] = now
            if moved {
                for name in cohort.names where singles[name] == nil { install(now.situation, without: [], name) }
            }
        }
        for (name, health) in singles {
            let cohort = cohortOfName[name]
            let now = settle(
                names[name].plan, health.views, spill(cohort), before.removeValue(forKey: name), &made)
            singled[name] = now
            install(now.situation, without: health.dead, name)
        }
        // Names that no longer differ go with their cohorts again.
        for name in before.keys {
            if let situation = settled[cohortOfName[name]]?.situation { install(situation, without: [], name) }
        }
    }

    private struct Fact: Hashable {
        let plan: ObjectIdentifier
        let views: [[CandidateHealth]]
        let spill: SpillShares
    }

    private func settle(
        _ plan: SteeringPlan, _ views: [[CandidateHealth]], _ spill: SpillShares, _ old: Settled?,
        _ made: inout [Fact: Situation]
    ) -> Settled {
        if let old, old.views == views, old.spill == spill { return old }
        let fact = Fact(plan: ObjectIdentifier(plan), views: views, spill: spill)
        let situation = made[fact] ?? Situation(plan, views, spill: spill)
        made[fact] = situation
        return Settled(views: views, spill: spill, situation: situation)
    }

    private mutating func install(_ situation: Situation, without gone: Set<DeadAddress>, _ index: Int) {
        if situations[index] === situation, dead[index] == gone { return }
        situations[index] = situation
        dead[index] = gone
        recompiled += 1
        let name = names[index]
        let ttl = isDegraded(index) ? name.settings.ttlDegraded : name.settings.ttl
        let block: NameBlock
        if let old = blocks[index], old.ttl == ttl, old.isStale == situation.isStale, old.rows == situation.rows,
            old.dead == gone
        {
            block = old
        } else {
            block = writer.block(
                name, rows: situation.rows, without: gone, ttl: ttl, isStale: situation.isStale,
                ledger: ledger)
            blocks[index] = block
        }
        unsafe flats[index] = FlatDynamic(
            plan: UnsafeRawPointer(Unmanaged.passUnretained(name.plan).toOpaque()),
            choices: situation.memory.choices, variants: situation.memory.variants, answers: block.memory.answers,
            kinds: block.memory.kinds,
            slotCount: UInt16(name.slots.count), isUniform: situation.isUniform ? 1 : 0,
            viewStride: UInt32(situation.viewStride))
    }

    private func isDegraded(_ name: Int) -> Bool {
        situations[name]?.isDegraded == true || !dead[name].isEmpty
    }

    /// What the workers read. Shares everything with this compiler until the next update.
    package var table: DynamicTable {
        DynamicTable(flats, keeping: DynamicTable.Owners(names: names, situations: situations, blocks: blocks))
    }

    package var failOpen: [Bool] { situations.map { $0?.failOpen ?? false } }

    /// What a name's answers follow.
    func situation(of name: Int) -> Situation? { situations[name] }

    /// The state that a name goes by: health without reasons, and what fills its candidates.
    func state(of name: Int) -> (isDegraded: Bool, isStale: Bool, spill: SpillShares, dead: Set<DeadAddress>) {
        let own = singled[name] ?? settled[cohortOfName[name]]
        return (isDegraded(name), situations[name]?.isStale ?? false, own?.spill ?? SpillShares(), dead[name])
    }
}
