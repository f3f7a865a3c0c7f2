import Engine
import Federation
import Health
import Model

/// The tree of `/status`. Times are milliseconds since the Unix epoch.
enum NodeStatus {
    /// The whole tree, with those events whose numbers are larger than `eventsAfter`.
    static func value(_ node: RunningNode, eventsAfter: UInt64 = 0) -> StatusValue {
        let configuration = node.state.configuration
        let phase = node.state.phase
        let (now, day) = (Timestamp.now, node.hub.timeOfDay.now)
        let own: StatusValue = [
            "node": .string(node.name), "tier": .string(node.plane.tier.rawValue),
            "region": .string(configuration.regionName),
            "ready": .bool(phase.ready), "drainReason": .string(phase.overridden ?? phase.reason),
            "now": .init(now.milliseconds),
            "startedAt": .init(node.state.startedAt.milliseconds),
            "uptimeSeconds": .init(max(0, (node.clock.now - node.state.startedAt).milliseconds / 1000)),
            "configuration": [
                "fingerprint": .string(configuration.fingerprintText), "generation": .init(configuration.generation),
                "path": .string(node.topology), "loadedAt": .init(configuration.loadedAt.milliseconds),
            ],
            "state": .string(phase.state.rawValue), "saved": saved(node),
            "frozen": .bool(node.loop.evaluation?.frozen ?? false),
            "failOpen": .array((node.loop.evaluation?.failOpen ?? []).sorted().map { .string($0) }),
            "overrides": .array(node.overrides.set.live(at: day).map { OverrideValue.value($0, day) }),
            "safety": Safety(node).value, "peers": peers(node, configuration), "services": services(node),
            "pools": pools(node, configuration),
            "candidates": candidates(node), "lookedAt": lookedAt(node), "loads": loads(node), "traffic": traffic(node),
            "federation": federation(node),
            "events": .array(node.board.events.events(after: eventsAfter).map(event)),
        ]
        return node.plane.status().merging(own)
    }

    private static func saved(_ node: RunningNode) -> StatusValue {
        let counters = node.keeper.counters
        return [
            "path": node.keeper.path.map { .string($0) } ?? .null, "writes": .init(counters.writes),
            "failures": .init(counters.failures), "octets": .init(counters.size),
            "writtenAt": counters.writtenAt.map { .init($0.milliseconds) } ?? .null,
            "trouble": .string(counters.trouble),
        ]
    }

    // MARK: - Verdicts

    private static func services(_ node: RunningNode) -> StatusValue {
        let verdicts = node.board.verdicts
        var names: [String] = []
        for each in verdicts where names.last != each.service { names.append(each.service) }
        return .array(
            names.map { name in
                let regions = verdicts.filter { $0.service == name }.map { verdict($0.region, $0.verdict) }
                return [
                    "service": .string(name), "failOpen": .bool(node.board.failOpen(service: name)),
                    "regions": .array(regions),
                ]
            })
    }

    /// One verdict, for `/explain?kind=verdict&service=…&region=…`.
    static func verdict(_ node: RunningNode, _ question: [String: String]) -> StatusValue? {
        guard let service = question["service"], let region = question["region"],
            let found = node.board.verdict(service: service, region: region)
        else { return nil }
        return verdict(region, found).merging(["service": .string(service)])
    }

    private static func verdict(_ region: String, _ verdict: Verdict) -> StatusValue {
        [
            "region": .string(region), "healthy": .bool(verdict.healthy), "share": .double(verdict.share),
            "since": .init(verdict.since.milliseconds), "frozen": .bool(verdict.frozen),
            "stale": .bool(verdict.stale), "forced": verdict.forced.map { .string($0.rawValue) } ?? .null,
            "heldUntil": verdict.heldUntil.map { .init($0.milliseconds) } ?? .null,
            "reasons": .array(verdict.reasons.map(reason)),
        ]
    }

