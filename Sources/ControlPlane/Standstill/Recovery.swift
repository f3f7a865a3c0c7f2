import Engine
import Model

/// What a node does after a standstill: it holds nothing that it knew for fresh, looks at everything at once, tells its peers
/// that it is starting, and serves again when it has seen how things are. Confined to the health loop.
struct Recovery {
    /// Standstills that were taken into account.
    private var handled: UInt64 = 0
    /// Until when results are waited for.
    private var patience: Timestamp?

    /// What lies between the end of the longest check and the moment when it is waited for no longer.
    private static let grace = Duration.seconds(2)

    /// - Returns: a standstill that was not taken into account yet, which the caller does now.
    mutating func news(_ standstills: Standstills, _ snapshot: Snapshot) -> Standstill? {
        guard let latest = standstills.latest, latest.number != handled else { return nil }
        handled = latest.number
        let longest =
            (snapshot.pools.compactMap(\.check) + snapshot.dns.zones.flatMap(\.names).compactMap(\.check))
            .map { ($0.interval + $0.timeout) * $0.fall }.max() ?? .zero
        patience = latest.end + min(longest + Self.grace, .seconds(30))
        return latest
    }

    /// Whether the node knows again what it says: `isKnown` when everything was looked at.
    mutating func isOver(_ isKnown: Bool, now: Timestamp) -> Bool {
        guard let patience, isKnown || now >= patience else { return false }
        self.patience = nil
        return true
    }
}
