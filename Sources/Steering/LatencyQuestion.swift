import Geo
import Model

/// A `latency` step with its table.
struct LatencyQuestion: Sendable {
    /// How the candidates of one kind of client compare. The figures themselves are gone: clients for whom the same
    /// candidates are ahead of and within the tolerance of each other are one kind.
    struct Preference: Sendable, Hashable {
        /// For each candidate its place in the order of latency, equal figures sharing one; `unknown` without a figure.
        let ranks: [UInt8]
        /// For each rank, the last rank within the tolerance of it.
        let reach: [UInt8]

        static let unknown = UInt8.max
    }

    /// Client → position in `preferences`.
    let table: PrefixTable
    let preferences: [Preference]
    private let figures: LatencyTable
    private let candidates: [RegionID]
    private let tolerance: UInt32

    init(candidates: [RegionID], figures: LatencyTable, tolerance: Duration) {
        let tolerance = UInt32(clamping: tolerance.nanoseconds / 1000)
        var interner = Interner<Preference>()
        var known = Array(repeating: UInt32.max, count: figures.rowCount)
        table = figures.prefixes.mapped { row in
            if known[Int(row)] != UInt32.max { return known[Int(row)] }
            let position = interner.position(
                of: Self.preference(candidates.map { figures.figure(row: row, region: $0) }, tolerance: tolerance))
            known[Int(row)] = position
            return position
        }
        preferences = interner.values
        self.figures = figures
        self.candidates = candidates
        self.tolerance = tolerance
    }

    private static func preference(_ figures: [UInt32], tolerance: UInt32) -> Preference {
        var ascending = figures.filter { $0 != LatencyTable.unknown }.sorted()
        var distinct = 0
        for figure in ascending where distinct == 0 || ascending[distinct - 1] != figure {
            ascending[distinct] = figure
            distinct += 1
        }
        ascending.removeSubrange(distinct...)
        // At most 128 candidates: a rank always fits below `unknown`.
        let ranks = figures.map { figure in
            ascending.firstIndex(of: figure).map { UInt8($0) } ?? Preference.unknown
        }
        let reach = ascending.map { best in
            UInt8(ascending.lastIndex { $0 - min(best, $0) <= tolerance } ?? 0)
        }
        return Preference(ranks: ranks, reach: reach)
    }

    /// The figures of `remaining` for `client`, in words.
    func fact(for client: IPAddress, remaining: [Int], names: [String]) -> String {
        let match = figures.prefixes.lookup(client)
        let known = remaining.compactMap { candidate -> (candidate: Int, figure: UInt32)? in
            let figure = figures.figure(row: match.value, region: candidates[candidate])
            return figure == LatencyTable.unknown ? nil : (candidate, figure)
        }
        guard !known.isEmpty else { return "no figure for \(client)" }
        let list = known.sorted { $0.figure < $1.figure }
            .map { "\(names[$0.candidate]) \(Self.milliseconds($0.figure))" }
        return "\(IPPrefix(client, length: match.width)): \(list.joined(separator: ", ")); "
            + "tolerance \(Self.milliseconds(tolerance))"
    }

    /// `12 ms` or `12.5 ms`.
    private static func milliseconds(_ microseconds: UInt32) -> String {
        let tenths = microseconds / 100
        return tenths % 10 == 0 ? "\(tenths / 10) ms" : "\(tenths / 10).\(tenths % 10) ms"
    }
}