    /// Addresses that names answer with: all that were looked at of names without a service, and of services those that
    /// failed a check.
    private static func lookedAt(_ node: RunningNode) -> StatusValue {
        .array(
            node.board.view.lookedAt.map { verdict in
                let isService = if case .service = verdict.owner { true } else { false }
                return [
                    "name": isService ? .null : .string(verdict.subject),
                    "service": isService ? .string(verdict.subject) : .null,
                    "region": .string(verdict.region), "address": .string("\(verdict.address)"),
                    "up": .bool(verdict.isAlive), "healthy": .bool(verdict.healthy),
                    "share": .double(verdict.share), "since": .init(verdict.since.milliseconds),
                    "stale": .bool(verdict.stale), "frozen": .bool(verdict.frozen),
                    "forced": verdict.forced.map { .string($0.rawValue) } ?? .null,
                    "heldUntil": verdict.heldUntil.map { .init($0.milliseconds) } ?? .null,
                    "reasons": .array(verdict.reasons.map(reason)),
                ]
            })
    }

    private static func loads(_ node: RunningNode) -> StatusValue {
        .array(
            node.board.view.allLoads.map { key, load in
                [
                    "service": .string(key.service), "region": .string(key.region),
                    "ratePerSecond": .double(load.rate), "inFlight": .double(load.inFlight),
                    "regionRatePerSecond": .double(load.regionRate),
                    "capacity": load.capacity.map { .double($0) } ?? .null,
                    "utilization": load.utilization.map { .double($0) } ?? .null,
                    "ageMilliseconds": .init(load.age.milliseconds),
                ]
            })
    }

    private static func reason(_ reason: Verdict.Reason) -> StatusValue {
        ["source": .string(reason.source), "text": .string(reason.text), "depth": .init(reason.depth)]
    }

    // MARK: - Peers

    private static func peers(_ node: RunningNode, _ configuration: Configuration) -> StatusValue {
        let snapshot = configuration.snapshot
        let entries = node.hub.entries
        let links = node.polling.links
        let now = node.clock.now
        return .array(
            snapshot.nodes.filter { $0.name != node.name && ($0.federation != nil || entries[$0.name] != nil) }.map {
                peer in
                let entry = entries[peer.name]
                let voice = Voice(entry, staleAfter: snapshot.federation.staleAfter, now: now)
                var value: StatusValue = [
                    "node": .string(peer.name), "tier": .string(peer.tier.rawValue),
                    "region": .string(snapshot[peer.region].name), "voice": .string(voice.rawValue),
                    "state": entry.map { .string($0.report.state.rawValue) } ?? .null,
                    "ageMilliseconds": entry.map { .init(max(0, (now - $0.heardAt).milliseconds)) } ?? .null,
                ]
                if let link = links[peer.name] {
                    value["polls"] = .init(link.polls)
                    value["failures"] = .init(link.failures)
                    value["trouble"] = .string(link.trouble)
                }
                guard let report = entry?.report else { return value }
                value["configuration"] = .string(String(report.configuration, radix: 16))
                value["ratePerSecond"] = .double(report.rate)
                value["pools"] = .array(report.pools.map(fact))
                return value
            })
    }

    private static func fact(_ fact: PoolFact) -> StatusValue {
        [
            "pool": .string(fact.pool), "service": fact.service.map { .string($0) } ?? .null, "up": .init(fact.up),
            "total": .init(fact.total), "primaries": .init(fact.primaries), "replicas": .init(fact.replicas),
            "inFlight": .init(fact.inFlight), "ratePerSecond": .double(fact.ratePerSecond),
            "errorRate": .double(fact.errorRate), "p50Milliseconds": .double(fact.p50Milliseconds),
            "p99Milliseconds": .double(fact.p99Milliseconds),
            "troubles": .array(fact.troubles.map { .string($0) }),
        ]
    }

    // MARK: - The node's own pools

