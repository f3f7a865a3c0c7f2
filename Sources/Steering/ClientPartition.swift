import Geo
import Model

/// The address space cut into classes: clients of one class get the same answers from every step of a chain that asks about
/// clients, whatever the health of the candidates.
///
/// Each step sorts the addresses by *preference* (which candidates it would keep, in every case of health), so that
/// countries with the same regions, or figures with the same order, are one. The classes are the combinations of the
/// steps' preferences that occur.
final class ClientPartition: Sendable {
    /// Values are classes.
    let table: PrefixTable
    /// The same where only a prefix of the client is known, for each of `bounds`.
    let coarse: [PrefixTable]
    let bounds: [SourceBound]
    /// For each class, the preference of each question, as a position in its `preferences`.
    let classes: [[Int]]
    let questions: [Question]
    /// By class, its ranges of addresses, where a step of measured latency knows something of them; 0 where none does.
    let knownRanges: [Int]

    /// A step that asks, and the regions of the candidates that it asks for.
    struct Subject: Hashable, Sendable {
        let step: SteeringStep
        let regions: [RegionID?]
    }

    /// A step that asks with what it found out about all clients.
    enum Question: Sendable {
        case geo(GeoQuestion)
        case latency(LatencyQuestion)
        case distance(DistanceQuestion)

        fileprivate var table: PrefixTable {
            switch self {
            case .geo(let question): question.table
            case .latency(let question): question.table
            case .distance(let question): question.table
            }
        }

        /// `table` and those for `bounds`. Figures and places are as good for a prefix as its first address is.
        fileprivate func tables(_ bounds: [SourceBound]) -> [PrefixTable] {
            if case .geo(let question) = self { return [question.table] + question.coarse }
            return Array(repeating: table, count: bounds.count + 1)
        }
    }

    /// What questions are answered from.
    struct Maps {
        let regions: [Region]
        let locations: LocationTable?
        let latencies: [String: LatencyTable]
    }

    init(name: String, subjects: [Subject], maps: Maps) throws(SteeringProblem) {
        let bounds = SourceBound.all(subjects.lazy.map(\.step))
        var tables = Array(repeating: PrefixTable(everywhere: 0), count: bounds.count + 1)
        var classes: [[Int]] = [[]]
        var questions: [Question] = []
        for subject in subjects {
            let question = try Self.question(subject, name: name, maps: maps, bounds)
            questions.append(question)
            (tables, classes) = Self.refine(tables, classes, by: question.tables(bounds))
        }
        let table = tables[0]
        self.table = table
        coarse = Array(tables.dropFirst())
        self.bounds = bounds
        self.classes = classes
        self.questions = questions
        knownRanges = Self.knownRanges(table, classes, questions)
    }

    private static func knownRanges(_ table: PrefixTable, _ classes: [[Int]], _ questions: [Question]) -> [Int] {
        var counts = Array(repeating: 0, count: classes.count)
        let exploring = questions.indices.filter {
            if case .latency(let question) = questions[$0] { question.explores } else { false }
        }
        // Most plans do not explore, and their tables may be large.
        if exploring.isEmpty { return counts }
        let isKnown = classes.map { preferences in
            exploring.contains { position in
                guard case .latency(let question) = questions[position] else { return false }
                return question.preferences[preferences[position]].knowsAny
            }
        }
        _ = table.mapped { found in
            if isKnown[Int(found)] { counts[Int(found)] += 1 }
            return found
        }
        return counts
    }

    private static func question(
        _ subject: Subject, name: String, maps: Maps, _ bounds: [SourceBound]
    ) throws(SteeringProblem) -> Question {
        switch subject.step {
        case .geo(let step):
            if maps.locations == nil, step.asksPlaces { throw .noLocations(name: name) }
            return .geo(GeoQuestion(step: step, locations: maps.locations, bounds: bounds))
        case .latency(let step):
            guard let figures = maps.latencies[step.table] else { throw .noLatencies(name: name, file: step.table) }
            return .latency(LatencyQuestion(step, candidates: subject.regions, figures: figures))
        case .proximity(let step):
            guard let locations = maps.locations else { throw .noLocations(name: name) }
            let sites = subject.regions.map { region in region.flatMap { maps.regions[$0.index].location.coordinates } }
            return .distance(DistanceQuestion(sites: sites, bias: step.bias, locations: locations))
        case .prefix(let step):
            return .geo(GeoQuestion(step: step, bounds: bounds))
        case .healthy, .weighted, .priority, .hash, .capacity, .shed, .take, .sample:
            // None of these asks; a question that knows nothing keeps the numbering.
            return .geo(GeoQuestion(step: SteeringStep.PrefixStep(prefixes: [:], otherwise: []), bounds: bounds))
        }
    }

    /// Splits each class by the values of `answers` that occur in it.
    private static func refine(
        _ tables: [PrefixTable], _ classes: [[Int]], by answers: [PrefixTable]
    ) -> ([PrefixTable], [[Int]]) {
        var refined: [[Int]] = []
        var known: [UInt64: UInt32] = [:]
        let joined = zip(tables, answers).map { table, answers in
            table.combined(with: answers) { coarse, answer in
                let pair = UInt64(coarse) << 32 | UInt64(answer)
                if let position = known[pair] { return position }
                let position = UInt32(refined.count)
                known[pair] = position
                refined.append(classes[Int(coarse)] + [Int(answer)])
                return position
            }
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
