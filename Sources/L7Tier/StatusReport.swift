import ControlPlane
import Engine
import Model

/// What `/status` and `/explain` say of the tier.
enum StatusReport {
    static func status(
        _ active: ActivePlan, endpoints: EndpointTable, traffic: TrafficBook, isAccepting: Bool
    ) -> StatusValue {
        let plan = active.plan
        return [
            "accepting": .bool(isAccepting),
            "listeners": .array(
                zip(plan.listeners, plan.addresses).map { ["name": .string($0.name), "address": StatusValue($1)] }),
            "routes": .array(
                plan.routes.indices.map { index in
                    let route = plan.routes[index]
                    return [
                        "name": .string(route.name), "host": .string(text(route.host)),
                        "path": .string(text(route.path)), "pool": .string(plan.pools[plan.poolOfRoute[index]].name),
                    ]
                }),
            "traffic": .array(
                plan.pools.map { pool in
                    [
                        "pool": .string(pool.name),
                        "requests": StatusValue(traffic.total(pool.name, PoolCounter.requests)),
                        "failures": StatusValue(traffic.total(pool.name, PoolCounter.failures)),
                        "retries": StatusValue(traffic.total(pool.name, PoolCounter.retries)),
                        "endpoints": .array(pool.endpoints.map { endpoint($0, active, endpoints) }),
                    ]
                }),
        ]
    }

    private static func endpoint(
        _ endpoint: Plan.Endpoint, _ active: ActivePlan, _ table: EndpointTable
    ) -> StatusValue {
        let slot = active.slots[endpoint.id.index]
        let state = table.state(slot)
        return [
            "address": StatusValue(endpoint.address), "weight": StatusValue(endpoint.weight),
            "up": .bool(state.contains(.up)), "ejected": .bool(state.contains(.ejected)),
            "draining": .bool(state.contains(.draining)), "inFlight": StatusValue(table.inFlight(slot)),
            "successes": StatusValue(table.successes(slot)), "failures": StatusValue(table.failures(slot)),
            "latencyMilliseconds": .double(Double(table.latency(slot)) / 1e6),
        ]
    }

    /// Which route and endpoints a request for `host` and `path` gets, by the tables that serve it.
    static func explain(
        _ question: [String: String], _ active: ActivePlan, endpoints: EndpointTable
    ) -> StatusValue {
        let plan = active.plan
        let host = Array((question["name"] ?? question["host"] ?? "").utf8)
        let path = Array((question["path"] ?? "/").utf8)
        let found = unsafe host.withUnsafeBytes { host in
            unsafe path.withUnsafeBytes { path in unsafe plan.table.route(host: host.bytes, path: path.bytes) }
        }
        guard let index = found else { return ["matched": false, "status": 404, "reason": "no-route"] }
        let pool = plan.pools[plan.poolOfRoute[index]]
        return [
            "matched": true, "route": .string(plan.routes[index].name), "host": .string(text(plan.routes[index].host)),
            "path": .string(text(plan.routes[index].path)), "pool": .string(pool.name),
            "endpoints": .array(pool.endpoints.map { endpoint($0, active, endpoints) }),
        ]
    }

    private static func text(_ host: HTTPRoute.Host) -> String {
        switch host {
        case .any: "*"
        case .exact(let name): name
        case .suffix(let name): "*" + name
        }
    }

    private static func text(_ path: HTTPRoute.Path) -> String {
        switch path {
        case .exact(let path): "= \(path)"
        case .prefix(let path): path
        }
    }
}
