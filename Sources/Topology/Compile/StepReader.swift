import Model

/// Steps as they are written → steps over positions.
struct StepReader {
    /// Of the answers, in their order.
    let names: [String]
    let sets: [(name: String, prefixes: [IPPrefix])]

    /// A step of which the name says everything.
    func step(word: String) -> SteeringStep? {
        switch word {
        case "healthy": .healthy()
        case "proximity": .proximity(SteeringStep.ProximityStep(bias: names.map { _ in 0 }))
        case "hash": .hash
        case "capacity": .capacity(SteeringStep.CapacityStep(limit: 90))
        case "shed": .shed(SteeringStep.ShedStep(low: 80, high: 100))
        default: nil
        }
    }

    func step(_ step: Record) -> SteeringStep {
        if let healthy = step.record("healthy") {
            return .healthy(
                SteeringStep.HealthyStep(servers: healthy.integer("servers"), quorum: healthy.integer("quorum")))
        }
        let fence = step.optionalText("fence").flatMap(SteeringStep.Fence.init(rawValue:))
        if let geo = step.record("geo") { return .geo(self.geo(geo, fence: fence)) }
        if step.has("prefix") { return .prefix(prefix(step.entries("prefix"), fence: fence)) }
        if let proximity = step.record("proximity") { return .proximity(self.proximity(proximity)) }
        if let nearest = step.record("nearest") {
            return .proximity(self.proximity(nearest, count: nearest.integer("count")))
        }
        if let count = step.optionalInteger("nearest") {
            return .proximity(SteeringStep.ProximityStep(bias: names.map { _ in 0 }, count: count))
        }
        if let latency = step.record("latency") { return .latency(self.latency(latency)) }
        if step.has("weighted") { return .weighted(weights(step.entries("weighted"), otherwise: 0)) }
        if let priority = step.record("priority") {
            return .priority(
                SteeringStep.PriorityStep(positions(priority.items("order")), trickle: priority.integer("trickle")))
        }
        if step.has("failover") { return .priority(SteeringStep.PriorityStep(positions(step.items("failover")))) }
        if let capacity = step.record("capacity") {
            return .capacity(SteeringStep.CapacityStep(limit: capacity.integer("limit")))
        }
        if let shed = step.record("shed") {
            return .shed(SteeringStep.ShedStep(low: shed.integer("low"), high: shed.integer("high")))
        }
        if let count = step.optionalInteger("sample") { return .sample(count) }
        return .take(step.optionalInteger("take") ?? step.integer("limit"))
    }

    func positions(_ items: [Checked]) -> [Int] {
        items.compactMap(\.text).compactMap { names.firstIndex(of: $0) }
    }

    func weights(_ entries: [Checked.MapEntry], otherwise: Int) -> [Int] {
        var weights = names.map { _ in otherwise }
        for entry in entries {
            guard let index = names.firstIndex(of: entry.name), case .integer(let weight) = entry.value.atom else {
                continue
            }
            weights[index] = weight
        }
        return weights
    }

    func proximity(_ record: Record, count: Int? = nil) -> SteeringStep.ProximityStep {
        SteeringStep.ProximityStep(bias: weights(record.entries("bias"), otherwise: 0), count: count)
    }

    func latency(_ record: Record) -> SteeringStep.LatencyStep {
        let isMeasured = record.boolean("measured")
        return SteeringStep.LatencyStep(
            file: record.optionalText("file"), tolerance: record.duration("tolerance"), isMeasured: isMeasured,
            explore: isMeasured ? record.integer("explore") : 0)
    }

    /// `fence`: as it is written; a default of `none` is one too.
    func prefix(_ entries: [Checked.MapEntry], fence: SteeringStep.Fence?) -> SteeringStep.PrefixStep {
        var prefixes: [IPPrefix: [Int]] = [:]
        var otherwise: [Int] = []
        var isNone = false
        for entry in entries {
            if entry.key == .word {
                isNone = entry.value.text == "none"
                otherwise = positions(entry.value.items)
            }
            for prefix in StepChecks.prefixes(of: entry.key, sets: sets) {
                prefixes[prefix] = positions(entry.value.items)
            }
        }
        return SteeringStep.PrefixStep(
            prefixes: prefixes, otherwise: otherwise, fence: fence ?? (isNone ? .closed : .absent))
    }

    /// `fence`: as in `prefix`.
    func geo(_ record: Record, fence: SteeringStep.Fence?) -> SteeringStep.GeoStep {
        var prefixes: [IPPrefix: [Int]] = [:]
        for entry in record.entries("prefixes") {
            if case .prefix(let prefix) = entry.key { prefixes[prefix] = positions(entry.value.items) }
        }
        var networks: [UInt32: [Int]] = [:]
        for entry in record.entries("networks") {
            if case .integer(let number) = entry.key {
                networks[UInt32(clamping: number)] = positions(entry.value.items)
            }
        }
        func byCode(_ key: String) -> [String: [Int]] {
            var result: [String: [Int]] = [:]
            for entry in record.entries(key) { result[entry.name] = positions(entry.value.items) }
            return result
        }
        let isNone = record.fields["default"]?.text == "none"
        return SteeringStep.GeoStep(
            prefixes: prefixes, networks: networks, cities: byCode("cities"), subdivisions: byCode("subdivisions"),
            countries: byCode("countries"), continents: byCode("continents"),
            otherwise: positions(record.items("default")), fence: fence ?? (isNone ? .closed : .absent))
    }
}
