/// Smooth weighted round robin. A pick takes the first usable slot of the rotation and leaves the cursor behind it, so
/// that leaving out an unusable endpoint keeps the proportions of the others exact.
package struct RoundRobin: Sendable, Hashable {
    package let schedule: Schedule

    package init(weights: [Int]) { schedule = Schedule(weights: weights) }

    /// The position of the endpoint whose turn it is; nil when none is usable. One step in the usual case, at most one
    /// round.
    package func pick(among view: some EndpointView, cursor: inout PickCursor) -> Int? {
        schedule.next(from: &cursor) { position in view.usable(position) }
    }
}

extension Schedule {
    /// The first slot at or after the cursor whose endpoint passes; the cursor moves behind it.
    @inline(__always)
    func next(from cursor: inout PickCursor, where passes: (Int) -> Bool) -> Int? {
        let length = slots.count
        guard length > 0 else { return nil }
        var slot = cursor.position
        if slot >= length { slot %= length }
        for _ in 0..<length {
            let position = Int(slots[slot])
            slot += 1
            if slot == length { slot = 0 }
            if passes(position) {
                cursor.position = slot
                return position
            }
        }
        return nil
    }
}
