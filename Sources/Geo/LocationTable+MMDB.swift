import Model

/// Why a MaxMind DB file was refused.
package struct InvalidMMDB: Error, Sendable, Hashable, CustomStringConvertible {
    package let path: String
    package let message: String

    package var description: String { "\(path): \(message)" }
}

extension LocationTable {
    /// Reads every network of a MaxMind DB file (version 2 of the format) of the Country or City kind: `continent.code`,
    /// `country.iso_code`, `subdivisions[0 and 1].iso_code`, `city.geoname_id`, `city.names.en` and `location.latitude` and
    /// `longitude`, as far as it has them. The file is mapped while it is read and not needed afterwards.
    ///
    /// - Throws: when the file cannot be opened, breaks the format anywhere, or has none of the values.
    package init(mmdb path: String) throws(InvalidMMDB) {
        let tree = try MMDBTree(path: path)
        defer { tree.close() }
        var places = MMDBPlaces()
        let prefixes = try tree.table { record throws(InvalidMMDB) in try places.position(of: record) }
        guard places.places.keys.count > 1 else {
            throw InvalidMMDB(path: path, message: "holds neither countries nor continents; use a Country or City file")
        }
        self.init(
            prefixes: prefixes, places: places.places.keys, cityNames: places.cities.keys)
    }

    /// These places with the networks of a MaxMind DB file of the ASN kind (`autonomous_system_number`).
    ///
    /// - Throws: when the file cannot be opened, breaks the format anywhere, or has no such number.
    package func announced(mmdb path: String) throws(InvalidMMDB) -> LocationTable {
        let tree = try MMDBTree(path: path)
        defer { tree.close() }
        var holdsNumbers = false
        let table = try tree.table { record throws(InvalidMMDB) in
            guard let number = try record.number("autonomous_system_number") else { return 0 }
            guard let asn = UInt32(exactly: number) else { throw record.broken("\(number) is not an AS number") }
            holdsNumbers = holdsNumbers || asn != 0
            return asn
        }
        guard holdsNumbers else {
            throw InvalidMMDB(path: path, message: "holds no autonomous_system_number; use an ASN file")
        }
        return LocationTable(prefixes: prefixes, places: places, cityNames: cityNames, networks: table)
    }
}

/// Packs and interns the places of a file.
private struct MMDBPlaces {
    private(set) var places = KeyInterner(first: Place.unknown)
    private(set) var cities = KeyInterner(first: "")

    mutating func position(of record: MMDBRecord) throws(InvalidMMDB) -> UInt32 {
        places.position(of: try place(record))
    }

    private mutating func place(_ record: MMDBRecord) throws(InvalidMMDB) -> Place {
        let continent = try record.string("continent", "code")
        if let continent, !Place.continents.contains(continent) {
            throw record.broken("\"\(continent)\" is not a continent code")
        }
        let country = try record.string("country", "iso_code")
        if let country, !Place.isCountry(country) { throw record.broken("\"\(country)\" is not a country code") }
        var subdivisions: [String] = []
        for position in ["0", "1"] {
            guard let code = try record.string("subdivisions", position, "iso_code") else { break }
            guard Place.isSubdivision(code) else { throw record.broken("\"\(code)\" is not a subdivision code") }
            subdivisions.append(code)
        }
        let city = try record.string("city", "names", "en")
        let geoname = try record.number("city", "geoname_id") ?? 0
        guard let geoname = UInt32(exactly: geoname) else {
            throw record.broken("\(geoname) is not a geonames.org identifier")
        }
        return Place(
            continent: continent, country: country, subdivisions: subdivisions,
            city: city.map { cities.position(of: $0) } ?? 0, geoname: geoname, coordinates: try coordinates(record))
    }

    private func coordinates(_ record: MMDBRecord) throws(InvalidMMDB) -> Coordinates? {
        guard let latitude = try record.number("location", "latitude"),
            let longitude = try record.number("location", "longitude")
        else { return nil }
        guard (-90...90).contains(latitude), (-180...180).contains(longitude) else {
            throw record.broken("\(latitude), \(longitude) is no place on Earth")
        }
        return Coordinates(latitude: latitude, longitude: longitude)
    }
}
