import Balancing
import Engine
import Model

/// The endpoints of a route as one connection sees them: without those that it has tried in vain.
struct Choice: EndpointView {
    /// One connect and two more, each to another endpoint.
    static let attempts = 3

    /// Whom to take, the best first. Lag is not death: a replica that is late is better than none.
    enum Rank {
        /// Holds the role and is not late.
        case fit
        /// The primary in a replica's place, where the listener wants that.
        case primary
        /// Holds the role, however late.
        case late
    }

    let route: Route
    let tried: Tried
    var rank = Rank.fit
    /// The least lag among those that are late, in milliseconds; others are not looked at in that rank.
    private var leastLag = UInt64.max

    init(route: Route, tried: Tried) {
        self.route = route
        self.tried = tried
    }

    var count: Int { route.slots.count }

    func weight(_ position: Int) -> Int { route.plan.endpoints[position].weight }

    func usable(_ position: Int) -> Bool {
        let state = route.table.state(route.slots[position])
        guard state.isUsable, !tried.contains(position) else { return false }
        switch rank {
        case .fit: return state.holds(route.plan.role) && !state.contains(.late)
        case .primary: return state.contains(.primary)
        case .late: return state.holds(route.plan.role) && route.table.lag(route.slots[position]) <= leastLag
        }
    }

    func inFlight(_ position: Int) -> Int { route.table.inFlight(route.slots[position]) }

    /// The endpoint for the next connection; nil when there is none.
    mutating func pick(
        source: UInt64, cursor: inout PickCursor, using random: inout some RandomNumberGenerator
    ) -> Int? {
        let policy = route.plan.policy
        if let fit = policy.pick(among: self, source: source, cursor: &cursor, using: &random) { return fit }
        if route.plan.fallsBackToPrimary {
            rank = .primary
            let primary = policy.pick(among: self, source: source, cursor: &cursor, using: &random)
            if let primary { return primary }
        }
        rank = .late
        findLeastLag()
        return policy.pick(among: self, source: source, cursor: &cursor, using: &random)
    }

    private mutating func findLeastLag() {
        var least = UInt64.max
        leastLag = .max
        for position in 0..<count where weight(position) > 0 && usable(position) {
            least = min(least, route.table.lag(route.slots[position]))
        }
        leastLag = least
    }

    /// Up to three positions, without an array.
    struct Tried {
        private(set) var count = 0
        private var first = -1
        private var second = -1
        private var third = -1

        func contains(_ position: Int) -> Bool { position == first || position == second || position == third }

        mutating func add(_ position: Int) {
            switch count {
            case 0: first = position
            case 1: second = position
            default: third = position
            }
            count += 1
        }
    }
}
