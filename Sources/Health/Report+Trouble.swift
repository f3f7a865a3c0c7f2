import Model

/// What a node's own facts say against the service that it serves.
extension Report {
    /// Empty when the pools of `service` suffice; else the shortfall, then the endpoints that cause it.
    func troubles(of service: Service) -> [Verdict.Reason] {
        let facts = pools.filter { $0.service == service.name && $0.total > 0 }
        var shortfalls = facts.filter { $0.up * 100 < service.threshold * $0.total }.map { fact in
            "\(service.name): \(fact.up) of \(fact.total) endpoints of pool \(fact.pool) up, "
                + "\(service.threshold)% needed"
        }
        var missing = false
        switch service.requires {
        case .any: break
        case .primary: missing = !facts.isEmpty && facts.allSatisfy { $0.primaries == 0 }
        case .replica: missing = !facts.isEmpty && facts.allSatisfy { $0.replicas == 0 }
        }
        if missing { shortfalls.append("\(service.name): no \(service.requires.rawValue) among the endpoints") }
        if shortfalls.isEmpty { return [] }
        let causes = facts.flatMap(\.troubles)
        return (shortfalls + causes).map { Verdict.Reason(source: node, text: $0) }
    }

    /// What the node itself says of `service` in its region: it may know of a dependency that we have no word from.
    func statement(on service: Service) -> Verdict.Reason? {
        observations.first { $0.service == service.name && $0.region == region && !$0.up }
            .map { Verdict.Reason(source: node, text: "\(service.name): \($0.reason)") }
    }
}
