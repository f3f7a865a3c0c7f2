import Balancing
import Engine
import Model

/// The endpoints of a route as one connection sees them: without those that it has tried in vain.
struct Choice: EndpointView {
    /// One connect and two more, each to another endpoint.
    static let attempts = 3

    let route: Route
    let tried: Tried

    var count: Int { route.slots.count }

    func weight(_ position: Int) -> Int { route.plan.endpoints[position].weight }

    func usable(_ position: Int) -> Bool {
        let state = route.table.state(route.slots[position])
        return state.isUsable && state.holds(route.plan.role) && !tried.contains(position)
    }

    func inFlight(_ position: Int) -> Int { route.table.inFlight(route.slots[position]) }

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
