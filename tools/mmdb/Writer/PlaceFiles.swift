package import Geo
package import Model

/// Databases of the City and ASN kinds with the places of a location file.
package enum PlaceFiles {
    /// A line of a location file.
    package struct Entry: Sendable, Hashable {
        package let prefix: IPPrefix
        package let place: Place
        package let city: String?

        package init(prefix: IPPrefix, place: Place, city: String? = nil) {
            self.prefix = prefix
            self.place = place
            self.city = city
        }
    }

    /// `entries` in any order; of two with the same prefix the later one wins.
    package static func city(_ entries: [Entry]) -> MMDBWriter {
        var writer = MMDBWriter(type: "Meridian-City")
        for entry in widestFirst(entries) { writer.add(entry.prefix, record(entry)) }
        return writer
    }

    /// Prefixes without an AS number say that theirs is unknown.
    package static func networks(_ entries: [Entry]) -> MMDBWriter {
        var writer = MMDBWriter(type: "Meridian-ASN")
        for entry in widestFirst(entries) {
            let asn = entry.place.asn
            writer.add(entry.prefix, .map(asn == 0 ? [] : [.init("autonomous_system_number", .uint32(asn))]))
        }
        return writer
    }

    private static func widestFirst(_ entries: [Entry]) -> [Entry] {
        // IPv4 lies 96 bits deep in one tree with IPv6.
        let depth = { (prefix: IPPrefix) in prefix.length + (prefix.address.family == .v4 ? 96 : 0) }
        return entries.enumerated().sorted {
            let (left, right) = (depth($0.element.prefix), depth($1.element.prefix))
            return left != right ? left < right : $0.offset < $1.offset
        }.map(\.element)
    }

    private static func record(_ entry: Entry) -> MMDBValue {
        let place = entry.place
        var members: [MMDBValue.Member] = []
        var city: [MMDBValue.Member] = []
        if place.geoname != 0 { city.append(.init("geoname_id", .uint32(place.geoname))) }
        if let name = entry.city { city.append(.init("names", .map([.init("en", .string(name))]))) }
        if !city.isEmpty { members.append(.init("city", .map(city))) }
        if let continent = place.continent {
            members.append(.init("continent", .map([.init("code", .string(continent))])))
        }
        if let country = place.country {
            members.append(.init("country", .map([.init("iso_code", .string(country))])))
        }
        if let point = place.coordinates {
            members.append(
                .init(
                    "location",
                    .map([.init("latitude", .double(point.latitude)), .init("longitude", .double(point.longitude))])))
        }
        let codes = place.subdivisions.reversed().map { String($0.dropFirst(3)) }
        if !codes.isEmpty {
            members.append(.init("subdivisions", .array(codes.map { .map([.init("iso_code", .string($0))]) })))
        }
        return .map(members)
    }
}
