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
    /// By group, operations per second.
    private var demand: [Double]?
    /// By site, how much less than its limit it is filled to, after it was seen above it.
    private var reserve: [Double]
    private var available: [Bool]

    package init(orders: [[Int]], sites: Int) {
        self.orders = orders
        shares = orders.map { order in order.indices.map { $0 == 0 ? 1 : 0 } }
        held = shares
        reserve = Array(repeating: 0, count: sites)
        available = Array(repeating: true, count: sites)
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
        let wanted = Waterfall.fill(demand: demand ?? orders.map { _ in 0 }, orders: orders, limits: limits)
        let isAvailable = sites.map(\.isAvailable)
        // Who is lost is left at once, and so is what would be too much; what was spilled goes home slowly.
        let isJump = isAvailable != available || isTooMuch(limits)
        let part = isJump ? 1 : min(Self.returning * pace, 1)
        for group in orders.indices {
            for place in orders[group].indices {
                shares[group][place] += (wanted[group][place] - shares[group][place]) * part
            }
        }
        available = isAvailable
    }

    /// Whether the answers given now would fill somebody beyond its limit.
    private func isTooMuch(_ limits: [Double]) -> Bool {
        let expected = expected(shares)
        return limits.indices.contains { expected[$0] > limits[$0] * 1.02 + 1e-6 }
    }

    private func expected(_ shares: [[Double]]) -> [Double] {
        var loads = Array(repeating: 0.0, count: reserve.count)
        for (group, order) in orders.enumerated() {
            for (place, site) in order.enumerated() { loads[site] += (demand?[group] ?? 0) * shares[group][place] }
        }
        return loads
    }

    private mutating func learn(_ sites: [Site], pace: Double) {
        guard var demand else {
            start(sites)
            return
        }
        let expected = expected(held)
        for (group, order) in orders.enumerated() {
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
            demand[group] *= max(1 + error * min(rate * pace, 1), 0)
        }
        // A site that serves where nothing was expected: those who want it first are there after all.
        for site in sites.indices {
            guard let load = sites[site].load, load > 0, expected[site] <= 0 else { continue }
            let first = orders.indices.filter { orders[$0].first == site }
            for group in first { demand[group] = max(demand[group], load / Double(first.count)) }
        }
        self.demand = demand
        for site in sites.indices {
            guard let load = sites[site].load, let limit = sites[site].limit, limit > 0 else { continue }
            let excess = load / limit - 1
            reserve[site] = min(max(reserve[site] + (excess > 0 ? 0.1 * excess : -0.001) * pace, 0), 0.3)
        }
    }

    /// Demand is what the first choices carry, until something better is known.
    private mutating func start(_ sites: [Site]) {
        guard sites.contains(where: { $0.load != nil }) else { return }
        var fans = Array(repeating: 0, count: sites.count)
        for order in orders { if let first = order.first { fans[first] += 1 } }
        demand = orders.map { order in
            guard let first = order.first, let load = sites[first].load else { return 0 }
            return load / Double(fans[first])
        }
    }
}
