/// Fills sites with the demand of groups of clients, each group in its own order of preference, none beyond its limit.
///
/// First choices come before second ones: a site's own users are not displaced by those who lost theirs. Of those who want
/// the same site as the same choice, each gets the same part. What fits nowhere is spread over all that a group may use in
/// proportion to their limits, so that an overload that cannot be avoided is at least the same everywhere.
package enum Waterfall {
    /// - Parameters:
    ///   - demand: by group, operations per second.
    ///   - orders: by group, sites, the most wanted first.
    ///   - limits: by site, operations per second; infinite when unlimited, 0 when it may not be used.
    /// - Returns: by group, the part of its demand that each site of its order takes; they add up to 1 unless a group has
    ///   no site that may be used, which gets zeros.
    package static func fill(demand: [Double], orders: [[Int]], limits: [Double]) -> [[Double]] {
        var room = limits
        // A group without demand still has clients to answer: it asks for next to nothing.
        let wanted = demand.map { max($0, 1e-9) }
        var rest = wanted
        var granted = orders.map { $0.map { _ in 0.0 } }
        for rank in 0..<(orders.map(\.count).max() ?? 0) {
            var asked: [Int: Double] = [:]
            for (group, order) in orders.enumerated() where rank < order.count {
                asked[order[rank], default: 0] += rest[group]
            }
            for (group, order) in orders.enumerated() where rank < order.count {
                let site = order[rank]
                let all = asked[site] ?? 0
                // Rounding may leave a little less than nothing.
                let free = max(room[site], 0)
                let part = all > free ? free / all : 1
                granted[group][rank] = rest[group] * part
            }
            for (group, order) in orders.enumerated() where rank < order.count {
                rest[group] -= granted[group][rank]
                if room[order[rank]].isFinite { room[order[rank]] -= granted[group][rank] }
            }
        }
        for (group, order) in orders.enumerated() {
            let total = order.reduce(0) { $0 + limits[$1] }
            guard rest[group] > wanted[group] * 1e-9, total > 0, total.isFinite else { continue }
            for (rank, site) in order.enumerated() { granted[group][rank] += rest[group] * limits[site] / total }
        }
        return zip(granted, wanted).map { row, wanted in row.map { $0 / wanted } }
    }
}
