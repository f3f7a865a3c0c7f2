import Model

extension LatencyTable {
    /// Reads lines of `prefix,region,milliseconds`; milliseconds are 0 ... 60000 with at most three decimals.
    ///
    /// - Parameters:
    ///   - text: the file.
    ///   - regions: the names that the second field may have, in the order of their `RegionID`.
    /// - Throws: everything that is wrong, up to `InvalidTable.limit` problems.
    package init(csv text: [UInt8], regions: [String]) throws(InvalidTable) {
        self = try Self.read(text, regions: regions).table
    }

    /// The entries of such a file, of which no two are for the same prefix and region.
    ///
    /// - Throws: as the initialiser does.
    package static func entries(csv text: [UInt8], regions: [String]) throws(InvalidTable) -> [Entry] {
        try read(text, regions: regions).entries
    }

    private static func read(
        _ text: [UInt8], regions: [String]
    ) throws(InvalidTable) -> (entries: [Entry], table: LatencyTable) {
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
        let table = LatencyTable(entries, regionCount: regions.count) { first, second in
            let entry = entries[second]
            collector.add(
                TableProblem(
                    line: lines[second], column: 1,
                    message: "\(entry.prefix) to \(regions[entry.region.index]) is on line \(lines[first]) already"))
        }
        try collector.finish()
        return (entries, table)
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
