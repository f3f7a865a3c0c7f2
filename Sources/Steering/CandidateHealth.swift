/// What is known of one candidate at the moment of an evaluation.
package struct CandidateHealth: Sendable, Hashable {
    /// What an operator has said about a candidate, against or with what is measured.
    package enum Order: String, Sendable, Hashable {
        /// Counts as healthy and takes its whole share.
        case up
        /// Is answered with only when there is nobody else, not even somebody unhealthy.
        case down
        /// Takes no new clients: as `down`, and no sign of trouble.
        case drain
    }

    package var healthy: Bool
    /// 0 ... 1 of its fair share; below 1 while it returns after a failure. Counts only for healthy candidates.
    package var share: Double
    /// Why it is unhealthy, ramping or ordered about, and who says so; empty when there is nothing to say.
    package var reason: String
    package var order: Order?
    /// The part of its servers that is up, 0 ... 1; 1 when nobody counts them.
    package var upShare: Double
    /// Operations per second that it carries now, as its region reports; nil when unknown.
    package var load: Double?
    /// Operations per second that it can carry; nil when unlimited or unknown.
    package var capacity: Double?
    /// It stands as it was, and nothing that is heard now confirms it.
    package var stale: Bool

    package init(
        healthy: Bool, share: Double = 1, reason: String = "", order: Order? = nil, upShare: Double = 1,
        load: Double? = nil, capacity: Double? = nil, stale: Bool = false
    ) {
        self.healthy = healthy
        self.share = share
        self.reason = reason
        self.order = order
        self.upShare = upShare
        self.load = load
        self.capacity = capacity
        self.stale = stale
    }
}
