import Engine
import Model

/// What this node knows of its pools, for its report and `/status`. Confined to the health loop.
struct OwnFacts {
    private var traffic = RateMeter()
    private var pools: [String: RateMeter] = [:]

    /// Operations per second of the whole node.
    var rate: Double { traffic.perSecond }

    mutating func pass(
        _ configuration: Configuration, _ table: EndpointTable, _ facts: DataPlaneFacts,
        reason: (Int) -> String?, now: Timestamp
    ) -> [PoolFact] {
        traffic.record(operations: facts.operations, at: now)
        let snapshot = configuration.snapshot
        return configuration.ownPools.map { pool in
            let name = snapshot[pool].name
            var fact = PoolFact(
                pool: name, service: snapshot[pool].service.map { snapshot[$0].name }, up: 0, total: 0)
            for endpoint in snapshot.endpoints(of: pool, in: configuration.me.region) {
                let slot = configuration.slots[endpoint.index]
                let state = table.state(slot)
                // Until its first check an endpoint speaks neither for nor against its service: a pool that a reload
                // adds must not take the region down for a moment.
                if snapshot[pool].check != nil, !state.contains(.checked) { continue }
                fact.total += 1
                if state.isUsable {
                    fact.up += 1
                    if state.contains(.primary) { fact.primaries += 1 }
                    if state.contains(.replica) { fact.replicas += 1 }
                } else if fact.troubles.count < 8 {
                    let why = EndpointWords.trouble(state, reason: reason(slot))
                    fact.troubles.append("\(snapshot[endpoint].address): \(why)".clipped(to: 400))
                }
                fact.inFlight += max(0, table.inFlight(slot))
            }
            if let flow = facts.pools.first(where: { $0.pool == name }) {
                pools[name, default: RateMeter()].record(
                    operations: flow.operations, failures: flow.failures, at: now)
                fact.p50Milliseconds = Self.finite(flow.p50Milliseconds)
                fact.p99Milliseconds = Self.finite(flow.p99Milliseconds)
            }
            fact.ratePerSecond = pools[name]?.perSecond ?? 0
            fact.errorRate = pools[name]?.errorRate ?? 0
            return fact
        }
    }

    private static func finite(_ value: Double) -> Double { value.isFinite ? max(0, value) : 0 }
}

/// How an endpoint's state reads.
enum EndpointWords {
    static func trouble(_ state: EndpointState, reason: String?) -> String {
        if !state.contains(.up) {
            return state.contains(.checked) ? reason ?? "down" : "not checked yet"
        }
        if state.contains(.fenced) { return reason ?? "another primary is written to" }
        if state.contains(.ejected) { return "ejected after failures" }
        return state.contains(.draining) ? "draining" : ""
    }
}

extension String {
    /// The first `octets` octets of its UTF-8, so that what peers receive stays within `ReportLimits`.
    func clipped(to octets: Int) -> String {
        utf8.count <= octets ? self : String(decoding: utf8.prefix(octets), as: UTF8.self)
    }
}
