import Model

extension Compiler {
    func dns(_ record: Record) -> DNSPlan {
        let locations = record.record("locations")
        let chains = ChainCompiler(self, dns: record)
        return DNSPlan(
            port: record.port("port"),
            zones: record.entries("zones").compactMap { zone($0, chains) },
            locations: locations?.optionalText("csv").map(DNSPlan.LocationSource.csv)
                ?? locations?.optionalText("mmdb").map(DNSPlan.LocationSource.mmdb),
            networks: locations?.optionalText("asn"),
            maximumUDPSize: record.integer("maximumUDPSize"),
            conduct: conduct(record),
            zoneFolder: record.optionalText("zoneFolder"))
    }

    private func zone(_ entry: Checked.MapEntry, _ chains: ChainCompiler) -> DNSPlan.Zone? {
        guard case .text(let origin) = entry.key, let record = entry.value.record else { return nil }
        return DNSPlan.Zone(
            origin: origin,
            file: record.text("file"),
            names: record.entries("names").compactMap { name($0, origin: origin, chains) })
    }

    private func name(_ entry: Checked.MapEntry, origin: String, _ chains: ChainCompiler) -> DynamicName? {
        guard case .text(let relative) = entry.key, let name = DomainText.join(relative, origin: origin),
            let record = entry.value.record
        else { return nil }
        let check = record.record("check")
        let probe = (check?.record("http") ?? check?.record("tcp") ?? check?.record("postgresql"))
        func seconds(_ duration: Duration) -> UInt32 { UInt32(truncatingIfNeeded: duration.components.seconds) }
        return DynamicName(
            name: name,
            ttl: seconds(record.duration("ttl")),
            ttlDegraded: record.optionalDuration("ttlDegraded").map(seconds),
            service: service(of: record),
            check: check.flatMap(Self.check)?.asking(for: Self.host(of: name)),
            checkPort: probe?.port("port") ?? 0,
            candidates: chains.candidates(of: record, origin: origin),
            steps: chains.steps(of: record),
            policy: PolicySteps.policy(of: record),
            ramp: record.duration("ramp"))
    }
}

extension Compiler {
    /// What users of a name send as Host: the name without its final dot. Of a wildcard, one of the names that it stands
    /// for.
    private static func host(of name: String) -> String {
        let text = String(name.hasSuffix(".") ? name.dropLast() : name[...])
        return text.hasPrefix("*.") ? "check" + text.dropFirst() : text
    }
}

/// Answers and steps of names and groups → candidates and chains. What nests was found to end.
struct ChainCompiler {
    private let compiler: Compiler
    private let regions: Set<String>
    private let groups: [String: Record]
    private let names: [String: (record: Record, origin: String)]
    private let sets: [(name: String, prefixes: [IPPrefix])]

    init(_ compiler: Compiler, dns: Record) {
        self.compiler = compiler
        regions = Set(compiler.root.entries("regions").map(\.name))
        groups = Dictionary(dns.records("groups").map { ($0.name, $0.record) }) { first, _ in first }
        var names: [String: (record: Record, origin: String)] = [:]
        for zone in dns.entries("zones") {
            guard case .text(let origin) = zone.key, let record = zone.value.record else { continue }
            for entry in record.entries("names") {
                guard case .text(let relative) = entry.key, let chain = entry.value.record,
                    let name = DomainText.join(relative, origin: origin)
                else { continue }
                names[name] = (chain, origin)
            }
        }
        self.names = names
        sets = dns.entries("prefixSets").map { ($0.name, ChainChecks.prefixes($0.value)) }
    }

    /// `origin`: of the chain; nil for a group.
    /// `zone`: what names in a group's records are relative to: the zone of the name that answers with it.
    func candidates(of chain: Record, origin: String?, zone: String? = nil) -> [DynamicName.Candidate] {
        chain.records("answers").map { answer in
            let record = answer.record
            let region = record.optionalText("region") ?? (regions.contains(answer.name) ? answer.name : nil)
            let target = NestingChecks.target(of: record, origin: origin)
            let zone = origin ?? zone
            return DynamicName.Candidate(
                name: answer.name, region: region.map(compiler.region(named:)),
                service: compiler.service(of: record) ?? target.flatMap(service),
                records: target == nil ? Self.records(record, zone) : [],
                chain: target.flatMap { nested($0, zone) })
        }
    }

    private func service(of target: NestingChecks.Chain) -> ServiceID? {
        record(of: target).flatMap { compiler.service(of: $0.record) }
    }

    private func record(of target: NestingChecks.Chain) -> (record: Record, origin: String?)? {
        switch target {
        case .group(let name): groups[name].map { ($0, nil) }
        case .name(let name): names[name].map { ($0.record, $0.origin) }
        }
    }

    private func nested(_ target: NestingChecks.Chain, _ zone: String?) -> SteeringChain? {
        record(of: target).map { record, origin in
            SteeringChain(
                title: target.title, candidates: candidates(of: record, origin: origin, zone: zone),
                steps: steps(of: record))
        }
    }

    private static func records(_ answers: Record, _ zone: String?) -> [DynamicName.RecordText] {
        TopologySchema.recordTypes.flatMap { type in
            answers.items(type).compactMap(\.text).map {
                DynamicName.RecordText(type: type, data: $0, origin: zone)
            }
        }
    }

    func steps(of chain: Record) -> [SteeringStep] {
        let reader = StepReader(names: chain.records("answers").map(\.name), sets: sets)
        if chain.has("policy") { return PolicySteps.steps(of: chain, reader) }
        guard chain.has("steps") else { return [.healthy()] }
        return chain.items("steps").compactMap { item in
            item.record.map { reader.step($0) } ?? item.text.flatMap { reader.step(word: $0) }
        }
    }
}
