package import Model

/// How a pool chooses: one of four algorithms with its tables worked out. Immutable, so all workers share one; what a
/// worker changes is its `PickCursor`. A pick allocates nothing.
package enum Policy: Sendable, Hashable {
    case roundRobin(RoundRobin)
    case leastConnections(LeastConnections)
    case sourceHash(SourceHash)
    case random(RandomChoice)

    /// Builds the tables; `endpoints` stand in the order of the positions that `pick` will return, at most 65,535.
    package init(_ algorithm: BalanceAlgorithm, endpoints: [Endpoint]) {
        let weights = endpoints.map(\.weight)
        switch algorithm {
        case .roundRobin: self = .roundRobin(RoundRobin(weights: weights))
        case .leastConnections: self = .leastConnections(LeastConnections(weights: weights))
        case .sourceHash:
            self = .sourceHash(SourceHash(keys: endpoints.map { SourceHash.key(of: $0.address) }, weights: weights))
        case .random: self = .random(RandomChoice(weights: weights))
        }
    }

    /// Chooses among the endpoints that are usable now.
    ///
    /// - Parameters:
    ///   - view: the endpoints that the policy was built of, in the same order.
    ///   - source: the client, as `SourceHash.source` numbers it; only source hash reads it.
    ///   - cursor: the caller's place in the rotation.
    ///   - generator: randomness, only for random choice.
    /// - Returns: a position, or nil when no endpoint is usable.
    package func pick<Randomness: RandomNumberGenerator>(
        among view: some EndpointView, source: UInt64, cursor: inout PickCursor,
        using generator: inout Randomness
    ) -> Int? {
        switch self {
        case .roundRobin(let policy): policy.pick(among: view, cursor: &cursor)
        case .leastConnections(let policy): policy.pick(among: view, cursor: &cursor)
        case .sourceHash(let policy): policy.pick(among: view, source: source)
        case .random(let policy): policy.pick(among: view, using: &generator)
        }
    }
}
