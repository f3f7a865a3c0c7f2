/// A name whose answer depends on who asks and on what is healthy.
package struct DynamicName: Sendable, Hashable {
    /// Absolute, lower case, with the final dot.
    package let name: String
    /// Seconds, 0 ... 2^31 - 1.
    package let ttl: UInt32
    /// Seconds, while any candidate is unhealthy: 1 ... `ttl`, or 0 when `ttl` is.
    package let ttlDegraded: UInt32
    /// The service whose verdict decides which candidates are healthy.
    package let service: ServiceID?
    /// How this node itself looks at each candidate's addresses.
    package let check: HealthCheck?
    /// The port that `check` asks.
    package let checkPort: UInt16
    package let candidates: [Candidate]
    package let steps: [SteeringStep]
    /// The preset that `steps` come from; nil when they were written out.
    package let policy: SteeringPolicy?
    /// How long a returning candidate takes to full share; zero is at once.
    package let ramp: Duration

    /// `ttlDegraded`: half of `ttl`, rounded up, unless it is given.
    package init(
        name: String, ttl: UInt32, ttlDegraded: UInt32? = nil, service: ServiceID?, check: HealthCheck?,
        checkPort: UInt16, candidates: [Candidate], steps: [SteeringStep], policy: SteeringPolicy? = nil, ramp: Duration
    ) {
        self.name = name
        self.ttl = ttl
        self.ttlDegraded = ttlDegraded ?? ttl / 2 + ttl % 2
        self.service = service
        self.check = check
        self.checkPort = checkPort
        self.candidates = candidates
        self.steps = steps
        self.policy = policy
        self.ramp = ramp
    }

    /// The candidates with records of their own, those of nested chains in the place of the candidate that nests them, and
    /// each with the service that its health follows.
    package var leaves: [Candidate] { Self.leaves(of: candidates, service: service) }

    /// What each of `leaves` is called: its own name, with those of the answers that it is nested in before it, and `/`
    /// between them. Unique in the name.
    package var leafNames: [String] { Self.leafNames(of: candidates) }

    private static func leafNames(of candidates: [Candidate]) -> [String] {
        candidates.flatMap { candidate -> [String] in
            guard let chain = candidate.chain else { return [candidate.name] }
            return leafNames(of: chain.candidates).map { "\(candidate.name)/\($0)" }
        }
    }

    private static func leaves(of candidates: [Candidate], service: ServiceID?) -> [Candidate] {
        candidates.flatMap { candidate -> [Candidate] in
            let service = candidate.service ?? service
            guard let chain = candidate.chain else {
                return [
                    Candidate(
                        name: candidate.name, region: candidate.region, service: service, records: candidate.records)
                ]
            }
            return leaves(of: chain.candidates, service: service)
        }
    }

    /// Every address that the name's check is to look at; empty without a check.
    package var lookedAt: [LookedAt] {
        if check == nil { return [] }
        return leaves.enumerated().flatMap { position, leaf in
            leaf.records.compactMap { record -> LookedAt? in
                guard record.type == "A" || record.type == "AAAA", let region = leaf.region,
                    let address = IPAddress(record.data)
                else { return nil }
                return LookedAt(
                    leaf: position, region: region, service: leaf.service,
                    address: SocketAddress(address, port: checkPort))
            }
        }
    }

    /// An address of one of the leaves.
    package struct LookedAt: Sendable, Hashable {
        /// Position in `leaves`.
        package let leaf: Int
        package let region: RegionID
        /// The service that the leaf's health follows.
        package let service: ServiceID?
        /// With the port that the check asks.
        package let address: SocketAddress
    }

    /// What a region, or another chain, answers with.
    package struct Candidate: Sendable, Hashable {
        /// Unique in its chain; mostly the region's.
        package let name: String
        /// Where it is, for steps that ask; nil for a chain that is in no one place.
        package let region: RegionID?
        /// The service that decides whether it is healthy; that of the name, or of the chain around it, when nil.
        package let service: ServiceID?
        /// Empty for a chain.
        package let records: [RecordText]
        /// What chooses among candidates of its own.
        package let chain: SteeringChain?

        package init(
            name: String = "", region: RegionID?, service: ServiceID? = nil, records: [RecordText],
            chain: SteeringChain? = nil
        ) {
            self.name = name.isEmpty ? region.map { "\($0.index)" } ?? "" : name
            self.region = region
            self.service = service
            self.records = records
            self.chain = chain
        }
    }

    /// A record in presentation form: type mnemonic and RDATA text, as in a master file.
    package struct RecordText: Sendable, Hashable {
        package let type: String
        package let data: String
        /// What names in `data` without a final dot stand below: the zone of the name that answers with it, absolute. Nil
        /// when there is no such zone.
        package let origin: String?

        package init(type: String, data: String, origin: String? = nil) {
            self.type = type
            self.data = data
            self.origin = origin
        }
    }
}

/// A chain that stands as a candidate in another: a named group, or another dynamic name.
package struct SteeringChain: Sendable, Hashable {
    /// For people: `group europe`, `name www.shop.test.`
    package let title: String
    package let candidates: [DynamicName.Candidate]
    package let steps: [SteeringStep]

    package init(title: String, candidates: [DynamicName.Candidate], steps: [SteeringStep]) {
        self.title = title
        self.candidates = candidates
        self.steps = steps
    }

    /// How deep chains may nest: a name, a group in it, and so on.
    package static let maximumDepth = 8
    /// How many candidates with records a name may have, those of nested chains included.
    package static let maximumLeaves = 128
}

/// Chains by the names that people know them by. Each stands for steps (see Docs/Steering.md).
package enum SteeringPolicy: String, Sendable, Hashable, CaseIterable {
    case simple
    case weighted
    case latency
    case failover
    case geolocation
    case geoproximity
    case multivalue
    case ipBased = "ip-based"
}
