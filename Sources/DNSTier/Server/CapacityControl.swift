import Health
import Steering

/// Lets the allocator follow the loads that regions report, for all names that fill candidates by capacity: names that send
/// the same clients to the same regions in the same order share what fits there.
struct CapacityControl: Sendable {
    /// A class of clients at a `capacity` step.
    private struct Place: Sendable {
        let site: SpillSite
        /// Among the allocator's.
        let group: Int
    }

    private var allocator: CapacityAllocator
    /// By cohort.
    private let places: [Int: [Place]]
    /// For each of the allocator's sites: the sources of health that stand behind it, and percent of its capacity.
    private let sites: [(sources: [Int], limit: Int)]
    private var steppedAt: Duration?

    /// Differences smaller than this are not worth new answers.
    private static let grain = 200.0

    init(_ answers: DynamicAnswers) {
        var known: [[Int]: Int] = [:]
        var groups: [[Int]: Int] = [:]
        var orders: [[Int]] = []
        var sites: [(sources: [Int], limit: Int)] = []
        var places: [Int: [Place]] = [:]
        for index in 0..<answers.cohortCount {
            let cohort = answers.cohort(index)
            guard cohort.plan.fillsByCapacity else { continue }
            for site in cohort.plan.spillSites {
                let order = site.leaves.map { leaves -> Int in
                    let sources = Array(cohort.sources[leaves])
                    let position = known[sources] ?? sites.count
                    if position == sites.count {
                        known[sources] = position
                        sites.append((sources, site.limit))
                    }
                    sites[position].limit = min(sites[position].limit, site.limit)
                    return position
                }
                let group = groups[order] ?? orders.count
                if group == orders.count {
                    groups[order] = group
                    orders.append(order)
                }
                places[index, default: []].append(Place(site: site, group: group))
            }
        }
        self.sites = sites
        self.places = places
        allocator = CapacityAllocator(orders: orders, sites: sites.count)
    }

    /// `states`: by source.
    /// `now`: on a clock that never goes back.
    mutating func step(_ states: [CandidateState], now: Duration) {
        guard !places.isEmpty else { return }
        let seconds = steppedAt.map { (now - $0) / .seconds(1) } ?? 0
        steppedAt = now
        allocator.step(
            sites.map { site in
                let behind = site.sources.map { states[$0] }
                let usable = behind.filter(\.healthy)
                let loads = usable.compactMap(\.load)
                guard loads.count == usable.count, !loads.isEmpty else {
                    return CapacityAllocator.Site(load: nil, limit: nil, isAvailable: !usable.isEmpty)
                }
                let load = loads.reduce(0) { $0 + $1.rate }
                // What other services take of the region is not ours to fill.
                let limits = loads.map { load in
                    load.capacity.map { max($0 * Double(site.limit) / 100 - max(load.regionRate - load.rate, 0), 0) }
                }
                let known = limits.compactMap(\.self)
                return CapacityAllocator.Site(
                    load: load, limit: known.count == limits.count ? known.reduce(0, +) : nil, isAvailable: true)
            }, seconds: max(seconds, 0))
    }

    func spill(cohort: Int) -> SpillShares {
        var shares = SpillShares()
        for place in places[cohort] ?? [] {
            shares.set(
                place.site, allocator.shares[place.group].map { ($0 * Self.grain).rounded() / Self.grain })
        }
        return shares
    }
}
