import Model

/// `/config`: the topology in force as this node compiled it, without the value of any secret.
enum ConfigurationView {
    static func value(_ node: RunningNode) -> StatusValue {
        let configuration = node.state.configuration
        let snapshot = configuration.snapshot
        let plan = snapshot.federation
        return [
            "node": .string(node.name), "path": .string(node.topology),
            "fingerprint": .string(configuration.fingerprintText), "generation": .init(configuration.generation),
            "loadedAt": .init(configuration.loadedAt.milliseconds),
            "federation": [
                "keys": .array(plan.keys.map { ["id": .string($0.id), "secret": .string($0.secret.place)] }),
                "interval": text(plan.interval), "staleAfter": text(plan.staleAfter), "clockSkew": text(plan.clockSkew),
                "failStaticShare": .string("\(plan.failStaticShare)%"),
                "damping": ["rise": text(plan.damping.rise), "fall": text(plan.damping.fall)],
            ],
            "regions": .array(snapshot.regions.map { .string($0.name) }),
            "nodes": .array(snapshot.nodes.map { value($0, snapshot) }),
            "services": .array(
                snapshot.services.map { service in
                    [
                        "name": .string(service.name), "threshold": .string("\(service.threshold)%"),
                        "requires": .string(service.requires.rawValue),
                        "dependsOn": .array(service.dependsOn.map { .string(snapshot[$0].name) }),
                    ]
                }),
            "pools": .array(snapshot.pools.map { value($0, snapshot) }),
            "zones": .array(
                snapshot.dns.zones.map { zone in
                    [
                        "origin": .string(zone.origin), "file": .string(zone.file),
                        "names": .array(zone.names.map { value($0, snapshot) }),
                    ]
                }),
            "routes": .array(
                snapshot.http.routes.map { route in
                    [
                        "name": .string(route.name), "host": .string(text(route.host)),
                        "path": .string(text(route.path)), "pool": .string(snapshot[route.pool].name),
                    ]
                }),
            "listeners": .array(
                snapshot.http.listeners.map { ["name": .string($0.name), "port": .init($0.port), "kind": "http"] }
                    + snapshot.tcp.listeners.map { listener in
                        [
                            "name": .string(listener.name), "port": .init(listener.port), "kind": "tcp",
                            "pool": .string(snapshot[listener.pool].name), "role": .string(listener.role.rawValue),
                        ]
                    }),
        ]
    }

    private static func value(_ node: Node, _ snapshot: Snapshot) -> StatusValue {
        [
            "name": .string(node.name), "tier": .string(node.tier.rawValue),
            "region": .string(snapshot[node.region].name), "address": .string("\(node.address)"),
            "admin": node.admin.map { .string("\($0)") } ?? .null,
            "federation": node.federation.map { .string("\($0)") } ?? .null,
            "drainTimeout": text(node.drainTimeout), "leaveDelay": text(node.leaveDelay),
        ]
    }

    private static func value(_ pool: Pool, _ snapshot: Snapshot) -> StatusValue {
        [
            "name": .string(pool.name), "kind": .string(pool.kind.rawValue),
            "service": pool.service.map { .string(snapshot[$0].name) } ?? .null,
            "balance": .string(pool.balance.rawValue),
            "endpoints": .array(
                pool.endpoints.map { id in
                    [
                        "address": .string("\(snapshot[id].address)"), "weight": .init(snapshot[id].weight),
                        "region": .string(snapshot[snapshot[id].region].name),
                    ]
                }),
        ]
    }

    private static func value(_ name: DynamicName, _ snapshot: Snapshot) -> StatusValue {
        [
            "name": .string(name.name), "ttl": .init(name.ttl), "ramp": text(name.ramp),
            "service": name.service.map { .string(snapshot[$0].name) } ?? .null,
            "regions": .array(name.candidates.compactMap { $0.region.map { .string(snapshot[$0].name) } }),
        ]
    }

    private static func text(_ duration: Duration) -> StatusValue { .string("\(duration.milliseconds)ms") }

    private static func text(_ host: HTTPRoute.Host) -> String {
        switch host {
        case .any: "*"
        case .exact(let name): name
        case .suffix(let suffix): "*\(suffix)"
        }
    }

    private static func text(_ path: HTTPRoute.Path) -> String {
        switch path {
        case .exact(let path): path
        case .prefix(let path): path.hasSuffix("/") ? "\(path)*" : "\(path)/*"
        }
    }
}
