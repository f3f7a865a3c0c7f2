package import Model

/// Where clients are, as far as a location file knows. Either part may be unknown.
package struct Place: Sendable, Hashable {
    /// AF AN AS EU NA OC SA.
    package let continent: String?
    /// ISO 3166-1 alpha-2, upper case.
    package let country: String?

    package init(continent: String?, country: String?) {
        self.continent = continent
        self.country = country
    }

    package static let unknown = Place(continent: nil, country: nil)

    package static let continents: Set<String> = ["AF", "AN", "AS", "EU", "NA", "OC", "SA"]
}

/// Client prefix → place.
package struct LocationTable: Sendable {
    /// Values are positions in `places`.
    package let prefixes: PrefixTable
    /// Distinct; the first one is `Place.unknown`.
    package let places: [Place]

    package init(prefixes: PrefixTable, places: [Place]) {
        self.prefixes = prefixes
        self.places = places
    }

    /// The place of `address` and the width of the widest prefix around it that lies in that one place.
    package func place(of address: IPAddress) -> (place: Place, width: Int) {
        let match = prefixes.lookup(address)
        return (places[Int(match.value)], match.width)
    }
}

/// Gives each distinct place its position.
struct PlaceIndex {
    private(set) var places = [Place.unknown]
    private var positions = [Place.unknown: UInt32(0)]

    mutating func position(of place: Place) -> UInt32 {
        if let known = positions[place] { return known }
        let position = UInt32(places.count)
        places.append(place)
        positions[place] = position
        return position
    }
}

extension LocationTable {
    /// Reads lines of `prefix,continent,country`; continent or country may be empty. Comments begin with `#`.
    ///
    /// - Throws: everything that is wrong, up to `InvalidTable.limit` problems.
    package init(csv text: [UInt8]) throws(InvalidTable) {
        var reader = FieldReader(text)
        var collector = ProblemCollector()
        var index = PlaceIndex()
        var entries: [(prefix: IPPrefix, value: UInt32)] = []
        var lines: [Int] = []
        var fields: [FieldReader.Field] = []
        while reader.nextLine(&fields) {
            guard fields.count == 3 else {
                collector.add(
                    reader.problem(fields[0], "\(fields.count) fields; a line is prefix,continent,country"))
                continue
            }
            guard let prefix = reader.prefix(fields[0]) else {
                collector.add(
                    reader.problem(
                        fields[0],
                        "\"\(reader.string(fields[0]))\" is no prefix; it is written 192.0.2.0/24 or 2001:db8::/32, "
                            + "with no bit set behind its length"))
                continue
            }
            guard
                let continent = Self.code(
                    reader, fields[1], "a continent: AF AN AS EU NA OC SA or empty", Place.continents.contains,
                    &collector),
                let country = Self.code(
                    reader, fields[2], "a country: two upper-case letters (ISO 3166-1) or empty", Self.isCountry,
                    &collector)
            else { continue }
            entries.append((prefix, index.position(of: Place(continent: continent.text, country: country.text))))
            lines.append(reader.line)
        }
        let prefixes = PrefixTable(entries, otherwise: 0) { first, second in
            collector.add(
                TableProblem(
                    line: lines[second], column: 1,
                    message: "\(entries[second].prefix) is on line \(lines[first]) already"))
        }
        try collector.finish()
        self.init(prefixes: prefixes, places: index.places)
    }

    /// A field that was understood; nil text is an empty one.
    private struct Code {
        let text: String?
    }

    /// Nil when the field is neither empty nor `accepted`, and then the problem is noted.
    private static func code(
        _ reader: FieldReader, _ field: FieldReader.Field, _ expectation: String, _ accepted: (String) -> Bool,
        _ collector: inout ProblemCollector
    ) -> Code? {
        if field.range.isEmpty { return Code(text: nil) }
        let text = reader.string(field)
        if accepted(text) { return Code(text: text) }
        collector.add(reader.problem(field, "\"\(text)\" is not \(expectation)"))
        return nil
    }

    static func isCountry(_ text: String) -> Bool {
        text.utf8.count == 2 && text.utf8.allSatisfy { (0x41...0x5a).contains($0) }
    }
}

/// Keeps the first `InvalidTable.limit` problems.
struct ProblemCollector {
    private var problems: [TableProblem] = []

    mutating func add(_ problem: TableProblem) {
        if problems.count < InvalidTable.limit { problems.append(problem) }
    }

    func finish() throws(InvalidTable) {
        if problems.isEmpty { return }
        throw InvalidTable(problems: problems.sorted { ($0.line, $0.column) < ($1.line, $1.column) })
    }
}
