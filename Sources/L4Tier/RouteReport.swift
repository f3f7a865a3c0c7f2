import Balancing
import ControlPlane
import Engine
import Model

/// What there is to tell about a route: status, facts for the node's report, and why an endpoint would be chosen.
enum RouteReport {
    static func status(_ route: Route) -> StatusValue {
        [
            "name": .string(route.plan.name), "address": StatusValue(route.plan.address),
            "pool": .string(route.plan.pool.name), "role": .string(route.plan.role.rawValue),
            "balance": .string(route.plan.pool.balance.rawValue),
            "endpoints": .array(route.slots.indices.map { endpoint(route, $0) }),
        ]
    }

    private static func endpoint(_ route: Route, _ position: Int) -> StatusValue {
        let slot = route.slots[position]
        let state = route.table.state(slot)
        var value: StatusValue = [
            "address": StatusValue(route.plan.endpoints[position].address),
            "usable": .bool(state.isUsable && state.holds(route.plan.role) && !state.contains(.late)),
            "up": .bool(state.contains(.up)),
            "inFlight": StatusValue(route.table.inFlight(slot)),
            "connectMilliseconds": .double(Double(route.table.latency(slot)) / 1e6),
        ]
        if state.contains(.primary) { value["role"] = "primary" }
        if state.contains(.replica) { value["role"] = "replica" }
        if state.contains(.draining) { value["draining"] = true }
        if state.contains(.ejected) { value["ejected"] = true }
        if state.contains(.late) { value["late"] = true }
        if state.contains(.fenced) { value["fenced"] = true }
        return value
    }

    /// The traffic of each pool, once, however many listeners lead to it.
    static func pools(_ routes: [Route]) -> [DataPlaneFacts.PoolTraffic] {
        var seen: Set<String> = []
        return routes.filter { seen.insert($0.plan.pool.name).inserted }.map { route in
            let slots = Set(route.slots)
            let failures = slots.reduce(0) { $0 + route.table.failures($1) }
            return DataPlaneFacts.PoolTraffic(
                pool: route.plan.pool.name,
                operations: slots.reduce(failures) { $0 + route.table.successes($1) }, failures: failures,
                inFlight: slots.reduce(0) { $0 + route.table.inFlight($1) })
        }
    }

    /// Every endpoint with what speaks for and against it, and the one that the next connection would get.
    static func explain(_ route: Route, client: IPAddress?) -> StatusValue {
        var choice = Choice(route: route, tried: Choice.Tried())
        var cursor = PickCursor()
        var generator = WorkerRandom(seed: 1)
        let pick = choice.pick(
            source: client.map(SourceHash.source) ?? 0, cursor: &cursor, using: &generator)
        let endpoints: [StatusValue] = route.slots.indices.map { position in
            let state = route.table.state(route.slots[position])
            var objections: [StatusValue] = []
            if !state.contains(.up) { objections.append(state.contains(.checked) ? "down" : "not checked yet") }
            if state.contains(.draining) { objections.append("draining") }
            if state.contains(.ejected) { objections.append("ejected after failures") }
            if state.contains(.fenced) {
                objections.append("a primary that is not written to, for another one is or was; status says more")
            } else if !state.holds(route.plan.role) {
                objections.append("not \(route.plan.role.rawValue)")
            }
            if state.contains(.late) {
                let lag = route.table.lag(route.slots[position])
                objections.append(
                    lag == .max ? "nobody knows how far it is behind" : .string("\(lag) ms behind, more than allowed"))
            }
            if choice.weight(position) == 0 { objections.append("weight 0") }
            return [
                "address": StatusValue(route.plan.endpoints[position].address),
                "weight": StatusValue(choice.weight(position)), "inFlight": StatusValue(choice.inFlight(position)),
                "usable": .bool(objections.isEmpty), "objections": .array(objections),
            ]
        }
        var value: StatusValue = [
            "listener": .string(route.plan.name), "pool": .string(route.plan.pool.name),
            "role": .string(route.plan.role.rawValue), "balance": .string(route.plan.pool.balance.rawValue),
            "endpoints": .array(endpoints),
        ]
        switch choice.rank {
        case .fit: break
        case .primary: value["because"] = "no replica is up and level enough: fallback: primary"
        case .late: value["because"] = "every server in the role is late: the one that is least behind"
        }
        value["chosen"] = pick.map { StatusValue(route.plan.endpoints[$0].address) } ?? .null
        // Only source hash is sure of the very next connection; the others also depend on those before it.
        value["certain"] = .bool(route.plan.pool.balance == .sourceHash && client != nil)
        return value
    }
}
