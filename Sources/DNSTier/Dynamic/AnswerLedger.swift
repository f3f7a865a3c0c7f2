import Synchronization

/// Numbers for what answers are counted by: a dynamic name and the regions of an answer. Numbers stay for the life of a
/// server, over reloads too, so that counters never go back; when all are given away, what is new is counted as one.
final class AnswerLedger: Sendable {
    struct Kind: Hashable {
        let name: String
        /// Sorted, each once; none for an answer that no candidate gives.
        let regions: [String]
    }

    private struct State {
        var kinds: [Kind] = [Kind(name: "other", regions: ["other"])]
        var numbers: [Kind: UInt32] = [:]
    }

    private let state = Mutex(State())
    private let capacity: Int

    init(capacity: Int = AnswerCounts.capacity) { self.capacity = capacity }

    func number(_ kind: Kind) -> UInt32 {
        state.withLock { state in
            if let known = state.numbers[kind] { return known }
            guard state.kinds.count < capacity else { return 0 }
            let number = UInt32(state.kinds.count)
            state.kinds.append(kind)
            state.numbers[kind] = number
            return number
        }
    }

    /// Answers by name and region, in the order in which names came up. An answer of several regions counts for each.
    func totals(_ workers: [AnswerCounts]) -> [(name: String, region: String, count: UInt64)] {
        let kinds = state.withLock { $0.kinds }
        struct Place: Hashable {
            let name: String
            let region: String
        }
        var positions: [Place: Int] = [:]
        var totals: [(name: String, region: String, count: UInt64)] = []
        for (number, kind) in kinds.enumerated() {
            let count = workers.reduce(0) { $0 + $1.count(UInt32(number)) }
            // Whatever found no number is told once there is any of it.
            if number == 0, count == 0 { continue }
            for region in kind.regions.isEmpty ? ["none"] : kind.regions {
                let place = Place(name: kind.name, region: region)
                if let known = positions[place] {
                    totals[known].count += count
                } else {
                    positions[place] = totals.count
                    totals.append((kind.name, region, count))
                }
            }
        }
        return totals
    }
}
