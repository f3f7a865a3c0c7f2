package import Model

/// Measured round-trip times from client prefixes to regions, merged from the windows that nodes report.
///
/// Every sample counts for its /24 or /48, and for the prefixes around it (/16 and /8, or /32), which stand in where the
/// narrow ones have few samples. Memory is bounded: 56 octets for each prefix and region, and some 80 for each prefix; with
/// the default limit and five regions that is 23 MB. Beyond the limit the prefixes that say least (few samples, old ones)
/// are forgotten.
package struct LatencyMap: Sendable {
    package struct Settings: Sendable, Hashable {
        /// Prefixes kept, wider ones included.
        package var prefixes = 65_536
        /// Samples without which a prefix does not speak for itself.
        package var minimumSamples = 3
        /// Seconds after which a sample that no other followed counts half.
        package var halfLife: UInt32 = 6 * 3600
        /// Seconds after which a prefix that nobody came from is forgotten.
        package var lifetime: UInt32 = 7 * 86_400
        /// How many standard errors below the median the bound of a figure lies.
        package var caution = 2.0

        package init() {}
    }

    package let settings: Settings
    package private(set) var regions: [String]
    /// Prefix → row.
    private var rows: [IPPrefix: Int] = [:]
    /// By row and region.
    private var cells: [LatencyCell] = []
    private var freeRows: [Int] = []
    private var seen: [String: SeenWindows] = [:]
    /// Windows taken, samples in them, and prefixes forgotten for room.
    package private(set) var windows: UInt64 = 0
    package private(set) var samples: UInt64 = 0
    package private(set) var evicted: UInt64 = 0

    package init(regions: [String], settings: Settings = Settings()) {
        self.regions = regions
        self.settings = settings
    }

    package var prefixCount: Int { rows.count }

    // MARK: - Taking

    /// Takes a window that has not been taken. `seconds` is our clock: how old a window is when it comes does not matter,
    /// since nodes report each few seconds.
    ///
    /// - Returns: false when the window was known, or its region is not.
    @discardableResult
    package mutating func take(_ heard: HeardRoundTrips, at seconds: UInt32) -> Bool {
        guard let region = regions.firstIndex(of: heard.region),
            seen[heard.node, default: SeenWindows()].take(
                incarnation: heard.incarnation, number: heard.window.number)
        else { return false }
        for entry in heard.window.prefixes {
            for prefix in Self.lineage(of: entry.prefix) { add(entry.counts, prefix, region, at: seconds) }
            samples += UInt64(entry.samples)
        }
        windows += 1
        return true
    }

    /// The prefix and those around it for which its samples count too, the longest first.
    package static func lineage(of prefix: IPPrefix) -> [IPPrefix] {
        let lengths = prefix.address.family == .v4 ? [24, 16, 8] : [48, 32]
        return lengths.filter { $0 <= prefix.length }.map { IPPrefix(prefix.address, length: $0) }
    }

    private mutating func add(
        _ counts: [PrefixRoundTrips.BucketCount], _ prefix: IPPrefix, _ region: Int, at seconds: UInt32
    ) {
        let cell = row(of: prefix, at: seconds) * regions.count + region
        cells[cell].fade(to: seconds, halfLife: settings.halfLife)
        cells[cell].add(counts, at: seconds)
    }

    private mutating func row(of prefix: IPPrefix, at seconds: UInt32) -> Int {
        if let row = rows[prefix] { return row }
        if rows.count >= settings.prefixes { makeRoom(at: seconds) }
        let row: Int
        if let free = freeRows.popLast() {
            row = free
            for region in regions.indices { cells[row * regions.count + region] = LatencyCell() }
        } else {
            row = cells.count / max(regions.count, 1)
            for _ in regions { cells.append(LatencyCell()) }
        }
        rows[prefix] = row
        return row
    }

    /// Forgets the eighth of the prefixes that says least.
    private mutating func makeRoom(at seconds: UInt32) {
        let byValue = rows.map { (prefix: $0.key, value: value(ofRow: $0.value, at: seconds)) }
            .sorted { $0.value != $1.value ? $0.value < $1.value : $0.prefix.address < $1.prefix.address }
        for (prefix, _) in byValue.prefix(max(1, byValue.count / 8)) { forget(prefix) }
        evicted += UInt64(max(1, byValue.count / 8))
    }

    private mutating func forget(_ prefix: IPPrefix) {
        if let row = rows.removeValue(forKey: prefix) { freeRows.append(row) }
    }

    private func value(ofRow row: Int, at seconds: UInt32) -> Double {
        regions.indices.reduce(0) { $0 + effectiveSamples(cell(row, $1), at: seconds) }
    }

    private func cell(_ row: Int, _ region: Int) -> LatencyCell { cells[row * regions.count + region] }

    /// What samples of this age are worth: a quarter after one half-life, a ninth after two.
    private func effectiveSamples(_ cell: LatencyCell, at seconds: UInt32) -> Double {
        let age = Double(seconds > cell.updated ? seconds - cell.updated : 0) / Double(max(settings.halfLife, 1))
        return Double(cell.samples) / ((1 + age) * (1 + age))
    }

    /// Forgets prefixes that nobody came from for the lifetime.
    package mutating func expire(at seconds: UInt32) {
        let old = rows.filter { _, row in
            regions.indices.allSatisfy { region in
                let cell = cell(row, region)
                return cell.isEmpty || (seconds > cell.updated && seconds - cell.updated > settings.lifetime)
            }
        }
        for prefix in old.keys { forget(prefix) }
    }

    /// Goes on with other regions: what is known of those that stay, by name, stays.
    package mutating func adopt(regions new: [String]) {
        guard new != regions else { return }
        var next = LatencyMap(regions: new, settings: settings)
        let sources = new.map { regions.firstIndex(of: $0) }
        for (prefix, row) in rows {
            next.rows[prefix] = next.rows.count
            for source in sources { next.cells.append(source.map { cell(row, $0) } ?? LatencyCell()) }
        }
        (next.seen, next.windows, next.samples, next.evicted) = (seen, windows, samples, evicted)
        self = next
    }

    // MARK: - Giving

    /// What is known of one region for one prefix.
    package struct Estimate: Sendable, Hashable {
        /// The median, in microseconds.
        package let median: UInt32
        /// What it may well be at best, given how few, how scattered and how old the samples are.
        package let bound: UInt32
        package let samples: Int
        /// Of the latest sample.
        package let updated: UInt32
    }

    /// Every prefix with what it knows, in no particular order.
    ///
    /// A /8 holds clients from everywhere, and those whose round trips to a region are known are mostly those who are near
    /// it: where anything narrower is known, what the /8 says of other regions must not stand in. Then `estimate` is nil.
    package func estimates(at seconds: UInt32) -> [Known] {
        var found: [Known] = []
        found.reserveCapacity(rows.count * 2)
        for (prefix, row) in rows {
            let lineage = Self.lineage(of: prefix)
            let wider = lineage.dropFirst().compactMap { rows[$0] }
            let hides = lineage.count == 2 && prefix.address.family == .v4
            for region in regions.indices {
                let estimate = estimate(cell(row, region), wider.map { cell($0, region) }, at: seconds)
                if estimate != nil || hides { found.append(Known(prefix: prefix, region: region, estimate: estimate)) }
            }
        }
        return found
    }

    /// A prefix's own median, drawn towards that of the prefix around it as long as its samples are few.
    private func estimate(_ cell: LatencyCell, _ wider: [LatencyCell], at seconds: UInt32) -> Estimate? {
        guard cell.samples >= settings.minimumSamples, var position = cell.position(of: 0.5) else { return nil }
        let worth = max(effectiveSamples(cell, at: seconds), 0.01)
        if let around = wider.first, around.samples > cell.samples, let around = around.position(of: 0.5) {
            // As much as one sample says: enough against a single stray one.
            position = (position * worth + around) / (worth + 1)
        }
        // The median of n normal samples has a standard error of 1.25 sigma / sqrt(n), and half the distance between the
        // quarters is 0.67 sigma.
        let error = 1.86 * cell.scatter / worth.squareRoot()
        // A quarter of a bucket is 4%: less would publish noise.
        let steady = (position * 4).rounded() / 4
        return Estimate(
            median: RoundTripBuckets.microseconds(at: steady),
            bound: RoundTripBuckets.microseconds(at: (position - settings.caution * error).rounded(.down)),
            samples: cell.samples, updated: cell.updated)
    }
}
