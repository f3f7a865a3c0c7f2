package import Geo
package import Model

/// Makes the plans of a topology's dynamic names.
///
/// Names that are steered alike (same regions, same steps) get one plan, and plans that tell clients apart alike (same
/// regions, same `geo` and `latency` steps) share one partition of the address space: a map of a million prefixes is
/// compiled once, however many names follow it.
package struct SteeringPlanner {
    private let maps: ClientPartition.Maps
    private var partitions: [[ClientPartition.Subject]: ClientPartition] = [:]
    private var plans: [ChainShape: SteeringPlan] = [:]

    /// - Parameters:
    ///   - regions: the snapshot's.
    ///   - locations: what `geo` and `proximity` steps look clients up in.
    ///   - latencies: what `latency` steps look figures up in, by `LatencyStep.table`.
    package init(regions: [Region], locations: LocationTable?, latencies: [String: LatencyTable]) {
        maps = ClientPartition.Maps(regions: regions, locations: locations, latencies: latencies)
    }

    package mutating func plan(for name: DynamicName) throws(SteeringProblem) -> SteeringPlan {
        let shape = ChainShape(title: "", candidates: name.candidates, steps: name.steps, regions: maps.regions)
        if let known = plans[shape] { return known }
        guard shape.leafCount <= SteeringPlan.maximumCandidates, name.candidates.count <= SteeringPlan.maximumCandidates
        else { throw .tooManyCandidates(name: name.name, count: max(shape.leafCount, name.candidates.count)) }
        guard shape.depth <= SteeringChain.maximumDepth else { throw .tooDeep(name: name.name) }
        let subjects = shape.questions
        let partition: ClientPartition
        if let known = partitions[subjects] {
            partition = known
        } else {
            partition = try ClientPartition(name: name.name, subjects: subjects, maps: maps)
            partitions[subjects] = partition
        }
        var counters = ChainShape.Counters()
        let chain = shape.compile(&counters)
        let plan = SteeringPlan(chain: chain, chainCount: counters.chains, partition: partition)
        plans[shape] = plan
        return plan
    }
}
