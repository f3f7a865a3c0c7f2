import Engine
import Health
import Model

/// Runs the ejection of each endpoint from the rows of failures that the workers count. Confined to the health loop.
struct PassiveHealth {
    private struct Endpoint {
        var ejection: Ejection
        /// `EndpointTable.passedConnects` when it was ejected.
        var connects: UInt32 = 0
    }

    private var endpoints: [Int: Endpoint] = [:]

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
                var known = self.endpoints[slot] ?? Endpoint(ejection: Ejection(policy))
                if known.ejection.policy != policy {
                    if table.remove(.ejected, at: slot) { out -= 1 }
                    known = Endpoint(ejection: Ejection(policy))
                }
                let subject = "\(snapshot[endpoint].address)"
                var why: String?
                // The first check that passes may have begun before the ejection.
                let connects = (table.passedConnects(slot) &- known.connects) & 0xff_ffff
                if connects > 1, known.ejection.checkConnected(now: now) != nil { why = "checks connect again" }
                if known.ejection.tick(now: now) != nil { why = "its time is over" }
                if let why {
                    table.endRow(at: slot)
                    table.remove(.ejected, at: slot)
                    out -= 1
                    events.record(.endpoint, subject, "back in \(snapshot[pool].name): \(why)")
                }
                let (row, causes) = (table.failuresInARow(slot), table.kindsInARow(slot))
                let size = Ejection.PoolSize(endpoints: endpoints.count, ejected: out)
                if row > 0,
                    case .eject(let until) = known.ejection.failed(
                        consecutive: row, causes: causes, in: size, now: now)
                {
                    known.connects = table.passedConnects(slot)
                    table.insert(.ejected, at: slot)
                    out += 1
                    let seconds = (until - now).milliseconds / 1000
                    events.record(
                        .endpoint, subject,
                        "ejected from \(snapshot[pool].name) for \(seconds) s: \(row) failures in a row (\(causes.words))",
                        severity: .warning)
                }
                self.endpoints[slot] = known
            }
        }
        for slot in endpoints.keys where !seen.contains(slot) {
            table.remove(.ejected, at: slot)
            endpoints[slot] = nil
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
