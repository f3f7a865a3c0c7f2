import Geo
package import Model

/// A `latency` step with its table.
struct LatencyQuestion: Sendable {
    /// Client → position in `preferences`.
    let table: PrefixTable
    let preferences: [RankPreference]
    /// Beside `preferences`: the candidate that is worth a try.
    let tries: [Int?]
    /// Whether anybody may be tried.
    var explores: Bool { step.explore > 0 }
    private let figures: LatencyTable
    private let candidates: [RegionID?]
    private let tolerance: UInt32
    private let step: SteeringStep.LatencyStep

    /// Clients who are answered alike in every case of health.
    private struct Kind: Hashable {
        let preference: RankPreference
        let tried: Int?
    }

    init(_ step: SteeringStep.LatencyStep, candidates: [RegionID?], figures: LatencyTable) {
        let tolerance = UInt32(clamping: step.tolerance.nanoseconds / 1000)
        var interner = Interner<Kind>()
        var known = Array(repeating: UInt32.max, count: figures.rowCount)
        table = figures.prefixes.mapped { row in
            if known[Int(row)] != UInt32.max { return known[Int(row)] }
            let preference = RankPreference(
                candidates.map { Self.figure(figures, row: row, $0) }, tolerance: tolerance)
            let tried =
                step.explore > 0 ? figures.exploration(row: row, among: candidates, tolerance: tolerance) : nil
            let position = interner.position(of: Kind(preference: preference, tried: tried))
            known[Int(row)] = position
            return position
        }
        preferences = interner.values.map(\.preference)
        tries = interner.values.map(\.tried)
        self.figures = figures
        self.candidates = candidates
        self.tolerance = tolerance
        self.step = step
    }

    private static func figure(_ table: LatencyTable, row: UInt32, _ region: RegionID?) -> UInt32 {
        region.map { table.figure(row: row, region: $0) } ?? RankPreference.noFigure
    }

    /// The figures of `remaining` for `client`, in words.
    func fact(for client: IPAddress, remaining: [Int], names: [String]) -> String {
        let match = figures.prefixes.lookup(client)
        let known = remaining.compactMap { candidate -> (candidate: Int, figure: UInt32)? in
            let figure = Self.figure(figures, row: match.value, candidates[candidate])
            return figure == LatencyTable.unknown ? nil : (candidate, figure)
        }
        guard !known.isEmpty else { return "no figure for \(client)" }
        let list = known.sorted { $0.figure < $1.figure }.map { entry in
            "\(names[entry.candidate]) \(Self.milliseconds(entry.figure))"
                + evidence(row: match.value, entry.candidate, client)
        }
        return "\(IPPrefix(client, length: match.width)): \(list.joined(separator: ", ")); "
            + "tolerance \(Self.milliseconds(tolerance))" + trial(row: match.value, remaining, names)
    }

    /// ` (40 samples of 10.1.2.0/24)`; empty for a figure from a file.
    private func evidence(row: UInt32, _ candidate: Int, _ client: IPAddress) -> String {
        guard let region = candidates[candidate], let evidence = figures.evidence(row: row, region: region) else {
            return ""
        }
        return " (\(evidence.samples) samples of \(IPPrefix(client, length: Int(evidence.length))))"
    }

    /// `; 1% try eu, of which nothing is known`; empty when nobody is tried.
    private func trial(row: UInt32, _ remaining: [Int], _ names: [String]) -> String {
        guard step.explore > 0,
            let tried = figures.exploration(row: row, among: candidates, tolerance: tolerance),
            remaining.contains(tried), let region = candidates[tried]
        else { return "" }
        let hope =
            figures.figure(row: row, region: region) == LatencyTable.unknown
            ? "of which nothing is known"
            : "which may take \(Self.milliseconds(figures.bound(row: row, region: region)))"
        return "; \(step.explore)% try \(names[tried]), \(hope)"
    }

    /// What the table knows for `client`, of each region that has a figure.
    func knowledge(for client: IPAddress) -> [LatencyKnowledge] {
        let match = figures.prefixes.lookup(client)
        return Set(candidates.compactMap(\.self)).sorted { $0.index < $1.index }.compactMap { region in
            let figure = figures.figure(row: match.value, region: region)
            if figure == LatencyTable.unknown { return nil }
            let evidence = figures.evidence(row: match.value, region: region)
            return LatencyKnowledge(
                region: region, microseconds: figure,
                prefix: IPPrefix(client, length: evidence.map { Int($0.length) } ?? match.width),
                samples: Int(evidence?.samples ?? 0), updated: evidence.map { Int($0.updated) })
        }
    }

    /// `12 ms` or `12.5 ms`.
    private static func milliseconds(_ microseconds: UInt32) -> String {
        let tenths = microseconds / 100
        return tenths % 10 == 0 ? "\(tenths / 10) ms" : "\(tenths / 10).\(tenths % 10) ms"
    }
}

/// What a latency table knows of one region for one client.
package struct LatencyKnowledge: Sendable, Hashable {
    package let region: RegionID
    package let microseconds: UInt32
    /// Where the samples came from; for a figure from a file, the clients that have it.
    package let prefix: IPPrefix
    /// 0 for a figure from a file.
    package let samples: Int
    /// Seconds since 1970, of the latest sample; nil for a figure from a file.
    package let updated: Int?
}
