/// Decides, from what regions report, which part of each group of clients goes where, so that nobody is filled beyond his
/// limit while there is room elsewhere.
///
/// Answers change at once and clients follow when their resolvers ask again, minutes later: a loop that looks at loads alone
/// sends too much until it sees too much, and oscillates. So this one goes by a model. It estimates the demand behind each
/// group from the loads that it sees and from the answers that resolvers still hold (a first-order lag), pours it by
/// `Waterfall`, and corrects the model and the limits by what is measured: quickly upwards, slowly downwards. A region that
/// is lost takes its clients' demand along as it was, so that the next ones are filled to their limits and not beyond them
/// from the first answer on.
package struct CapacityAllocator: Sendable {
    /// What is known of a site at one moment.
    package struct Site: Sendable, Hashable {
        /// Operations per second that it carries of what is allocated here; nil when unknown.
        package var load: Double?
        /// The most that it should carry; nil when unlimited.
        package var limit: Double?
        package var isAvailable: Bool

        package init(load: Double?, limit: Double?, isAvailable: Bool = true) {
            self.load = load
            self.limit = limit
            self.isAvailable = isAvailable
        }
    }

    /// How long resolvers hold answers, seconds: what the model takes for granted. Real ones hold them for a TTL, and some
    /// for longer.
    package static let lag = 90.0
    /// Per ten seconds, the part of an error by which an estimate grows and shrinks.
    private static let learning = (up: 0.3, down: 0.03)
    /// Per ten seconds, the part of the way that answers go back to what was wanted at first.
    private static let returning = 0.2

    /// By group, sites, the most wanted first.
    package let orders: [[Int]]
    /// By group and place in its order: what is answered now.
    package private(set) var shares: [[Double]]
    /// The same as resolvers hold it.
    private var held: [[Double]]
    /// By group, operations per second; nil until the first choice's load was seen.
    private var demand: [Double?]
    /// By site, how much less than its limit it is filled to, after it was seen above it.
    private var reserve: [Double]

    package init(orders: [[Int]], sites: Int) {
        self.orders = orders
        shares = orders.map { order in order.indices.map { $0 == 0 ? 1 : 0 } }
        held = shares
        demand = orders.map { _ in nil }
        reserve = Array(repeating: 0, count: sites)
    }

    /// Takes note of `sites` and decides anew.
    ///
    /// `seconds`: since the latest step.
    package mutating func step(_ sites: [Site], seconds: Double) {
        let pace = min(max(seconds, 0), 60) / 10
        let follow = seconds / (seconds + Self.lag)
        for group in orders.indices {
            for place in orders[group].indices {
                held[group][place] += (shares[group][place] - held[group][place]) * follow
            }
        }
        learn(sites, pace: pace)
        let limits = sites.indices.map { site -> Double in
            guard sites[site].isAvailable else { return 0 }
            guard let limit = sites[site].limit else { return .infinity }
            return max(limit, 0) * (1 - reserve[site])
        }
        let wanted = Waterfall.fill(demand: demand.map { $0 ?? 0 }, orders: orders, limits: limits)
        // Who is lost is left at once, and so is what would be too much; what was spilled goes home slowly, also to one
        // that was lost and is back: its load is not yet to be seen, and a jump home would show only when it is too late.
        let isJump = isLost(sites) || isTooMuch(limits)
        let part = isJump ? 1 : min(Self.returning * pace, 1)
        for group in orders.indices {
            // Who had nobody takes whom there is.
            let part = shares[group].contains { $0 > Self.trace } ? part : 1
            for place in orders[group].indices {
                shares[group][place] += (wanted[group][place] - shares[group][place]) * part
            }
        }
    }

    /// Less than this part of a group's answers is nobody: what goes home slowly leaves such traces for long.
    private static let trace = 1e-3

    /// Whether somebody is answered who is not there.
    private func isLost(_ sites: [Site]) -> Bool {
        orders.indices.contains { group in
            zip(orders[group], shares[group]).contains { $1 > Self.trace && !sites[$0].isAvailable }
        }
    }

    /// Whether the answers given now would fill somebody beyond its limit.
    private func isTooMuch(_ limits: [Double]) -> Bool {
        let expected = expected(shares)
        return limits.indices.contains { expected[$0] > limits[$0] * 1.02 + 1e-6 }
    }

    private func expected(_ shares: [[Double]]) -> [Double] {
        var loads = Array(repeating: 0.0, count: reserve.count)
        for (group, order) in orders.enumerated() {
            for (place, site) in order.enumerated() { loads[site] += (demand[group] ?? 0) * shares[group][place] }
        }
        return loads
    }

    private mutating func learn(_ sites: [Site], pace: Double) {
        let expected = expected(held)
        for (group, order) in orders.enumerated() {
            guard let known = demand[group] else { continue }
            // Each site that the group uses says by its load how far off the group's demand is.
            var factor = 0.0
            for (place, site) in order.enumerated() {
                let part = held[group][place]
                guard sites[site].isAvailable, let load = sites[site].load, expected[site] > 0 else {
                    factor += part
                    continue
                }
                factor += part * min(max(load / expected[site], 0.5), 2)
            }
            let error = factor - 1
            let rate = error > 0 ? Self.learning.up : Self.learning.down
            demand[group] = known * max(1 + error * min(rate * pace, 1), 0)
        }
        start(sites, expected)
        for site in sites.indices {
            guard let load = sites[site].load, let limit = sites[site].limit, limit > 0 else { continue }
            let excess = load / limit - 1
            reserve[site] = min(max(reserve[site] + (excess > 0 ? 0.1 * excess : -0.001) * pace, 0), 0.3)
        }
    }

    /// Demand is what the first choices carry beyond what others send there, until something better is known.
    private mutating func start(_ sites: [Site], _ expected: [Double]) {
        for site in sites.indices {
            guard let load = sites[site].load, load > expected[site] else { continue }
            // One that serves where nothing was expected: those who want it first are there after all.
            let isSurprise = expected[site] <= 0
            let first = orders.indices.filter { orders[$0].first == site && (demand[$0] == nil || isSurprise) }
            let excess = (load - expected[site]) / Double(first.count)
            for group in first { demand[group] = max(demand[group] ?? 0, excess) }
        }
    }
}

