/// What the DNS nodes answer.
package struct DNSPlan: Sendable, Hashable {
    /// UDP and TCP port of every DNS node, on the node's address.
    package let port: UInt16
    package let zones: [Zone]
    /// Client prefix → location, for `geo` steps.
    package let locations: LocationSource?
    /// A MaxMind DB of the ASN kind; its numbers replace those of `locations`.
    package let networks: String?
    /// The largest UDP answer sent, 512 ... 4096 octets (default 1232, DNS flag day 2020).
    package let maximumUDPSize: Int
    package let conduct: DNSConduct
    /// A folder of further zones, each in a file named like it: `shop.test.zone`.
    package let zoneFolder: String?

    package init(
        port: UInt16, zones: [Zone], locations: LocationSource?, networks: String? = nil, maximumUDPSize: Int,
        conduct: DNSConduct = DNSConduct(), zoneFolder: String? = nil
    ) {
        self.conduct = conduct
        self.zoneFolder = zoneFolder
        self.port = port
        self.zones = zones
        self.locations = locations
        self.networks = networks
        self.maximumUDPSize = maximumUDPSize
    }

    package struct Zone: Sendable, Hashable {
        /// Absolute, lower case, with the final dot: `shop.test.`
        package let origin: String
        /// An RFC 1035 master file.
        package let file: String
        package let names: [DynamicName]

        package init(origin: String, file: String, names: [DynamicName]) {
            self.origin = origin
            self.file = file
            self.names = names
        }
    }

    /// A file that maps prefixes to places.
    package enum LocationSource: Sendable, Hashable {
        /// Lines of `prefix,continent,country,subdivision,city,latitude,longitude,asn`, the last five at will.
        case csv(String)
        /// A MaxMind DB of the City or Country kind.
        case mmdb(String)
    }
}
