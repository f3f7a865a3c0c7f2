package import Model

extension Report {
    /// Whether every part is within `limits` and possible: a signed report of a broken node is still refused.
    package func isAcceptable(_ limits: ReportLimits) -> Bool {
        let short = { (text: String) in text.utf8.count <= limits.text }
        // What follows from figures beyond these would be infinite, or no number, after a few sums and products.
        let possible = { (figure: Double) in figure >= 0 && figure <= 1e12 }
        return short(node) && short(region) && incarnation > 0 && possible(rate)
            && pools.count <= limits.pools && observations.count <= limits.observations
            && pools.allSatisfy { fact in
                short(fact.pool) && short(fact.service ?? "") && fact.total >= 0 && (0...fact.total).contains(fact.up)
                    && (0...fact.up).contains(fact.primaries) && (0...fact.up).contains(fact.replicas)
                    && fact.total <= 1 << 20 && (0...1 << 40).contains(fact.inFlight)
                    && [fact.ratePerSecond, fact.errorRate, fact.p50Milliseconds, fact.p99Milliseconds]
                        .allSatisfy(possible)
                    && fact.troubles.count <= limits.troubles && fact.troubles.allSatisfy(short)
            }
            && observations.allSatisfy { seen in
                short(seen.service) && short(seen.region) && short(seen.reason)
                    && seen.down.allSatisfy { short($0.reason) }
            }
            && observations.reduce(0) { $0 + $1.down.count } <= limits.addresses
            && roundTrips?.isAcceptable ?? true && overrides.count <= limits.overrides
            && overrides.allSatisfy(\.isAcceptable) && timelines.count <= limits.timelines
            && timelines.allSatisfy { known in
                short(known.key.pool) && short(known.key.region) && known.timeline > 0 && known.accepted >= 0
            }
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
        // Nothing hangs on hearing of them at once: they come with the next sign of life.
        substance.roundTrips = nil
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

extension Override {
    /// Whether every part is possible and short.
    package var isAcceptable: Bool {
        // Control characters would grow sixfold in JSON, and have no place in a line of text.
        let fits = { (text: String, limit: Int) in text.utf8.count <= limit && text.utf8.allSatisfy { $0 >= 0x20 } }
        return !id.isEmpty && fits(id, Self.longestName) && fits(author, Self.longestName)
            && fits(reason, Self.longestReason) && !target.pattern.isEmpty && !target.region.isEmpty
            && fits(target.pattern, Self.longestPattern) && fits(target.region, Self.longestPattern)
            && against.count <= 8 && against.allSatisfy { fits($0, Self.longestName) } && stamp.nanoseconds >= 0
            && expires >= stamp && expires - stamp <= Self.longest
    }
}

extension RoundTripWindow {
    /// Whether a sane node would say so: bounded, narrow prefixes once each, buckets in order.
    package var isAcceptable: Bool {
        number > 0 && prefixes.count <= Self.maximumPrefixes && Set(prefixes.map(\.prefix)).count == prefixes.count
            && prefixes.allSatisfy { entry in
                entry.prefix.length == (entry.prefix.address.family == .v4 ? 24 : 48)
                    && (1...RoundTripBuckets.count).contains(entry.counts.count)
                    && entry.counts.allSatisfy {
                        (0..<RoundTripBuckets.count).contains($0.bucket) && (1...65_535).contains($0.samples)
                    }
                    && zip(entry.counts, entry.counts.dropFirst()).allSatisfy { $0.bucket < $1.bucket }
            }
    }
}
