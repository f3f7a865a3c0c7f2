import Geo
import Model

/// The address space cut into classes: clients of one class get the same answers from every `geo` and `latency` step of a
/// chain, whatever the health of the candidates.
///
/// Each step sorts the addresses by *preference* (which candidates it would keep, in every case of health), so that
/// countries with the same regions, or figures with the same order, are one. The classes are the combinations of the
/// steps' preferences that occur.
final class ClientPartition: Sendable {
    /// Values are classes.
    let table: PrefixTable
    /// For each class, the preference of each question, as a position in its `preferences`.
    let classes: [[Int]]
    let questions: [Question]

    /// A `geo` or `latency` step with what it asks.
    enum Question: Sendable {
        case geo(GeoQuestion)
        case latency(LatencyQuestion)
    }

    init(
        name: String, candidates: [RegionID], questions steps: [SteeringStep], locations: LocationTable?,
        latencies: [String: LatencyTable]
    ) throws(SteeringProblem) {
        var table = PrefixTable(everywhere: 0)
        var classes: [[Int]] = [[]]
        var questions: [Question] = []
        for step in steps {
            let answers: PrefixTable
            switch step {
            case .geo(let geo):
                if locations == nil, !geo.countries.isEmpty || !geo.continents.isEmpty {
                    throw .noLocations(name: name)
                }
                let question = GeoQuestion(step: geo, locations: locations)
                answers = question.table
                questions.append(.geo(question))
            case .latency(let latency):
                guard let figures = latencies[latency.file] else {
                    throw .noLatencies(name: name, file: latency.file)
                }
                let question = LatencyQuestion(
                    candidates: candidates, figures: figures, tolerance: latency.tolerance)
                answers = question.table
                questions.append(.latency(question))
            case .healthy, .weighted, .failover, .limit:
                continue
            }
            (table, classes) = Self.refine(table, classes, by: answers)
        }
        self.table = table
        self.classes = classes
        self.questions = questions
    }

    /// Splits each class by the values of `answers` that occur in it.
    private static func refine(
        _ table: PrefixTable, _ classes: [[Int]], by answers: PrefixTable
    ) -> (PrefixTable, [[Int]]) {
        var refined: [[Int]] = []
        var known: [UInt64: UInt32] = [:]
        let joined = table.combined(with: answers) { coarse, answer in
            let pair = UInt64(coarse) << 32 | UInt64(answer)
            if let position = known[pair] { return position }
            let position = UInt32(refined.count)
            known[pair] = position
            refined.append(classes[Int(coarse)] + [Int(answer)])
            return position
        }
        return (joined, refined)
    }
}

/// Gives each distinct value its position.
struct Interner<Value: Hashable> {
    private(set) var values: [Value] = []
    private var positions: [Value: UInt32] = [:]

    mutating func position(of value: Value) -> UInt32 {
        if let known = positions[value] { return known }
        let position = UInt32(values.count)
        values.append(value)
        positions[value] = position
        return position
    }
}
