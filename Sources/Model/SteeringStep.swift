/// One step of a steering chain. Candidates are positions in the chain's candidates.
package enum SteeringStep: Sendable, Hashable {
    /// Keeps healthy candidates; all of them when too few are (fail-open).
    case healthy(HealthyStep = HealthyStep())
    /// Keeps the candidates whose place is the smallest one around the client that any of them serves.
    case geo(GeoStep)
    /// Keeps the candidates of the longest prefix around the client that any of them serves.
    case prefix(PrefixStep)
    /// Keeps the candidates that are nearest to the client as the crow flies.
    case proximity(ProximityStep)
    /// Keeps the candidates within `tolerance` of the smallest latency that the table has for the client's prefix.
    case latency(LatencyStep)
    /// Chooses one candidate by weight (0 ... 65535, by candidate); all-zero weights count as equal.
    case weighted([Int])
    /// Keeps the first remaining candidate of an order, and perhaps a trickle to the next.
    case priority(PriorityStep)
    /// Chooses one candidate by the client's prefix, in proportion to weights that stand already, and the same one for as
    /// long as it is there.
    case hash
    /// Fills the candidates in order of preference up to what each can carry.
    case capacity(CapacityStep)
    /// Leaves candidates out of a part of the answers that grows with their load.
    case shed(ShedStep)
    /// Keeps the first so many candidates; where nothing tells them apart for a client, so many as the client's prefix
    /// chooses.
    case take(Int)
    /// Keeps so many candidates, others for each reply, each of them equally often.
    case sample(Int)

    package struct HealthyStep: Sendable, Hashable {
        /// Percent of a candidate's servers that must be up, 0 ... 100.
        package let servers: Int
        /// Percent of the candidates that must be healthy, 0 ... 100: with fewer all are kept. One is always needed.
        package let quorum: Int

        package init(servers: Int = 0, quorum: Int = 0) {
            self.servers = servers
            self.quorum = quorum
        }
    }

    /// Whether a client is bound to the lists that name him.
    package enum Fence: String, Sendable, Hashable, CaseIterable {
        /// He keeps what there was when nobody of them is left.
        case absent
        /// He is never sent beyond them: when nobody of them is left, he gets the first of whom anybody was dropped. Only
        /// whom no list names gets no answer.
        case open
        /// He is never sent beyond them: when nobody of them is left, he gets no answer.
        case closed
    }

    package struct GeoStep: Sendable, Hashable {
        package let prefixes: [IPPrefix: [Int]]
        /// By AS number.
        package let networks: [UInt32: [Int]]
        /// By `FR/Paris` or `US-CA/Los Angeles`: country or subdivision, and the English name.
        package let cities: [String: [Int]]
        /// By ISO 3166-2 code: `US-CA`.
        package let subdivisions: [String: [Int]]
        package let countries: [String: [Int]]
        package let continents: [String: [Int]]
        /// For clients that nothing above matches; empty leaves the set as it is.
        package let otherwise: [Int]
        package let fence: Fence

        package init(
            prefixes: [IPPrefix: [Int]], networks: [UInt32: [Int]] = [:], cities: [String: [Int]] = [:],
            subdivisions: [String: [Int]] = [:], countries: [String: [Int]], continents: [String: [Int]],
            otherwise: [Int], fence: Fence = .absent
        ) {
            self.prefixes = prefixes
            self.networks = networks
            self.cities = cities
            self.subdivisions = subdivisions
            self.countries = countries
            self.continents = continents
            self.otherwise = otherwise
            self.fence = fence
        }

        /// Whether it asks where clients are, and not just for their addresses.
        package var asksPlaces: Bool {
            !networks.isEmpty || !cities.isEmpty || !subdivisions.isEmpty || !countries.isEmpty || !continents.isEmpty
        }
    }

    package struct PrefixStep: Sendable, Hashable {
        package let prefixes: [IPPrefix: [Int]]
        /// The `*`; empty leaves the set as it is.
        package let otherwise: [Int]
        package let fence: Fence

        package init(prefixes: [IPPrefix: [Int]], otherwise: [Int], fence: Fence = .absent) {
            self.prefixes = prefixes
            self.otherwise = otherwise
            self.fence = fence
        }
    }

    package struct ProximityStep: Sendable, Hashable {
        /// By candidate, -99 ... 99: positive draws clients from further away (Route 53's geoproximity bias).
        package let bias: [Int]
        /// How many candidates stay; nil for the nearest alone, and those as near.
        package let count: Int?

        package init(bias: [Int], count: Int? = nil) {
            self.bias = bias
            self.count = count
        }
    }

    package struct LatencyStep: Sendable, Hashable {
        /// Lines of `prefix,region,milliseconds`; nil when everything is measured.
        package let file: String?
        package let tolerance: Duration
        /// Whether the round trips that L7 nodes measure count, in place of what the file says.
        package let isMeasured: Bool
        /// Percent of the answers, 0 ... 50, that try a candidate which may be better than the best known one.
        package let explore: Int

        package init(file: String?, tolerance: Duration, isMeasured: Bool = false, explore: Int = 0) {
            self.file = file
            self.tolerance = tolerance
            self.isMeasured = isMeasured
            self.explore = explore
        }

        /// Which table it follows: steps with the same one share it.
        package var table: String { isMeasured ? "measured" + (file.map { " over \($0)" } ?? "") : file ?? "" }
    }

    package struct PriorityStep: Sendable, Hashable {
        package let order: [Int]
        /// Percent of the answers that the first but one gets all the time, 0 ... 50.
        package let trickle: Int

        package init(_ order: [Int], trickle: Int = 0) {
            self.order = order
            self.trickle = trickle
        }
    }

    package struct CapacityStep: Sendable, Hashable {
        /// Percent of its capacity that a candidate is filled to, 1 ... 100.
        package let limit: Int

        package init(limit: Int) { self.limit = limit }
    }

    package struct ShedStep: Sendable, Hashable {
        /// Percent of its capacity up to which a candidate keeps everything.
        package let low: Int
        /// Percent from which on it gets nothing; more than `low`.
        package let high: Int

        package init(low: Int, high: Int) {
            self.low = low
            self.high = high
        }
    }
}
