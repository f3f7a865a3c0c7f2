package import Model

extension Report {
    /// Whether every part is within `limits` and possible: a signed report of a broken node is still refused.
    package func isAcceptable(_ limits: ReportLimits) -> Bool {
        let short = { (text: String) in text.utf8.count <= limits.text }
        return short(node) && short(region) && incarnation > 0 && rate.isFinite && rate >= 0
            && pools.count <= limits.pools && observations.count <= limits.observations
            && pools.allSatisfy { fact in
                short(fact.pool) && short(fact.service ?? "") && fact.total >= 0 && (0...fact.total).contains(fact.up)
                    && (0...fact.up).contains(fact.primaries) && (0...fact.up).contains(fact.replicas)
                    && fact.total <= 1 << 20 && fact.inFlight >= 0
                    && [fact.ratePerSecond, fact.errorRate, fact.p50Milliseconds, fact.p99Milliseconds]
                        .allSatisfy { $0.isFinite && $0 >= 0 }
                    && fact.troubles.count <= limits.troubles && fact.troubles.allSatisfy(short)
            }
            && observations.allSatisfy { short($0.service) && short($0.region) && short($0.reason) }
    }
}
