package import Model

/// Measured latency from client prefixes to regions.
///
/// Each (prefix, region) stands for itself: a client's latency to a region is that of the longest prefix around it that
/// has a figure *for that region*, so that a coarse figure stands in where no fine one was measured.
package struct LatencyTable: Sendable {
    /// Marks a region without a figure.
    package static let unknown = UInt32.max

    /// Values are rows.
    package let prefixes: PrefixTable
    package let regionCount: Int
    /// Rows of `regionCount` figures in microseconds, or `unknown`. Row 0 knows nothing.
    private let figures: [UInt32]
    /// Beside `figures`, or empty when nothing was measured.
    private let evidences: [Evidence]

    /// What a measured figure rests on: 16 octets.
    package struct Evidence: Sendable, Hashable {
        /// Microseconds: as low as the latency may well be, given how few and how old the samples are. Below the best known
        /// figure, the region is worth trying.
        package let bound: UInt32
        package let samples: UInt32
        /// Seconds, on the clock of whoever measured, of the latest sample.
        package let updated: UInt32
        /// The length of the prefix that the samples came from.
        package let length: UInt8

        package init(bound: UInt32, samples: UInt32, updated: UInt32, length: UInt8) {
            self.bound = bound
            self.samples = samples
            self.updated = updated
            self.length = length
        }

        /// No samples: the figure comes from a file.
        static let none = Evidence(bound: 0, samples: 0, updated: 0, length: 0)
    }

    /// Whether it has no figure.
    package var isEmpty: Bool { rowCount <= 1 }

    package var rowCount: Int { regionCount == 0 ? 1 : figures.count / regionCount }

    /// Microseconds, or `unknown`.
    package func figure(row: UInt32, region: RegionID) -> UInt32 {
        figures[Int(row) * regionCount + region.index]
    }

    /// What the figure rests on; nil when it is unknown or comes from a file.
    package func evidence(row: UInt32, region: RegionID) -> Evidence? {
        guard !evidences.isEmpty else { return nil }
        let evidence = evidences[Int(row) * regionCount + region.index]
        return evidence.samples > 0 ? evidence : nil
    }

    /// Whether any figure was measured.
    package var isMeasured: Bool { !evidences.isEmpty }

    /// As low as the latency may well be, in microseconds: 0 when nothing is known, the figure itself when a file says it.
    package func bound(row: UInt32, region: RegionID) -> UInt32 {
        let figure = figure(row: row, region: region)
        if figure == Self.unknown { return 0 }
        return evidence(row: row, region: region)?.bound ?? figure
    }

    /// The candidate that is most worth trying for clients of a row: the one whose latency may be lowest, when it may be
    /// lower than the best known figure. Those within `tolerance` (microseconds) of the best are not tried: they are near.
    ///
    /// - Returns: a position in `candidates`; nil when nobody may be better, or nothing at all is known.
    package func exploration(row: UInt32, among candidates: [RegionID?], tolerance: UInt32) -> Int? {
        var best = Self.unknown
        for case let region? in candidates { best = min(best, figure(row: row, region: region)) }
        if best == Self.unknown { return nil }
        var lowest = best
        var found: Int?
        for (position, region) in candidates.enumerated() {
            guard let region else { continue }
            let figure = figure(row: row, region: region)
            if figure != Self.unknown, figure - best <= tolerance { continue }
            let bound = bound(row: row, region: region)
            if bound < lowest { (lowest, found) = (bound, position) }
        }
        return found
    }

    package struct Entry: Sendable, Hashable {
        package let prefix: IPPrefix
        package let region: RegionID
        /// `LatencyTable.unknown` hides what wider prefixes say.
        package let microseconds: UInt32
        /// Nil for a figure that was not measured by us.
        package let evidence: Evidence?

        package init(prefix: IPPrefix, region: RegionID, microseconds: UInt32, evidence: Evidence? = nil) {
            self.prefix = prefix
            self.region = region
            self.microseconds = microseconds
            self.evidence = evidence
        }
    }

    /// - Parameters:
    ///   - entries: in any order; of two for the same prefix and region the later one wins.
    ///   - regionCount: above every region of the entries.
    ///   - duplicate: told the positions of two entries for the same prefix and region.
    package init(
        _ entries: [Entry], regionCount: Int, duplicate: (_ first: Int, _ second: Int) -> Void = { _, _ in }
    ) {
        // Enclosing prefixes first, each followed by what it encloses: a row starts as a copy of its encloser's.
        let order = PrefixOrder.positions(count: entries.count) { entries[$0].prefix }
        let isMeasured = entries.contains { $0.evidence != nil }
        var figures = Array(repeating: Self.unknown, count: regionCount)
        var evidences = isMeasured ? Array(repeating: Evidence.none, count: regionCount) : []
        /// The entry that gave a figure of the current row, for `duplicate`.
        var givers = Array(repeating: -1, count: regionCount)
        var rows: [(prefix: IPPrefix, value: UInt32)] = []
        var open: [(prefix: IPPrefix, value: UInt32)] = []
        for position in order {
            let entry = entries[position]
            if open.last?.prefix != entry.prefix {
                while let last = open.last, !last.prefix.contains(entry.prefix.address) { open.removeLast() }
                let encloser = Int(open.last?.value ?? 0) * regionCount
                let row = (entry.prefix, UInt32(figures.count / max(regionCount, 1)))
                for region in 0..<regionCount { figures.append(figures[encloser + region]) }
                if isMeasured { for region in 0..<regionCount { evidences.append(evidences[encloser + region]) } }
                for region in 0..<regionCount { givers[region] = -1 }
                open.append(row)
                rows.append(row)
            }
            let region = entry.region.index
            if givers[region] >= 0 { duplicate(givers[region], position) }
            givers[region] = position
            figures[figures.count - regionCount + region] = entry.microseconds
            if isMeasured { evidences[evidences.count - regionCount + region] = entry.evidence ?? .none }
        }
        self.prefixes = PrefixTable(rows, otherwise: 0)
        self.figures = figures
        self.evidences = evidences
        self.regionCount = regionCount
    }
}
