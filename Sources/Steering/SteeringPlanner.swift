package import Geo
package import Model

/// Makes the plans of a topology's dynamic names.
///
/// Names that are steered alike (same regions, same steps) get one plan, and plans that tell clients apart alike (same
/// regions, same `geo` and `latency` steps) share one partition of the address space: a map of a million prefixes is
/// compiled once, however many names follow it.
package struct SteeringPlanner {
    private struct PlanKey: Hashable {
        let regions: [RegionID]
        let steps: [SteeringStep]
    }

    private let regions: [Region]
    private let locations: LocationTable?
    private let latencies: [String: LatencyTable]
    private var partitions: [PlanKey: ClientPartition] = [:]
    private var plans: [PlanKey: SteeringPlan] = [:]

    /// - Parameters:
    ///   - regions: the snapshot's.
    ///   - locations: what `geo` steps look countries and continents up in.
    ///   - latencies: what `latency` steps look figures up in, by `LatencyStep.file`.
    package init(regions: [Region], locations: LocationTable?, latencies: [String: LatencyTable]) {
        self.regions = regions
        self.locations = locations
        self.latencies = latencies
    }

    package mutating func plan(for name: DynamicName) throws(SteeringProblem) -> SteeringPlan {
        guard name.candidates.count <= SteeringPlan.maximumCandidates else {
            throw .tooManyCandidates(name: name.name, count: name.candidates.count)
        }
        let candidates = name.candidates.map(\.region)
        let key = PlanKey(regions: candidates, steps: name.steps)
        if let known = plans[key] { return known }
        let questions = name.steps.filter(\.asksAboutClient)
        let partitionKey = PlanKey(regions: candidates, steps: questions)
        let partition: ClientPartition
        if let known = partitions[partitionKey] {
            partition = known
        } else {
            partition = try ClientPartition(
                name: name.name, candidates: candidates, questions: questions, locations: locations,
                latencies: latencies)
            partitions[partitionKey] = partition
        }
        let plan = SteeringPlan(
            names: candidates.map { regions[$0.index].name }, steps: name.steps, partition: partition)
        plans[key] = plan
        return plan
    }
}

extension SteeringStep {
    /// Whether clients are told apart by this step.
    var asksAboutClient: Bool {
        switch self {
        case .geo, .latency: true
        case .healthy, .weighted, .failover, .limit: false
        }
    }

    /// As the topology calls it.
    var label: String {
        switch self {
        case .healthy: "healthy"
        case .geo: "geo"
        case .latency: "latency"
        case .weighted: "weighted"
        case .failover: "failover"
        case .limit: "limit"
        }
    }
}
