/// One case of who is counted healthy, and how often it is the case.
///
/// A candidate that returns after a failure takes its share of the answers: in that part of them it is in, in the rest it
/// is out. With several returning at once one draw serves all of them (those whose share is above the draw are in), so
/// that k returning candidates make k + 1 worlds and each has exactly its own share of them.
struct World: Sendable, Hashable {
    /// Weights of the worlds of one evaluation add up to this.
    static let whole = 10_000

    /// Every healthy candidate, returning ones too.
    let healthy: CandidateSet
    /// The healthy candidates that are in.
    let included: CandidateSet
    /// 1 ... `whole`.
    let weight: Int

    /// The world in which every healthy candidate is in.
    static func everybody(_ health: [CandidateHealth]) -> World {
        let healthy = CandidateSet(health.indices.filter { health[$0].healthy })
        return World(healthy: healthy, included: healthy, weight: whole)
    }

    /// The world in which everybody is in who has any share: for chains that hash, where shares are weights, so that a
    /// client that was moved to a returning candidate stays there.
    static func anyShare(_ health: [CandidateHealth]) -> World {
        let everybody = everybody(health)
        let included = CandidateSet(health.indices.filter { health[$0].healthy && part(health[$0].share) > 0 })
        return World(healthy: everybody.healthy, included: included, weight: whole)
    }

    /// Not empty; the world with everybody in comes first unless some share is zero.
    static func all(_ health: [CandidateHealth]) -> [World] {
        let everybody = everybody(health)
        let shares = health.map { $0.healthy ? part($0.share) : 0 }
        let thresholds = Set(health.indices.filter { health[$0].healthy && shares[$0] < whole }.map { shares[$0] })
        if thresholds.isEmpty { return [everybody] }
        var worlds: [World] = []
        var below = 0
        for threshold in thresholds.sorted() + [whole] {
            if threshold > below {
                let included = CandidateSet(shares.indices.filter { shares[$0] > below })
                worlds.append(World(healthy: everybody.healthy, included: included, weight: threshold - below))
            }
            below = threshold
        }
        return worlds
    }

    /// A share in parts of `whole`.
    static func part(_ share: Double) -> Int {
        // A share that is no number is no reason to withhold a healthy candidate.
        share.isNaN ? whole : Int(min(max(share, 0), 1) * Double(whole))
    }
}
