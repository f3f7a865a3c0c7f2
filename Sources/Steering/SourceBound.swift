import Model

/// How long rules may be that hold for clients of whom only a prefix is known (RFC 7871): one that is longer than that prefix
/// is about some of them and not about others, and does not match.
struct SourceBound: Hashable, Sendable {
    let family: IPAddress.Family
    /// Clients known by so many bits or more.
    let length: Int
    /// And by fewer than so many: those of the next longer rule.
    let next: Int

    /// Whether clients of whom `source` bits are known are of this bound.
    func covers(_ source: Int, of family: IPAddress.Family) -> Bool {
        self.family == family && source >= length && source < next
    }

    /// Whether a rule for `prefix` holds for clients of this bound.
    func holds(_ prefix: IPPrefix) -> Bool { prefix.address.family == family && prefix.length <= length }

    /// All bounds that steps with rules for prefixes make, the shortest of each family first; none where there are no rules.
    static func all(_ steps: some Sequence<SteeringStep>) -> [SourceBound] {
        var lengths: [IPAddress.Family: Set<Int>] = [:]
        for step in steps {
            let prefixes: [IPPrefix: [Int]]? =
                switch step {
                case .geo(let step): step.prefixes
                case .prefix(let step): step.prefixes
                default: nil
                }
            for prefix in (prefixes ?? [:]).keys { lengths[prefix.address.family, default: []].insert(prefix.length) }
        }
        // With the longest rule in force, the whole table holds.
        return [IPAddress.Family.v4, .v6].flatMap { family in
            guard let known = lengths[family] else { return [SourceBound]() }
            let sorted = known.union([0]).sorted()
            return zip(sorted, sorted.dropFirst()).map { SourceBound(family: family, length: $0, next: $1) }
        }
    }
}
