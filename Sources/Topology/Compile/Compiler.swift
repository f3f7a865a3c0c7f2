import Model

/// Checked records → `Snapshot`: names become dense ids, in the order of the file. It runs only when nothing is wrong, so
/// every name that it looks up exists.
struct Compiler {
    let root: Record
    let fingerprint: UInt64
    private let regionIDs: [String: RegionID]
    private let serviceIDs: [String: ServiceID]
    private let poolIDs: [String: PoolID]

    init(root: Record, fingerprint: UInt64) {
        self.root = root
        self.fingerprint = fingerprint
        regionIDs = Self.ids(root, "regions", RegionID.init)
        serviceIDs = Self.ids(root, "services", ServiceID.init)
        poolIDs = Self.ids(root, "pools", PoolID.init)
    }

    private static func ids<ID>(_ root: Record, _ section: String, _ make: (Int) -> ID) -> [String: ID] {
        var ids: [String: ID] = [:]
        for (index, entry) in root.entries(section).enumerated() { ids[entry.name] = make(index) }
        return ids
    }

    func compile() -> Snapshot {
        var endpoints: [Endpoint] = []
        let pools = root.records("pools").map { pool($0.name, $0.record, &endpoints) }
        return Snapshot(
            fingerprint: fingerprint,
            regions: root.records("regions").map { region($0.name, $0.record) },
            nodes: root.records("nodes").map { node($0.name, $0.record) },
            services: root.records("services").map { service($0.name, $0.record) },
            pools: pools,
            endpoints: endpoints,
            dns: dns(root.section("dns")),
            http: http(root.section("http")),
            tcp: tcp(root.section("tcp")),
            federation: federation(root.section("federation")),
            safety: root.items("safety").compactMap(\.record).map(safety),
            secretPlaces: Self.secretPlaces(root))
    }

    /// Every record that reads like a secret. Another kind with the same one key does no harm: nobody looks for it.
    private static func secretPlaces(_ record: Record) -> [Secret: SourcePlace] {
        var places: [Secret: SourcePlace] = [:]
        func visit(_ value: Checked) {
            switch value.value {
            case .invalid, .atom: break
            case .list(let items): for item in items { visit(item) }
            case .map(let entries): for entry in entries { visit(entry.value) }
            case .record(let record): visit(record)
            }
        }
        func visit(_ record: Record) {
            if record.fields.count == 1, record.has("env") || record.has("file") {
                let place = record.position(of: record.has("env") ? "env" : "file")
                let known = SourcePlace(file: place.source.name, line: place.line, column: place.column)
                let secret = secret(record)
                if let first = places[secret], (first.line, first.column) <= (known.line, known.column) { return }
                places[secret] = known
            }
            for field in record.fields.values { visit(field) }
        }
        visit(record)
        return places
    }

    private func safety(_ record: Record) -> SafetyRule {
        let named = record.items("of").compactMap(\.text).map { region(named: $0) }
        let regions = named.isEmpty ? root.records("regions").map { region(named: $0.name) } : named
        return SafetyRule(
            name: record.text("name"),
            kind: record.optionalInteger("atLeast").map(SafetyRule.Kind.atLeast)
                ?? .gate(isOpen: record.text("gate") == "open"),
            regions: regions, services: record.items("services").compactMap(\.text).compactMap { serviceIDs[$0] },
            names: record.items("names").compactMap(\.text))
    }

    // MARK: - Names

    func region(named name: String) -> RegionID { regionIDs[name] ?? RegionID(0) }

    func service(of record: Record) -> ServiceID? { record.optionalText("service").flatMap { serviceIDs[$0] } }

    func pool(of record: Record) -> PoolID { poolIDs[record.text("pool")] ?? PoolID(0) }

    // MARK: - Places and processes

    private func region(_ name: String, _ record: Record) -> Region {
        let place = record.section("location")
        let coordinates = place.number("latitude").flatMap { latitude in
            place.number("longitude").map { Coordinates(latitude: latitude, longitude: $0) }
        }
        return Region(
            name: name,
            location: Location(
                continent: place.optionalText("continent"), country: place.optionalText("country"),
                coordinates: coordinates),
            address: record.address("address"),
            capacity: record.optionalInteger("capacity"))
    }

    private func node(_ name: String, _ record: Record) -> Node {
        let log = record.section("log")
        return Node(
            name: name,
            tier: Tier(rawValue: record.text("tier")) ?? .dns,
            region: region(named: record.text("region")),
            address: Self.address(of: record, in: root) ?? IPAddress(v4: 0),
            workers: record.optionalInteger("workers"),
            admin: record.socketAddress("admin"),
            adminToken: record.record("adminToken").map(Self.secret),
            federation: record.socketAddress("federation"),
            drainTimeout: record.duration("drainTimeout"),
            log: LogSettings(
                format: LogSettings.Format(rawValue: log.text("format")) ?? .text,
                level: log.text("level"),
                access: log.optionalText("access"),
                accessSample: log.integer("accessSample"),
                explain: log.optionalText("explain"),
                explainSample: log.integer("explainSample")),
            state: record.optionalText("state")
                ?? root.optionalText("stateDirectory").map { "\($0)/\(name).state" },
            leaveDelay: record.duration("leaveDelay"))
    }

    /// The node's own address or its region's.
    static func address(of node: Record, in root: Record) -> IPAddress? {
        if let own = node.address("address") { return own }
        let region = root.entries("regions").first { $0.name == node.optionalText("region") }
        return region?.value.record?.address("address")
    }

    static func secret(_ record: Record) -> Secret {
        record.optionalText("file").map(Secret.file) ?? .environment(record.text("env"))
    }

    private func service(_ name: String, _ record: Record) -> Service {
        Service(
            name: name,
            dependsOn: record.items("dependsOn").compactMap(\.text).compactMap { serviceIDs[$0] },
            threshold: record.integer("threshold"),
            requires: Role(rawValue: record.text("requires")) ?? .any)
    }

    private static func holdDown(_ record: Record) -> HoldDownPolicy {
        HoldDownPolicy(
            failures: record.integer("failures"), window: record.duration("window"), base: record.duration("base"),
            maximum: record.duration("maximum"))
    }

    private func federation(_ record: Record) -> FederationPlan {
        let damping = record.section("damping")
        return FederationPlan(
            keys: record.items("keys").compactMap(\.record).map {
                FederationKey(id: $0.text("id"), secret: Self.secret($0.section("secret")))
            },
            interval: record.duration("interval"),
            staleAfter: record.duration("staleAfter"),
            clockSkew: record.duration("clockSkew"),
            failStaticShare: record.integer("failStaticShare"),
            damping: Damping(
                rise: damping.duration("rise"), fall: damping.duration("fall"),
                holdDown: Self.holdDown(damping.section("holdDown"))))
    }
}
