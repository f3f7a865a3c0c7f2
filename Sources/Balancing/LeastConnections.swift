/// The endpoint with the fewest requests or connections in flight for its weight. Those that are level (all of them when
/// the pool is idle) take turns by weight, as in round robin; so a quiet pool is not served by its first endpoint alone.
package struct LeastConnections: Sendable, Hashable {
    package let schedule: Schedule

    package init(weights: [Int]) { schedule = Schedule(weights: weights) }

    /// The position of the chosen endpoint; nil when none is usable. Reads every endpoint once.
    package func pick(among view: some EndpointView, cursor: inout PickCursor) -> Int? {
        var best: (position: Int, inFlight: Int, weight: Int)?
        for position in 0..<view.count {
            let weight = view.weight(position)
            guard weight > 0, view.usable(position) else { continue }
            let inFlight = view.inFlight(position)
            guard let leader = best else {
                best = (position, inFlight, weight)
                continue
            }
            // inFlight / weight < leader.inFlight / leader.weight, without the division.
            if inFlight &* leader.weight < leader.inFlight &* weight { best = (position, inFlight, weight) }
        }
        guard let best else { return nil }
        let level = schedule.next(from: &cursor) { position in
            view.usable(position)
                && view.inFlight(position) &* best.weight <= best.inFlight &* view.weight(position)
        }
        // Other workers change the counts meanwhile; then nobody is level any more and the leader it is.
        return level ?? best.position
    }
}
