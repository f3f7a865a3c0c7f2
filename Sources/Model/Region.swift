/// A place that serves users: a data centre, a cloud region.
package struct Region: Sendable, Hashable {
    package let name: String
    package let location: Location
    /// The address that nodes of this region use unless they name their own.
    package let address: IPAddress?
    /// Requests per second that the region can carry; nil when unlimited.
    package let capacity: Int?

    package init(name: String, location: Location, address: IPAddress?, capacity: Int?) {
        self.name = name
        self.location = location
        self.address = address
        self.capacity = capacity
    }
}

/// Where something is. Each part may be unknown.
package struct Location: Sendable, Hashable {
    /// Two-letter continent code: AF AN AS EU NA OC SA.
    package let continent: String?
    /// ISO 3166-1 alpha-2, upper case.
    package let country: String?
    package let coordinates: Coordinates?

    package init(continent: String? = nil, country: String? = nil, coordinates: Coordinates? = nil) {
        self.continent = continent
        self.country = country
        self.coordinates = coordinates
    }
}

/// Degrees on the WGS 84 ellipsoid: latitude -90 ... 90, longitude -180 ... 180.
package struct Coordinates: Sendable, Hashable {
    package let latitude: Double
    package let longitude: Double

    package init(latitude: Double, longitude: Double) {
        self.latitude = latitude
        self.longitude = longitude
    }
}
