package import Model

/// Where a client is, as far as the location files know; every part may be unknown.
///
/// 32 octets and no reference: what a database of millions of networks repeats is packed (codes) or interned (`city`), so
/// that a million places take 32 MB and comparing two is comparing numbers. Parts that are text are made when asked for:
/// ask once for each distinct place (`LocationTable.classes`), not for each client.
package struct Place: Sendable, Hashable {
    /// Two ASCII letters, the first in the upper octet; 0 is unknown.
    private let continentCode: UInt16
    private let countryCode: UInt16
    /// One to three ASCII letters or digits, the first in the uppermost octet that is used; 0 is unknown.
    private let outerCode: UInt32
    private let innerCode: UInt32
    /// Position in `LocationTable.cityNames`; 0 is unknown.
    package let city: UInt32
    /// The city's identifier at geonames.org; 0 is unknown.
    package let geoname: UInt32
    /// Millionths of a degree, some 11 centimetres: finer than any database. `Int32.min` is unknown.
    private let latitude: Int32
    private let longitude: Int32
    /// The number of the autonomous system that announces the client's network; 0 is unknown.
    package let asn: UInt32

    package static let unknown = Place()

    package static let continents: Set<String> = ["AF", "AN", "AS", "EU", "NA", "OC", "SA"]

    /// - Parameters:
    ///   - continent: AF AN AS EU NA OC SA.
    ///   - country: ISO 3166-1 alpha-2, upper case.
    ///   - subdivisions: the part of an ISO 3166-2 code behind the hyphen, the largest region first; two at most count.
    ///   - city: see `city`.
    ///   - geoname: see `geoname`.
    ///   - coordinates: where in the world.
    ///   - asn: see `asn`.
    package init(
        continent: String? = nil, country: String? = nil, subdivisions: [String] = [], city: UInt32 = 0,
        geoname: UInt32 = 0, coordinates: Coordinates? = nil, asn: UInt32 = 0
    ) {
        continentCode = UInt16(truncatingIfNeeded: Self.pack(continent ?? ""))
        countryCode = UInt16(truncatingIfNeeded: Self.pack(country ?? ""))
        outerCode = Self.pack(subdivisions.first ?? "")
        innerCode = Self.pack(subdivisions.dropFirst().first ?? "")
        self.city = city
        self.geoname = geoname
        latitude = coordinates.map { Self.fixed($0.latitude) } ?? .min
        longitude = coordinates.map { Self.fixed($0.longitude) } ?? .min
        self.asn = asn
    }

    private init(_ other: Place, asn: UInt32) {
        continentCode = other.continentCode
        countryCode = other.countryCode
        outerCode = other.outerCode
        innerCode = other.innerCode
        city = other.city
        geoname = other.geoname
        latitude = other.latitude
        longitude = other.longitude
        self.asn = asn
    }

    /// The same place in the network of `asn`.
    package func announced(by asn: UInt32) -> Place { Place(self, asn: asn) }

    /// AF AN AS EU NA OC SA.
    package var continent: String? { Self.unpack(UInt32(continentCode)) }

    /// ISO 3166-1 alpha-2, upper case.
    package var country: String? { Self.unpack(UInt32(countryCode)) }

    /// ISO 3166-2 codes, the smallest region first: `GB-OXF`, `GB-ENG`. Empty when the country is unknown.
    package var subdivisions: [String] {
        guard let country else { return [] }
        return [innerCode, outerCode].compactMap { Self.unpack($0).map { "\(country)-\($0)" } }
    }

    package var coordinates: Coordinates? {
        guard latitude != .min, longitude != .min else { return nil }
        return Coordinates(latitude: Double(latitude) / 1_000_000, longitude: Double(longitude) / 1_000_000)
    }

    private static func fixed(_ degrees: Double) -> Int32 { Int32((degrees * 1_000_000).rounded()) }

    /// Whether `text` can be the part of an ISO 3166-2 code behind the hyphen.
    static func isSubdivision(_ text: String) -> Bool {
        (1...3).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x41...0x5a).contains($0) || (0x30...0x39).contains($0) }
    }

    static func isCountry(_ text: String) -> Bool {
        text.utf8.count == 2 && text.utf8.allSatisfy { (0x41...0x5a).contains($0) }
    }

    /// The last four octets of `text`: codes have three at most.
    private static func pack(_ text: String) -> UInt32 { text.utf8.reduce(0) { $0 << 8 | UInt32($1) } }

    private static func unpack(_ packed: UInt32) -> String? {
        if packed == 0 { return nil }
        let octets = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: packed >> $0) }.drop { $0 == 0 }
        return String(decoding: octets, as: UTF8.self)
    }
}

extension Place {
    /// The place in words: `GB-ENG, EU`, `US in NA near 37.8, -122.4, AS15169`. Empty when nothing is known.
    package func text(city name: String?) -> String {
        var parts: [String] = []
        if let name { parts.append(name) }
        if let smallest = subdivisions.first ?? country { parts.append(smallest) }
        var text = parts.joined(separator: ", ")
        if let continent { text += text.isEmpty ? continent : " in \(continent)" }
        if asn != 0 { text += text.isEmpty ? "AS\(asn)" : ", AS\(asn)" }
        return text
    }
}
