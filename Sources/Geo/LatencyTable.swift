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

    package var rowCount: Int { regionCount == 0 ? 1 : figures.count / regionCount }

    /// Microseconds, or `unknown`.
    package func figure(row: UInt32, region: RegionID) -> UInt32 {
        figures[Int(row) * regionCount + region.index]
    }

    package struct Entry: Sendable, Hashable {
        package let prefix: IPPrefix
        package let region: RegionID
        /// Less than `LatencyTable.unknown`.
        package let microseconds: UInt32

        package init(prefix: IPPrefix, region: RegionID, microseconds: UInt32) {
            self.prefix = prefix
            self.region = region
            self.microseconds = microseconds
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
        let order = entries.indices.sorted {
            let (left, right) = (entries[$0].prefix, entries[$1].prefix)
            if left.address != right.address { return left.address < right.address }
            return left.length != right.length ? left.length < right.length : $0 < $1
        }
        var figures = Array(repeating: Self.unknown, count: regionCount)
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
                for region in 0..<regionCount { givers[region] = -1 }
                open.append(row)
                rows.append(row)
            }
            let region = entry.region.index
            if givers[region] >= 0 { duplicate(givers[region], position) }
            givers[region] = position
            figures[figures.count - regionCount + region] = entry.microseconds
        }
        self.prefixes = PrefixTable(rows, otherwise: 0)
        self.figures = figures
        self.regionCount = regionCount
    }
}

extension LatencyTable {
    /// Reads lines of `prefix,region,milliseconds`; milliseconds are 0 ... 60000 with at most three decimals.
    ///
    /// - Parameters:
    ///   - text: the file.
    ///   - regions: the names that the second field may have, in the order of their `RegionID`.
    /// - Throws: everything that is wrong, up to `InvalidTable.limit` problems.
    package init(csv text: [UInt8], regions: [String]) throws(InvalidTable) {
        var reader = FieldReader(text)
        var collector = ProblemCollector()
        var entries: [Entry] = []
        var lines: [Int] = []
        var fields: [FieldReader.Field] = []
        let names = regions.map { Array($0.utf8)[...] }
        while reader.nextLine(&fields) {
            guard fields.count == 3 else {
                collector.add(
                    reader.problem(fields[0], "\(fields.count) fields; a line is prefix,region,milliseconds"))
                continue
            }
            let prefix = reader.prefix(fields[0])
            if prefix == nil {
                collector.add(
                    reader.problem(
                        fields[0],
                        "\"\(reader.string(fields[0]))\" is no prefix; it is written 192.0.2.0/24 or 2001:db8::/32, "
                            + "with no bit set behind its length"))
            }
            let region = names.firstIndex(of: reader.bytes(fields[1]))
            if region == nil {
                collector.add(
                    reader.problem(
                        fields[1],
                        "\"\(reader.string(fields[1]))\" is no region; the regions are "
                            + regions.joined(separator: ", ")))
            }
            let microseconds = Self.microseconds(reader.bytes(fields[2]))
            if microseconds == nil {
                collector.add(
                    reader.problem(
                        fields[2],
                        "\"\(reader.string(fields[2]))\" is no latency; it is 0 to 60000 milliseconds with at most "
                            + "three decimals"))
            }
            guard let prefix, let region, let microseconds else { continue }
            entries.append(Entry(prefix: prefix, region: RegionID(region), microseconds: microseconds))
            lines.append(reader.line)
        }
        self.init(entries, regionCount: regions.count) { first, second in
            let entry = entries[second]
            collector.add(
                TableProblem(
                    line: lines[second], column: 1,
                    message: "\(entry.prefix) to \(regions[entry.region.index]) is on line \(lines[first]) already"))
        }
        try collector.finish()
    }

    /// `12`, `12.5` or `0.125` milliseconds.
    private static func microseconds(_ text: ArraySlice<UInt8>) -> UInt32? {
        var value: UInt64 = 0
        var digits = 0
        var decimals: Int?
        for byte in text {
            if byte == UInt8(ascii: ".") {
                guard decimals == nil, digits > 0 else { return nil }
                decimals = 0
            } else {
                guard (0x30...0x39).contains(byte), digits < 8, decimals ?? 0 < 3 else { return nil }
                value = value * 10 + UInt64(byte - 0x30)
                digits += 1
                if let count = decimals { decimals = count + 1 }
            }
        }
        guard digits > 0, decimals != 0 else { return nil }
        for _ in (decimals ?? 0)..<3 { value *= 10 }
        return value <= 60_000_000 ? UInt32(value) : nil
    }
}
