/// How the candidates of one kind of client compare by a figure: a latency, a distance. The figures themselves are gone:
/// clients for whom the same candidates are ahead of and within the tolerance of each other are one kind.
struct RankPreference: Sendable, Hashable {
    /// For each candidate its place in the order, equal figures sharing one; `unknown` without a figure.
    let ranks: [UInt8]
    /// For each rank, the last rank within the tolerance of it.
    let reach: [UInt8]

    static let unknown = UInt8.max
    /// Marks a candidate without a figure.
    static let noFigure = UInt32.max

    /// `figures`: by candidate; at most 128.
    init(_ figures: [UInt32], tolerance: UInt32) {
        var ascending = figures.filter { $0 != Self.noFigure }.sorted()
        var distinct = 0
        for figure in ascending where distinct == 0 || ascending[distinct - 1] != figure {
            ascending[distinct] = figure
            distinct += 1
        }
        ascending.removeSubrange(distinct...)
        // At most 128 candidates: a rank always fits below `unknown`.
        ranks = figures.map { figure in
            ascending.firstIndex(of: figure).map { UInt8($0) } ?? Self.unknown
        }
        reach = ascending.map { best in
            UInt8(ascending.lastIndex { $0 - min(best, $0) <= tolerance } ?? 0)
        }
    }

    /// Whether any candidate has a figure.
    var knowsAny: Bool { !reach.isEmpty }

    /// Whether any of `candidates` is better than another.
    func ranks(_ candidates: [Int]) -> Bool { Set(candidates.map { ranks[$0] }).count > 1 }

    /// Those of `candidates` that have a figure, the best first; equal ones stay in their order.
    func sorted(_ candidates: [Int]) -> [Int] {
        candidates.filter { ranks[$0] != Self.unknown }.sorted { ranks[$0] < ranks[$1] }
    }
}
