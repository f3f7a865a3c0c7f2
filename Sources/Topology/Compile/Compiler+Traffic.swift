import Model

extension Compiler {
    func http(_ record: Record) -> HTTPPlan {
        HTTPPlan(
            listeners: record.records("listeners").map { entry in
                let limits = entry.record.section("limits")
                let timeouts = entry.record.section("timeouts")
                return HTTPListener(
                    name: entry.name,
                    port: entry.record.port("port"),
                    limits: HTTPLimits(
                        headSize: limits.integer("headSize"),
                        headerCount: limits.integer("headerCount"),
                        bodySize: limits.optionalInteger("bodySize"),
                        connections: limits.optionalInteger("connections")),
                    timeouts: HTTPListenerTimeouts(
                        head: timeouts.duration("head"),
                        body: timeouts.duration("body"),
                        keepalive: timeouts.duration("keepalive")),
                    keepalive: Self.keepalive(entry.record.section("keepalive")),
                    trustedProxies: prefixes(entry.record, "trustedProxies"),
                    rawTargets: .init(rawValue: entry.record.text("rawTargets")) ?? .encode)
            },
            routes: record.items("routes").compactMap(\.record).map { route in
                HTTPRoute(
                    name: route.text("name"), host: Self.host(route.text("host")), path: Self.path(route),
                    pool: pool(of: route),
                    upgrades: route.has("upgrades") ? route.items("upgrades").compactMap(\.text) : ["websocket"])
            })
    }

    static func host(_ pattern: String) -> HTTPRoute.Host {
        if pattern == "*" { return .any }
        return pattern.hasPrefix("*") ? .suffix(String(pattern.dropFirst())) : .exact(pattern)
    }

    static func path(_ route: Record) -> HTTPRoute.Path {
        let path = route.record("path")
        if let exact = path?.optionalText("exact") { return .exact(exact) }
        return .prefix(path?.optionalText("prefix") ?? "/")
    }

    func tcp(_ record: Record) -> TCPPlan {
        TCPPlan(
            listeners: record.records("listeners").map { entry in
                TCPListener(
                    name: entry.name,
                    port: entry.record.port("port"),
                    pool: pool(of: entry.record),
                    role: Role(rawValue: entry.record.text("role")) ?? .any,
                    connections: entry.record.optionalInteger("connections"),
                    keepalive: Self.keepalive(entry.record.section("keepalive")),
                    fallsBackToPrimary: entry.record.optionalText("fallback") == "primary")
            })
    }

    /// Of a listener or a pool.
    static func keepalive(_ record: Record) -> Keepalive {
        let standard = Keepalive.standard
        return Keepalive(
            idle: record.optionalDuration("idle") ?? standard.idle,
            interval: record.optionalDuration("interval") ?? standard.interval,
            count: record.optionalInteger("count") ?? standard.count)
    }
}
