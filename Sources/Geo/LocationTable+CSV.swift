package import Model

extension LocationTable {
    private static let columns = "prefix,continent,country,subdivision,city,latitude,longitude,asn"

    /// Reads lines of `prefix,continent,country,subdivision,city,latitude,longitude,asn`. Every field but the first may be
    /// empty, and those behind `country` may be left out. A subdivision is the part of an ISO 3166-2 code behind the
    /// hyphen. Comments begin with `#`.
    ///
    /// - Throws: everything that is wrong, up to `InvalidTable.limit` problems.
    package init(csv text: [UInt8]) throws(InvalidTable) {
        var locations = KeyInterner(first: Place.unknown)
        let (entries, cities, prefixes) = try Self.read(text) { locations.position(of: $0.announced(by: 0)) }
        let networks = entries.map { (prefix: $0.prefix, value: $0.place.asn) }
        let hasNetworks = networks.contains { $0.value != 0 }
        self.init(
            prefixes: prefixes, places: locations.keys, cityNames: cities,
            networks: hasNetworks ? PrefixTable(networks, otherwise: 0) : PrefixTable(everywhere: 0))
    }

    /// The lines of such a file, with the names of cities by `Place.city`.
    ///
    /// - Throws: as the initialiser does.
    package static func entries(
        csv text: [UInt8]
    ) throws(InvalidTable) -> (entries: [(prefix: IPPrefix, place: Place)], cityNames: [String]) {
        let (entries, cities, _) = try read(text) { _ in 0 }
        return (entries, cities)
    }

    /// `value`: what the table of prefixes holds for a place.
    private static func read(
        _ text: [UInt8], value: (Place) -> UInt32
    ) throws(InvalidTable) -> (entries: [(prefix: IPPrefix, place: Place)], cities: [String], table: PrefixTable) {
        var reader = PlaceReader(text)
        var entries: [(prefix: IPPrefix, place: Place)] = []
        var values: [(prefix: IPPrefix, value: UInt32)] = []
        var lines: [Int] = []
        var fields: [FieldReader.Field] = []
        while reader.fields.nextLine(&fields) {
            guard (3...8).contains(fields.count) else {
                reader.note(fields[0], "\(fields.count) fields; a line is \(columns), the last five at will")
                continue
            }
            guard let prefix = reader.fields.prefix(fields[0]) else {
                reader.note(
                    fields[0],
                    "\"\(reader.fields.string(fields[0]))\" is no prefix; it is written 192.0.2.0/24 or 2001:db8::/32, "
                        + "with no bit set behind its length")
                continue
            }
            guard let place = reader.place(fields) else { continue }
            entries.append((prefix, place))
            values.append((prefix, value(place)))
            lines.append(reader.fields.line)
        }
        let table = PrefixTable(values, otherwise: 0) { first, second in
            reader.problems.add(
                TableProblem(
                    line: lines[second], column: 1,
                    message: "\(entries[second].prefix) is on line \(lines[first]) already"))
        }
        try reader.problems.finish()
        return (entries, reader.cities.keys, table)
    }
}

/// The fields behind a line's prefix.
private struct PlaceReader {
    var fields: FieldReader
    var problems = ProblemCollector()
    var cities = KeyInterner(first: "")

    init(_ text: [UInt8]) { fields = FieldReader(text) }

    mutating func note(_ field: FieldReader.Field, _ message: String) {
        problems.add(fields.problem(field, message))
    }

    /// Nil when something is wrong, and then it is noted.
    mutating func place(_ line: [FieldReader.Field]) -> Place? {
        guard
            let continent = code(line[1], "a continent: AF AN AS EU NA OC SA or empty", Place.continents.contains),
            let country = code(line[2], "a country: two upper-case letters (ISO 3166-1) or empty", Place.isCountry),
            let subdivision = code(
                line.at(3),
                "a subdivision: the one to three upper-case letters or digits behind the hyphen of its "
                    + "ISO 3166-2 code, or empty", Place.isSubdivision),
            let city = code(
                line.at(4), "a city's name of at most 64 octets", { _ in line.at(4)?.range.count ?? 0 <= 64 }),
            let coordinates = coordinates(line.at(5), line.at(6)),
            let asn = code(line.at(7), "an AS number, 1 to 4294967295, or empty", { UInt32($0) ?? 0 > 0 })
        else { return nil }
        return Place(
            continent: continent.text, country: country.text, subdivisions: subdivision.text.map { [$0] } ?? [],
            city: city.text.map { cities.position(of: $0) } ?? 0, coordinates: coordinates.point,
            asn: asn.text.flatMap { UInt32($0) } ?? 0)
    }

    /// A field that was understood; nil text is an empty one.
    struct Code {
        let text: String?
    }

    /// Nil when the field is neither empty nor `accepted`, and then the problem is noted.
    private mutating func code(
        _ field: FieldReader.Field?, _ expectation: String, _ accepted: (String) -> Bool
    ) -> Code? {
        guard let field, !field.range.isEmpty else { return Code(text: nil) }
        let text = fields.string(field)
        if accepted(text) { return Code(text: text) }
        note(field, "\"\(text)\" is not \(expectation)")
        return nil
    }

    struct Point {
        let point: Coordinates?
    }

    private mutating func coordinates(_ latitude: FieldReader.Field?, _ longitude: FieldReader.Field?) -> Point? {
        guard let latitude, let longitude else {
            guard let latitude, !latitude.range.isEmpty else { return Point(point: nil) }
            note(latitude, "a latitude without a longitude")
            return nil
        }
        if latitude.range.isEmpty, longitude.range.isEmpty { return Point(point: nil) }
        guard let north = degrees(latitude, 90), let east = degrees(longitude, 180) else { return nil }
        return Point(point: Coordinates(latitude: north, longitude: east))
    }

    private mutating func degrees(_ field: FieldReader.Field, _ limit: Double) -> Double? {
        let text = fields.string(field)
        // Double reads more than degrees are written in: 0x1p3, nan, inf.
        let isPlain = text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2e || $0 == 0x2d }
        if isPlain, let value = Double(text), abs(value) <= limit { return value }
        note(field, "\"\(text)\" is not degrees from -\(Int(limit)) to \(Int(limit))")
        return nil
    }
}

extension [FieldReader.Field] {
    fileprivate func at(_ index: Int) -> Element? { index < count ? self[index] : nil }
}
