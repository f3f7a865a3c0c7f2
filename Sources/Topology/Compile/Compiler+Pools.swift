import Model

extension Compiler {
    func pool(_ name: String, _ record: Record, _ endpoints: inout [Endpoint]) -> Pool {
        let id = PoolID(poolIndex(name))
        let kind = Pool.Kind(rawValue: record.text("kind")) ?? .http
        var own: [EndpointID] = []
        for entry in record.entries("endpoints") {
            for item in entry.value.items {
                guard let (address, weight) = Self.endpoint(item) else { continue }
                own.append(EndpointID(endpoints.count))
                endpoints.append(
                    Endpoint(pool: id, region: region(named: entry.name), address: address, weight: weight))
            }
        }
        let timeouts = record.section("timeouts")
        return Pool(
            name: name,
            kind: kind,
            service: service(of: record),
            balance: BalanceAlgorithm(rawValue: record.text("balance")) ?? .roundRobin,
            check: record.record("check").flatMap(Self.check),
            ejection: record.record("ejection").map(Self.ejection),
            timeouts: PoolTimeouts(
                connect: timeouts.duration("connect"),
                response: timeouts.duration("response"),
                // Database sessions rest between transactions; the keep-alive of an HTTP server is short.
                idle: timeouts.optionalDuration("idle") ?? (kind == .http ? .seconds(60) : .seconds(3600))),
            keepalive: Self.kept(record),
            watch: record.record("keepalive").map(Self.keepalive) ?? .standard,
            endpoints: own,
            closeOnDown: record.boolean("closeOnDown"),
            retry: record.record("retry").map(Self.retry) ?? .standard)
    }

    /// A number alone, or the `connections` of the long form.
    private static func kept(_ pool: Record) -> Int {
        if let record = pool.record("keepalive") { return record.integer("connections") }
        return pool.optionalInteger("keepalive") ?? 64
    }

    private func poolIndex(_ name: String) -> Int {
        root.entries("pools").firstIndex { $0.name == name } ?? 0
    }

    /// `address:port`, or the long form.
    static func endpoint(_ item: Checked) -> (address: SocketAddress, weight: Int)? {
        if case .socketAddress(let address) = item.atom { return (address, 1) }
        guard let record = item.record, let address = record.socketAddress("address") else { return nil }
        return (address, record.integer("weight"))
    }

    private static func ejection(_ record: Record) -> EjectionPolicy {
        EjectionPolicy(
            failures: record.integer("failures"),
            base: record.duration("base"),
            maximum: record.duration("maximum"),
            maximumShare: record.integer("maximumShare"),
            on: failures(record) ?? .noAnswer)
    }

    private static func retry(_ record: Record) -> RetryPolicy {
        RetryPolicy(on: failures(record) ?? .repeatable, attempts: record.integer("attempts"))
    }

    /// Those of `on`; nil when it is absent.
    private static func failures(_ record: Record) -> TrafficFailures? {
        guard record.has("on") else { return nil }
        return record.items("on").reduce(into: []) { all, item in
            all.formUnion(TrafficFailures.names.first { $0.name == item.text }?.failure ?? [])
        }
    }

    static func check(_ record: Record) -> HealthCheck? {
        guard let probe = probe(record) else { return nil }
        return HealthCheck(
            probe: probe,
            interval: record.duration("interval"),
            timeout: record.duration("timeout"),
            rise: record.integer("rise"),
            fall: record.integer("fall"))
    }

    private static func probe(_ record: Record) -> HealthCheck.Probe? {
        if let http = record.record("http") {
            return .http(
                HTTPProbe(
                    path: http.text("path"),
                    host: http.optionalText("host"),
                    statuses: http.items("statuses").compactMap {
                        if case .range(let range) = $0.atom { range } else { nil }
                    },
                    contains: http.optionalText("contains"),
                    port: http.has("port") ? http.port("port") : nil))
        }
        if let postgresql = record.record("postgresql") {
            return .postgresql(
                PostgreSQLProbe(
                    user: postgresql.text("user"),
                    database: postgresql.text("database"),
                    password: postgresql.record("password").map(secret),
                    maximumLag: postgresql.optionalDuration("maximumLag"),
                    tls: PostgreSQLProbe.TLSUse(rawValue: postgresql.text("sslmode")) ?? .prefer,
                    roots: postgresql.optionalText("sslrootcert"),
                    host: postgresql.optionalText("host").map { $0.hasSuffix(".") ? String($0.dropLast()) : $0 },
                    allowsMD5: postgresql.boolean("md5")))
        }
        return record.has("tcp") ? .tcp : nil
    }
}
