import Engine
import Health
import Model

/// Runs the ejection of each endpoint from the rows of failures that the workers count. Confined to the health loop.
struct PassiveHealth {
    private var ejections: [Int: Ejection] = [:]

    /// Looks at every endpoint of the node's pools that has an ejection policy, and writes what follows into the table.
    mutating func pass(_ configuration: Configuration, _ table: EndpointTable, _ events: EventLog, now: Timestamp) {
        let snapshot = configuration.snapshot
        var seen: Set<Int> = []
        for pool in configuration.ownPools {
            guard let policy = snapshot[pool].ejection else { continue }
            let endpoints = snapshot.endpoints(of: pool, in: configuration.me.region)
            var out = endpoints.count { table.state(configuration.slots[$0.index]).contains(.ejected) }
            for endpoint in endpoints {
                let slot = configuration.slots[endpoint.index]
                seen.insert(slot)
                var ejection = ejections[slot] ?? Ejection(policy)
                if ejection.policy != policy { ejection = Ejection(policy) }
                let subject = "\(snapshot[endpoint].address)"
                // A passing check takes the mark away by itself.
                if !table.state(slot).contains(.ejected), ejection.checkPassed(now: now) != nil {
                    table.extendStreak(success: true, at: slot)
                    events.record(.endpoint, subject, "back in \(snapshot[pool].name): a check passed")
                }
                if ejection.tick(now: now) != nil {
                    table.extendStreak(success: true, at: slot)
                    table.remove(.ejected, at: slot)
                    out -= 1
                    events.record(.endpoint, subject, "back in \(snapshot[pool].name): its time is over")
                }
                let row = table.failuresInARow(slot)
                let size = Ejection.PoolSize(endpoints: endpoints.count, ejected: out)
                if row > 0, case .eject(let until) = ejection.failed(consecutive: row, in: size, now: now) {
                    table.insert(.ejected, at: slot)
                    out += 1
                    let seconds = (until - now).milliseconds / 1000
                    events.record(
                        .endpoint, subject,
                        "ejected from \(snapshot[pool].name) for \(seconds) s: \(row) failures in a row",
                        severity: .warning)
                }
                ejections[slot] = ejection
            }
        }
        for slot in ejections.keys where !seen.contains(slot) {
            table.remove(.ejected, at: slot)
            ejections[slot] = nil
        }
    }
}

extension Configuration {
    /// Pools that this node serves: of its tier's kind, with endpoints in its region.
    var ownPools: [PoolID] {
        let kind: Pool.Kind
        switch me.tier {
        case .dns: return []
        case .l7: kind = .http
        case .l4: kind = .tcp
        }
        return snapshot.pools.indices.map(PoolID.init).filter {
            snapshot[$0].kind == kind && !snapshot.endpoints(of: $0, in: me.region).isEmpty
        }
    }
}