    private static func pools(_ node: RunningNode, _ configuration: Configuration) -> StatusValue {
        let snapshot = configuration.snapshot
        let facts = node.loop.pools
        return .array(
            configuration.ownPools.map { id in
                let pool = snapshot[id]
                let endpoints = snapshot.endpoints(of: id, in: configuration.me.region)
                let own: StatusValue = [
                    "pool": .string(pool.name), "kind": .string(pool.kind.rawValue),
                    "balance": .string(pool.balance.rawValue),
                    "endpoints": .array(
                        endpoints.map { endpoint(snapshot[$0], configuration.slots[$0.index], node) }),
                ]
                return (facts.first { $0.pool == pool.name }.map(fact) ?? [:]).merging(own)
            })
    }

    private static func endpoint(_ endpoint: Endpoint, _ slot: Int, _ node: RunningNode) -> StatusValue {
        let table = node.board.endpoints
        let state = table.state(slot)
        let outcome = node.probing.report(slot)?.outcome
        let role: StatusValue = state.contains(.primary) ? "primary" : state.contains(.replica) ? "replica" : .null
        var value: StatusValue = [
            "address": .string("\(endpoint.address)"), "weight": .init(endpoint.weight),
            "up": .bool(state.contains(.up)), "usable": .bool(state.isUsable),
            "ejected": .bool(state.contains(.ejected)), "draining": .bool(state.contains(.draining)),
            "checked": .bool(state.contains(.checked)), "role": role,
        ]
        value["inFlight"] = .init(max(0, table.inFlight(slot)))
        value["successes"] = .init(table.successes(slot))
        value["failures"] = .init(table.failures(slot))
        value["failuresInARow"] = .init(table.failuresInARow(slot))
        value["latencyMilliseconds"] = .double(Double(table.latency(slot)) / 1e6)
        value["reason"] = .string(
            state.isUsable ? outcome?.reason ?? "" : EndpointWords.trouble(state, reason: outcome?.reason))
        if let lag = outcome?.lag { value["lagMilliseconds"] = .init(lag.milliseconds) }
        if let timeline = node.probing.database(slot)?.timeline {
            value["timeline"] = .init(timeline)
            value["late"] = .bool(state.contains(.late))
            value["fenced"] = .bool(state.contains(.fenced))
        }
        return value
    }

    private static func candidates(_ node: RunningNode) -> StatusValue {
        .array(
            node.candidates.candidates.map { candidate, report in
                [
                    "name": .string(candidate.name), "service": candidate.service.map { .string($0) } ?? .null,
                    "region": .string(candidate.region), "address": .string("\(candidate.address)"),
                    "up": report.map { .bool($0.up) } ?? .null, "reason": .string(report?.outcome.reason ?? ""),
                ]
            })
    }

    // MARK: - Counters and events

    private static func traffic(_ node: RunningNode) -> StatusValue {
        let facts = node.plane.facts()
        return ["operations": .init(facts.operations), "ratePerSecond": .double(node.hub.published?.rate ?? 0)]
    }

    private static func federation(_ node: RunningNode) -> StatusValue {
        let counters = node.hub.counters
        return [
            "published": .init(counters.published), "accepted": .init(counters.accepted),
            "duplicates": .init(counters.duplicates), "superseded": .init(counters.superseded),
            "pollsAnswered": .init(counters.pollsAnswered), "pollsRefused": .init(counters.pollsRefused),
            "refused": .object(
                Dictionary(uniqueKeysWithValues: counters.refused.map { ($0.key.rawValue, StatusValue($0.value)) })),
        ]
    }

    private static func event(_ event: Event) -> StatusValue {
        [
            "number": .init(event.number), "time": .init(event.time.milliseconds),
            "kind": .string(event.kind.rawValue), "severity": .string(event.severity.rawValue),
            "subject": .string(event.subject), "text": .string(event.text),
        ]
    }
}
