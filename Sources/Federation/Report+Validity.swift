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

extension Report {
    /// This report without what changes all the time (numbers, times, load): two reports with one substance call for the
    /// same verdicts, and the later one is only a sign of life.
    package var substance: Report {
        var substance = self
        substance.sequence = 0
        substance.issuedAt = Timestamp(nanoseconds: 0)
        substance.rate = 0
        for index in pools.indices {
            substance.pools[index].inFlight = 0
            substance.pools[index].ratePerSecond = 0
            substance.pools[index].errorRate = 0
            substance.pools[index].p50Milliseconds = 0
            substance.pools[index].p99Milliseconds = 0
        }
        return substance
    }
}
