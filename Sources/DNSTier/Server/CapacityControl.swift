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

    /// Where a part of demand is carried, and percent of its capacity that it is filled to.
    private struct Site: Sendable {
        /// The sources of health that stand behind it.
        let sources: [Int]
        /// What they are, which outlives a reload.
        let identity: [HealthSources.Source]
        var limit: Int
    }

    private var allocator: CapacityAllocator
    /// By cohort.
    private let places: [Int: [Place]]
    /// The allocator's.
    private let sites: [Site]
    private var steppedAt: Duration?
    /// By group of the allocator's and place in its order: what is answered, in steps of the grain.
    private(set) var parts: [[Double]]

    /// Differences smaller than one in so many are not worth new answers.
    private static let grain = 200.0

    /// `all`: what the cohorts' sources are.
    /// `old`: what is known of the same clients and regions; nil at boot. A reload or a new latency map that threw it away
    /// would send everybody home at once who was spilled for want of room, and out again a little later.
    init(_ answers: DynamicAnswers, sources all: [HealthSources.Source], adopting old: CapacityControl? = nil) {
        var known: [[Int]: Int] = [:]
        var groups: [[Int]: Int] = [:]
        var orders: [[Int]] = []
        var sites: [Site] = []
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
                        sites.append(Site(sources: sources, identity: sources.map { all[$0] }, limit: site.limit))
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
        steppedAt = old?.steppedAt
        if let old {
            let before = Dictionary(
                zip(old.sites.map(\.identity), old.sites.indices), uniquingKeysWith: { first, _ in first })
            let formers = sites.map { site in
                before[site.identity].map { former in
                    CapacityAllocator.Former(site: former, hasSameLimit: old.sites[former].limit == site.limit)
                }
            }
            allocator = CapacityAllocator(orders: orders, sites: formers, adopting: old.allocator)
        } else {
            allocator = CapacityAllocator(orders: orders, sites: sites.count)
        }
        parts = Self.parts(allocator)
    }

    private static func parts(_ allocator: CapacityAllocator) -> [[Double]] {
        allocator.shares.map { row in row.map { ($0 * grain).rounded() / grain } }
    }

    /// Whether there is anything to fill.
    var isNeeded: Bool { !places.isEmpty }

    /// Decides anew. To be called every few seconds, whether something moved or not: what was spilled goes home in small
    /// steps, and demand is learned from loads that stand still too.
    ///
    /// - Parameters:
    ///   - state: of a source.
    ///   - now: on a clock that never goes back.
    /// - Returns: whether `parts` moved.
    @discardableResult
    mutating func step(_ state: (_ source: Int) -> CandidateState, now: Duration) -> Bool {
        guard isNeeded else { return false }
        let seconds = steppedAt.map { (now - $0) / .seconds(1) } ?? 0
        steppedAt = now
        allocator.step(
            sites.map { site in
                let behind = site.sources.map(state)
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
        let before = parts
        parts = Self.parts(allocator)
        return parts != before
    }

    func spill(cohort: Int) -> SpillShares {
        var shares = SpillShares()
        for place in places[cohort] ?? [] { shares.set(place.site, parts[place.group]) }
        return shares
    }
}
