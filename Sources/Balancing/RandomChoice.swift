/// Weighted random choice. Draws a slot of the weighted rotation and draws again when its endpoint is unusable, which
/// leaves the proportions of the others exact; when most of the pool is unusable it counts the usable ones instead.
package struct RandomChoice: Sendable, Hashable {
    /// Draws before counting. With half of the pool unusable, one pick in 256 has to count.
    private static let draws = 8

    package let schedule: Schedule

    package init(weights: [Int]) { schedule = Schedule(weights: weights) }

    /// The position of the chosen endpoint; nil when none is usable.
    package func pick(
        among view: some EndpointView, using generator: inout some RandomNumberGenerator
    ) -> Int? {
        let length = UInt64(truncatingIfNeeded: schedule.slots.count)
        guard length > 0 else { return nil }
        for _ in 0..<Self.draws {
            let slot = generator.next().multipliedFullWidth(by: length).high
            let position = Int(schedule.slots[Int(truncatingIfNeeded: slot)])
            if view.usable(position) { return position }
        }
        return counted(among: view, using: &generator)
    }

    private func counted(
        among view: some EndpointView, using generator: inout some RandomNumberGenerator
    ) -> Int? {
        var total = 0
        var last: Int?
        for position in 0..<view.count where view.usable(position) && view.weight(position) > 0 {
            total += view.weight(position)
            last = position
        }
        guard total > 0 else { return nil }
        let draw = generator.next().multipliedFullWidth(by: UInt64(truncatingIfNeeded: total)).high
        var remaining = Int(truncatingIfNeeded: draw)
        for position in 0..<view.count where view.usable(position) && view.weight(position) > 0 {
            remaining -= view.weight(position)
            if remaining < 0 { return position }
        }
        return last
    }
}
