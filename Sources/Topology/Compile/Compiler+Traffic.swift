import Model

extension Compiler {
    // MARK: - DNS

    func dns(_ record: Record) -> DNSPlan {
        let locations = record.record("locations")
        return DNSPlan(
            port: record.port("port"),
            zones: record.entries("zones").compactMap(zone),
            locations: locations?.optionalText("csv").map(DNSPlan.LocationSource.csv)
                ?? locations?.optionalText("mmdb").map(DNSPlan.LocationSource.mmdb),
            maximumUDPSize: record.integer("maximumUDPSize"))
    }

    private func zone(_ entry: Checked.MapEntry) -> DNSPlan.Zone? {
        guard case .text(let origin) = entry.key, let record = entry.value.record else { return nil }
        return DNSPlan.Zone(
            origin: origin,
            file: record.text("file"),
            names: record.entries("names").compactMap { name($0, origin: origin) })
    }

    private func name(_ entry: Checked.MapEntry, origin: String) -> DynamicName? {
        guard case .text(let relative) = entry.key, let name = DomainText.join(relative, origin: origin),
            let record = entry.value.record
        else { return nil }
        let candidates = record.records("answers").map { answer in
            DynamicName.Candidate(region: region(named: answer.name), records: Self.records(answer.record))
        }
        let check = record.record("check")
        let probe = (check?.record("http") ?? check?.record("tcp") ?? check?.record("postgresql"))
        return DynamicName(
            name: name,
            ttl: UInt32(truncatingIfNeeded: record.duration("ttl").components.seconds),
            service: service(of: record),
            check: check.flatMap(Self.check),
            checkPort: probe?.port("port") ?? 0,
            candidates: candidates,
            steps: steps(record, candidates.map(\.region)),
            ramp: record.duration("ramp"))
    }

    private static func records(_ answers: Record) -> [DynamicName.RecordText] {
        TopologySchema.answers.keys.flatMap { key in
            answers.items(key.name).compactMap(\.text).map { DynamicName.RecordText(type: key.name, data: $0) }
        }
    }

    private func steps(_ record: Record, _ regions: [RegionID]) -> [SteeringStep] {
        guard record.has("steps") else { return [.healthy] }
        func positions(_ items: [Checked]) -> [Int] {
            items.compactMap(\.text).compactMap { regions.firstIndex(of: region(named: $0)) }
        }
        return record.items("steps").compactMap { item in
            guard let step = item.record else { return .healthy }
            if let geo = step.record("geo") { return .geo(self.geo(geo, positions)) }
            if let latency = step.record("latency") {
                return .latency(
                    SteeringStep.LatencyStep(file: latency.text("file"), tolerance: latency.duration("tolerance")))
            }
            if step.has("weighted") {
                var weights = Array(repeating: 0, count: regions.count)
                for entry in step.entries("weighted") {
                    guard let index = regions.firstIndex(of: region(named: entry.name)),
                        case .integer(let weight) = entry.value.atom
                    else { continue }
                    weights[index] = weight
                }
                return .weighted(weights)
            }
            if step.has("failover") { return .failover(positions(step.items("failover"))) }
            return step.optionalInteger("limit").map(SteeringStep.limit)
        }
    }

    private func geo(_ record: Record, _ positions: ([Checked]) -> [Int]) -> SteeringStep.GeoStep {
        var prefixes: [IPPrefix: [Int]] = [:]
        for entry in record.entries("prefixes") {
            if case .prefix(let prefix) = entry.key { prefixes[prefix] = positions(entry.value.items) }
        }
        func byCode(_ key: String) -> [String: [Int]] {
            var result: [String: [Int]] = [:]
            for entry in record.entries(key) { result[entry.name] = positions(entry.value.items) }
            return result
        }
        return SteeringStep.GeoStep(
            prefixes: prefixes, countries: byCode("countries"), continents: byCode("continents"),
            otherwise: positions(record.items("default")))
    }

    // MARK: - HTTP and TCP

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
                        connections: limits.integer("connections")),
                    timeouts: HTTPListenerTimeouts(
                        head: timeouts.duration("head"),
                        body: timeouts.duration("body"),
                        keepalive: timeouts.duration("keepalive")))
            },
            routes: record.items("routes").compactMap(\.record).map { route in
                HTTPRoute(
                    name: route.text("name"), host: Self.host(route.text("host")), path: Self.path(route),
                    pool: pool(of: route))
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
                    connections: entry.record.integer("connections"))
            })
    }
}
