/// What the DNS nodes answer.
package struct DNSPlan: Sendable, Hashable {
    /// UDP and TCP port of every DNS node, on the node's address.
    package let port: UInt16
    package let zones: [Zone]
    /// Client prefix → location, for `geo` steps.
    package let locations: LocationSource?
    /// The largest UDP answer sent, 512 ... 4096 octets (default 1232, DNS flag day 2020).
    package let maximumUDPSize: Int

    package init(port: UInt16, zones: [Zone], locations: LocationSource?, maximumUDPSize: Int) {
        self.port = port
        self.zones = zones
        self.locations = locations
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
        /// Lines of `prefix,continent,country`.
        case csv(String)
        /// A MaxMind DB of the Country or City kind.
        case mmdb(String)
    }
}

/// A name whose answer depends on who asks and on what is healthy.
package struct DynamicName: Sendable, Hashable {
    /// Absolute, lower case, with the final dot.
    package let name: String
    /// Seconds, 0 ... 2^31 - 1.
    package let ttl: UInt32
    /// The service whose verdict decides which candidates are healthy.
    package let service: ServiceID?
    /// How this node itself looks at each candidate's addresses.
    package let check: HealthCheck?
    /// The port that `check` asks.
    package let checkPort: UInt16
    package let candidates: [Candidate]
    package let steps: [SteeringStep]
    /// How long a returning candidate takes to full share; zero is at once.
    package let ramp: Duration

    package init(
        name: String, ttl: UInt32, service: ServiceID?, check: HealthCheck?, checkPort: UInt16,
        candidates: [Candidate], steps: [SteeringStep], ramp: Duration
    ) {
        self.name = name
        self.ttl = ttl
        self.service = service
        self.check = check
        self.checkPort = checkPort
        self.candidates = candidates
        self.steps = steps
        self.ramp = ramp
    }

    /// What a region answers with.
    package struct Candidate: Sendable, Hashable {
        package let region: RegionID
        package let records: [RecordText]

        package init(region: RegionID, records: [RecordText]) {
            self.region = region
            self.records = records
        }
    }

    /// A record in presentation form: type mnemonic and RDATA text, as in a master file.
    package struct RecordText: Sendable, Hashable {
        package let type: String
        package let data: String

        package init(type: String, data: String) {
            self.type = type
            self.data = data
        }
    }
}

/// One step of a steering chain. Candidates are positions in `DynamicName.candidates`.
package enum SteeringStep: Sendable, Hashable {
    /// Keeps healthy candidates; all of them when none is healthy (fail-open).
    case healthy
    /// Keeps the candidates whose place is nearest to the client's in the order prefix, country, continent, default.
    case geo(GeoStep)
    /// Keeps the candidates within `tolerance` of the smallest latency that the table has for the client's prefix.
    case latency(LatencyStep)
    /// Chooses one candidate by weight (0 ... 65535, by candidate); all-zero weights count as equal.
    case weighted([Int])
    /// Keeps the first remaining candidate in this order.
    case failover([Int])
    /// Keeps the first `count` candidates.
    case limit(Int)

    package struct GeoStep: Sendable, Hashable {
        package let prefixes: [IPPrefix: [Int]]
        package let countries: [String: [Int]]
        package let continents: [String: [Int]]
        /// For clients that nothing above matches; empty leaves the set as it is.
        package let otherwise: [Int]

        package init(
            prefixes: [IPPrefix: [Int]], countries: [String: [Int]], continents: [String: [Int]], otherwise: [Int]
        ) {
            self.prefixes = prefixes
            self.countries = countries
            self.continents = continents
            self.otherwise = otherwise
        }
    }

    package struct LatencyStep: Sendable, Hashable {
        /// Lines of `prefix,region,milliseconds`.
        package let file: String
        package let tolerance: Duration

        package init(file: String, tolerance: Duration) {
            self.file = file
            self.tolerance = tolerance
        }
    }
}
