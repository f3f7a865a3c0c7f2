import DNSWire
package import Model
package import Steering

/// A dynamic name with everything about it that does not depend on health.
package struct PreparedName: Sendable {
    package let settings: DynamicName
    let name: Name
    let slots: DynamicSlots
    let plan: SteeringPlan
    /// The records of each candidate, in the order of `settings.candidates`.
    let records: [[RecordData]]
    /// The regions of the candidates, by name.
    let regions: [String]
    let service: String?
    /// What a type that nobody chosen has is answered with: the zone's SOA.
    let noData: ComposedAnswer

    /// What the answers are laid out for: the name itself, or what is behind the `*` of a wildcard.
    var suffix: Name { name.isWildcard ? name.parent ?? name : name }
}

/// Compiles dynamic names to ready-made answers under one state of health.
package struct DynamicAnswers {
    private var store = AnswerStoreBuilder()
    private var names: [FlatDynamic] = []
    private var choices: [FlatChoice] = []
    private var variants: [FlatVariant] = []
    private var evaluations: [Situation: [ClassAnswer]] = [:]

    /// Names that follow one plan under the same health have the same answers by class.
    private struct Situation: Hashable {
        let plan: ObjectIdentifier
        let health: [CandidateHealth]
    }

    /// - Parameters:
    ///   - names: in the order of their `slots.index`.
    ///   - health: of each name's candidates.
    /// - Returns: the table, and for each name whether any class of clients is answered fail-open.
    package static func compile(
        _ names: [PreparedName], health: [[CandidateHealth]]
    ) -> (table: DynamicTable, failOpen: [Bool]) {
        var compiler = DynamicAnswers()
        var failOpen: [Bool] = []
        for (name, health) in zip(names, health) { failOpen.append(compiler.add(name, health)) }
        let table = DynamicTable(
            names: compiler.names, choices: compiler.choices, variants: compiler.variants,
            store: compiler.store.freeze(), plans: names.map(\.plan))
        return (table, failOpen)
    }

    private mutating func add(_ name: PreparedName, _ health: [CandidateHealth]) -> Bool {
        let situation = Situation(plan: ObjectIdentifier(name.plan), health: health)
        let classes = evaluations[situation] ?? name.plan.evaluate(health)
        evaluations[situation] = classes
        let slots: [RecordType?] = name.slots.types + (name.slots.answersEveryType ? [nil] : [])
        unsafe names.append(
            FlatDynamic(
                plan: UnsafeRawPointer(Unmanaged.passUnretained(name.plan).toOpaque()), choices: UInt32(choices.count),
                slotCount: UInt16(slots.count), isUniform: classes.count == 1 ? 1 : 0))
        var known: [[Int]: [UInt32]] = [:]
        for answer in classes {
            let rows = answer.variants.map { variant in
                if let row = known[variant.candidates] { return row }
                let row = slots.map { store.add(compose(name, variant.candidates, type: $0)) }
                known[variant.candidates] = row
                return row
            }
            for slot in slots.indices {
                choices.append(
                    FlatChoice(
                        variants: UInt32(variants.count), count: UInt32(answer.variants.count), total: answer.total))
                for (variant, row) in zip(answer.variants, rows) {
                    variants.append(FlatVariant(cumulative: variant.cumulative, answer: row[slot]))
                }
            }
        }
        return classes.contains(where: \.failOpen)
    }

    /// The records of `type` that the chosen candidates have, in their order; the first CNAME alone when there is one.
    private func compose(_ name: PreparedName, _ candidates: [Int], type: RecordType?) -> ComposedAnswer {
        let records = Self.records(of: name, candidates, type: type)
        guard !records.isEmpty else { return name.noData }
        var writer = SectionWriter(suffix: name.suffix)
        for data in records { writer.write(.answer, owner: .question, ttl: name.settings.ttl, data: data) }
        return ComposedAnswer(writer, code: .noError, isAuthoritative: true)
    }

    static func records(of name: PreparedName, _ candidates: [Int], type: RecordType?) -> [RecordData] {
        let all = candidates.flatMap { name.records[$0] }
        if let alias = all.first(where: { $0.type == .cname }) { return [alias] }
        var records: [RecordData] = []
        for data in all where data.type == type && !records.contains(data) { records.append(data) }
        return records
    }
}
