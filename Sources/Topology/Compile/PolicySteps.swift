import Model

/// Presets by the names that people know them by → the steps that they stand for.
enum PolicySteps {
    /// The preset of a name or group; nil when its steps are written out.
    static func policy(of chain: Record) -> SteeringPolicy? {
        if let word = chain.optionalText("policy") { return SteeringPolicy(rawValue: word) }
        guard let policy = chain.record("policy") else { return nil }
        return TopologySchema.policy.oneOf.first(where: policy.has).flatMap(SteeringPolicy.init(rawValue:))
    }

    static func steps(of chain: Record, _ reader: StepReader) -> [SteeringStep] {
        let record = chain.record("policy") ?? Record(position: chain.position, fields: [:])
        let everybody = Array(reader.names.indices)
        switch policy(of: chain) {
        case .simple, nil:
            return [.healthy()]
        case .weighted:
            let weights = reader.weights(record.entries("weighted"), otherwise: record.has("weighted") ? 0 : 1)
            return [.healthy(), .weighted(weights)]
        case .latency:
            return [.healthy(), .latency(reader.latency(record.section("latency"))), .take(1)]
        case .failover:
            let order = record.has("failover") ? reader.positions(record.items("failover")) : everybody
            return [.healthy(), .priority(SteeringStep.PriorityStep(order))]
        case .geolocation:
            return [.healthy(), .geo(reader.geo(record.section("geolocation"), fence: .open)), .take(1)]
        case .geoproximity:
            return [.healthy(), .proximity(reader.proximity(record.section("geoproximity"))), .take(1)]
        case .multivalue:
            return [.healthy(), .sample(record.optionalInteger("multivalue") ?? 8)]
        case .ipBased:
            return [.healthy(), .prefix(reader.prefix(record.entries("ip-based"), fence: .open)), .take(1)]
        }
    }
}
