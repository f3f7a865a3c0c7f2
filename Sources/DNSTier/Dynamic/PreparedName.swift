import DNSWire
package import Model
package import Steering

/// A dynamic name with everything about it that does not depend on health.
package struct PreparedName: Sendable {
    package let settings: DynamicName
    let name: Name
    let slots: DynamicSlots
    /// Made anew when the maps that it follows change.
    package var plan: SteeringPlan
    /// The records of each candidate, in the order of `settings.leaves`.
    let records: [[DynamicRecord]]
    /// In the order of `settings.leaves`.
    let candidates: [Candidate]
    /// The addresses that this node and others look at.
    let lookedAt: [LookedAddress]
    let service: String?
    /// What a type that nobody chosen has is answered with: the zone's SOA.
    let noData: ComposedAnswer

    /// Where a candidate is and what decides about it, by name.
    struct Candidate: Sendable, Hashable {
        /// As in `DynamicName.leafNames`.
        let answer: String
        let region: String
        let service: String?
    }

    /// What the answers are laid out for: the name itself, or what is behind the `*` of a wildcard.
    var suffix: Name { name.isWildcard ? name.parent ?? name : name }

    /// What answers with the chosen candidates are counted by.
    func kind(of chosen: [Int]) -> AnswerLedger.Kind {
        AnswerLedger.Kind(name: settings.name, regions: Set(chosen.map { candidates[$0].region }).sorted())
    }

    /// The records of `type` that the chosen candidates have, in their order; the first CNAME alone when there is one.
    ///
    /// `dead`: addresses that are left out, unless there are no others.
    func records(_ chosen: [Int], type: RecordType?, without dead: Set<DeadAddress>) -> [RecordData] {
        for candidate in chosen {
            if let alias = records[candidate].first(where: { $0.data.type == .cname }) { return [alias.data] }
        }
        if type == .a || type == .aaaa { return addresses(of: chosen, type, without: dead) }
        var found: [RecordData] = []
        for candidate in chosen {
            for record in records[candidate] where record.data.type == type {
                let data = record.hints.isEmpty ? record.data : hinted(record, chosen, without: dead)
                if !found.contains(data) { found.append(data) }
            }
        }
        return found
    }

    /// How many of `records`, which `row` is answered with, are the best candidate's: those may change places.
    func count(_ records: [RecordData], of row: AnswerRow, _ type: RecordType?, without dead: Set<DeadAddress>) -> Int {
        let best = self.records(Array(row.candidates.prefix(1)), type: type, without: dead)
        return records.prefix(while: best.contains).count
    }

    /// The addresses that live; all of them where none does.
    private func addresses(
        of chosen: [Int], _ type: RecordType?, without dead: Set<DeadAddress>
    ) -> [RecordData] {
        var alive: [RecordData] = []
        var all: [RecordData] = []
        for candidate in chosen {
            for record in records[candidate] where record.data.type == type {
                let data = record.data
                if !all.contains(data) { all.append(data) }
                if dead.isEmpty || dead.contains(DeadAddress(candidate: candidate, data: data)) { continue }
                if !alive.contains(data) { alive.append(data) }
            }
        }
        return alive.isEmpty ? all : alive
    }

    /// A service binding with the addresses of all chosen candidates that have the same one: they follow the choice.
    private func hinted(_ record: DynamicRecord, _ chosen: [Int], without dead: Set<DeadAddress>) -> RecordData {
        var data = record.data
        let alike = chosen.filter { records[$0].contains(record) }
        for family in record.hints.sorted(by: { $0.rawValue < $1.rawValue }) {
            let addresses = addresses(of: alike, family == .v4 ? .a : .aaaa, without: dead)
            data = ServiceHints.adding(addresses.map(\.wire), family, to: data)
        }
        return data
    }
}

/// A record of a candidate.
struct DynamicRecord: Sendable, Hashable {
    let data: RecordData
    /// Of a service binding: the families whose hints are the addresses that are chosen.
    let hints: Set<IPAddress.Family>
}