// MARK: - Other orders and sites

extension CapacityAllocator {
    /// What a site was to an allocator before.
    package struct Former: Sendable, Hashable {
        package var site: Int
        /// What was learned of a limit says nothing about another one.
        package var hasSameLimit: Bool

        package init(site: Int, hasSameLimit: Bool) {
            self.site = site
            self.hasSameLimit = hasSameLimit
        }
    }

    /// Goes on from what `old` learned, under other orders: a topology or a latency map is new, clients and regions are
    /// not. An order that was there goes on as it was. The demand for a first choice stays what it was: orders that are
    /// new have from those that are gone, and where none is gone an equal part of all, and start as these were answered.
    /// Where nobody wanted a site first before, nothing is known, and the first step decides.
    ///
    /// `sites`: which of `old`'s each is; nil for a new one.
    package init(orders: [[Int]], sites: [Former?], adopting old: CapacityAllocator) {
        self.init(orders: orders, sites: sites.count)
        var current: [Int: Int] = [:]
        for (site, former) in sites.enumerated() {
            guard let former else { continue }
            current[former.site] = site
            if former.hasSameLimit { reserve[site] = old.reserve[former.site] }
        }
        let formerOrders = old.orders.map { order in order.map { current[$0] } }
        let known = Dictionary(zip(formerOrders, old.orders.indices), uniquingKeysWith: { first, _ in first })
        let origins = orders.map { known[$0.map(Optional.some)] }
        for (group, origin) in origins.enumerated() {
            guard let origin else {
                shares[group] = orders[group].map { _ in 0 }
                continue
            }
            (shares[group], held[group], demand[group]) = (old.shares[origin], old.held[origin], old.demand[origin])
        }
        let stayed = Set(origins.compactMap(\.self))
        var before: [Int: [Int]] = [:]
        for (group, order) in formerOrders.enumerated() {
            if case .some(.some(let first)) = order.first { before[first, default: []].append(group) }
        }
        let now = Dictionary(grouping: orders.indices.filter { !orders[$0].isEmpty }) { orders[$0][0] }
        for (first, groups) in now {
            let former = before[first] ?? []
            let gone = former.filter { !stayed.contains($0) }
            let staying = groups.filter { origins[$0] != nil }
            let new = groups.filter { origins[$0] == nil }
            let total = old.demand(of: former)
            let passedOn =
                new.isEmpty ? 0 : gone.isEmpty ? total * Double(new.count) / Double(groups.count) : old.demand(of: gone)
            let rest = demand(of: staying)
            for group in staying where rest > 0 { demand[group] = demand[group].map { $0 * (total - passedOn) / rest } }
            let givers = gone.isEmpty ? former : gone
            for group in new {
                if passedOn > 0 { demand[group] = passedOn / Double(new.count) }
                shares[group] =
                    old.mean(old.shares, of: givers, sites: formerOrders, for: orders[group]) ?? shares[group]
                held[group] = old.mean(old.held, of: givers, sites: formerOrders, for: orders[group]) ?? held[group]
            }
        }
    }

    private func demand(of groups: [Int]) -> Double { groups.reduce(0) { $0 + (demand[$1] ?? 0) } }

    /// How the clients of `groups` are answered, weighted by their demand, as parts of `order`; nil when by nobody there.
    ///
    /// `sites`: by group and place, what is numbered in `order`; nil for a site that is gone.
    private func mean(_ rows: [[Double]], of groups: [Int], sites: [[Int?]], for order: [Int]) -> [Double]? {
        let isKnown = demand(of: groups) > 0
        var parts: [Int: Double] = [:]
        for group in groups {
            let weight = isKnown ? demand[group] ?? 0 : 1
            for (site, part) in zip(sites[group], rows[group]) {
                if let site { parts[site, default: 0] += weight * part }
            }
        }
        let row = order.map { parts[$0] ?? 0 }
        let sum = row.reduce(0, +)
        return sum > 0 ? row.map { $0 / sum } : nil
    }
}
