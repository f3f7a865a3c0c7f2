package import Model

/// What a region carries of a service, smoothed, as its own nodes report it.
package struct RegionLoad: Sendable, Hashable {
    /// Requests or connections per second, of this service.
    package var rate: Double
    package var inFlight: Double
    /// Per second, of all services of the region: what its capacity is compared with.
    package var regionRate: Double
    /// What the region can carry per second; nil when unlimited.
    package var capacity: Double?
    /// How old the newest figures are.
    package var age: Duration

    package init(rate: Double, inFlight: Double, regionRate: Double, capacity: Double?, age: Duration) {
        self.rate = rate
        self.inFlight = inFlight
        self.regionRate = regionRate
        self.capacity = capacity
        self.age = age
    }

    /// 1 is full; nil without a capacity.
    package var utilization: Double? { capacity.map { $0 > 0 ? regionRate / $0 : 0 } }
}

/// Sums what nodes report, and smooths it: an exponentially weighted moving average over time, so that it does not matter
/// how often it is fed. A sum counts only while every node that serves there is heard, or known to be gone: with one of two
/// lost, half the load is not half the load, and once its silence is decided the other carries all. What was not fed for long
/// is unknown, never zero.
package struct LoadMeter: Sendable {
    package struct Key: Sendable, Hashable {
        package let service: String
        package let region: String

        package init(service: String, region: String) {
            self.service = service
            self.region = region
        }
    }

    private struct Average {
        var rate: Double
        var inFlight: Double
        var fedAt: Timestamp
    }

    /// Reports' rates are means over five seconds already; the average forgets half of the past in as long.
    package static let halfLife = Duration.seconds(5)
    /// Figures that are older than so many `staleAfter` are dropped.
    package static let patience = 3

    private var averages: [Key: Average] = [:]
    private let servers: [Key: [String]]

    /// Keeps the averages of `old` for what `map` still has.
    package init(_ map: ServiceMap, _ snapshot: Snapshot, keeping old: LoadMeter? = nil) {
        var servers: [Key: [String]] = [:]
        for site in map.sites where !site.servers.isEmpty {
            let key = Key(service: snapshot[site.service].name, region: snapshot[site.region].name)
            servers[key] = site.servers
        }
        self.servers = servers
        averages = (old?.averages ?? [:]).filter { servers[$0.key] != nil }
    }

    /// Takes the reports of a moment. `hearing` says whose silence is decided; nobody's when nil.
    package mutating func record(
        _ reports: [String: HeardReport], hearing: Hearing? = nil, staleAfter: Duration, now: Timestamp
    ) {
        for (key, names) in servers {
            let names = names.filter { hearing?.silent.contains($0) != true }
            // Of a region where nobody is left to tell, nothing is known.
            guard !names.isEmpty,
                let (rate, inFlight, heardAt) = Self.sum(names, of: key.service, reports, staleAfter, now)
            else { continue }
            guard let old = averages[key] else {
                averages[key] = Average(rate: rate, inFlight: inFlight, fedAt: heardAt)
                continue
            }
            guard heardAt > old.fedAt else { continue }
            let halves = Double((heardAt - old.fedAt).nanoseconds) / Double(Self.halfLife.nanoseconds)
            let keep = Self.half(toThe: halves)
            averages[key] = Average(
                rate: old.rate * keep + rate * (1 - keep), inFlight: old.inFlight * keep + inFlight * (1 - keep),
                fedAt: heardAt)
        }
        averages = averages.filter { now - $0.value.fedAt <= staleAfter * Self.patience }
    }

    /// Everything that is known at `now`. `capacities` are the regions', per second.
    package func loads(capacities: [String: Double], now: Timestamp) -> [Key: RegionLoad] {
        var totals: [String: Double] = [:]
        for (key, average) in averages { totals[key.region, default: 0] += average.rate }
        var loads: [Key: RegionLoad] = [:]
        for (key, average) in averages {
            loads[key] = RegionLoad(
                rate: average.rate, inFlight: average.inFlight, regionRate: totals[key.region] ?? 0,
                capacity: capacities[key.region], age: max(.zero, now - average.fedAt))
        }
        return loads
    }

    /// Nil when not all that serve are heard. Who took leave carries nothing.
    private static func sum(
        _ names: [String], of service: String, _ reports: [String: HeardReport], _ staleAfter: Duration,
        _ now: Timestamp
    ) -> (rate: Double, inFlight: Double, heardAt: Timestamp)? {
        var rate = 0.0
        var inFlight = 0.0
        var heardAt: Timestamp?
        for name in names {
            guard let heard = reports[name], !heard.isRestored else { return nil }
            if heard.report.state == .leaving { continue }
            guard now - heard.heardAt <= staleAfter else { return nil }
            for fact in heard.report.pools where fact.service == service {
                rate += fact.ratePerSecond
                inFlight += Double(fact.inFlight)
            }
            heardAt = heardAt.map { max($0, heard.heardAt) } ?? heard.heardAt
        }
        // A region whose nodes have all gone carries nothing from now on.
        return (rate, inFlight, heardAt ?? now)
    }

    /// 2^-x for x ≥ 0 without a mathematics library: whole halvings, and between two of them the straight line, which is
    /// never off by more than 6%.
    private static func half(toThe power: Double) -> Double {
        guard power < 64 else { return 0 }
        let whole = Int(power)
        let start = 1 / Double(UInt64(1) << UInt64(whole))
        return start * (1 - (power - Double(whole)) / 2)
    }
}

/// The part of a service's servers in a region that is up, 0 ... 1, as the nodes there report it.
package enum ServerShare {
    /// Nil when nobody who is heard counts servers.
    package static func up(
        _ site: ServiceMap.Site, service: String, _ reports: [String: HeardReport], staleAfter: Duration, now: Timestamp
    ) -> Double? {
        var up = 0
        var total = 0
        for name in site.servers {
            guard let heard = reports[name], !heard.isRestored, now - heard.heardAt <= staleAfter else { continue }
            for fact in heard.report.pools where fact.service == service {
                up += fact.up
                total += fact.total
            }
        }
        return total > 0 ? Double(up) / Double(total) : nil
    }
}
