package import Model

/// Notices that this node, rather than the world, is the one that broke: when a large share of its peers falls silent at
/// once, what it then sees of others is not to be trusted, and verdicts stand as they were.
package struct FailStatic: Sendable, Hashable {
    /// What is known of a peer's voice.
    package struct Peer: Sendable, Hashable {
        package let name: String
        package let heardAt: Timestamp
        /// It said goodbye; its silence is no loss.
        package let left: Bool

        package init(name: String, heardAt: Timestamp, left: Bool) {
            self.name = name
            self.heardAt = heardAt
            self.left = left
        }
    }

    /// Peers whose loss froze the verdicts, and how many were heard before they fell silent. Nil when not frozen.
    private var loss: (peers: Set<String>, before: Int)?

    package init() {}

    package var frozen: Bool { loss != nil }
    package var lostPeers: Int { loss?.peers.count ?? 0 }

    /// Looks at the `peers` that were heard at least once. `share` is the percentage of them that, lost within one
    /// `staleAfter`, freezes and keeps frozen.
    package mutating func update(_ peers: [Peer], staleAfter: Duration, share: Int, now: Timestamp) {
        let silent = Set(peers.filter { !$0.left && now - $0.heardAt > staleAfter }.map(\.name))
        if let loss {
            let still = loss.peers.intersection(silent)
            self.loss = still.count * 100 < share * loss.before || still.isEmpty ? nil : loss
        }
        guard loss == nil else { return }
        let lately = peers.filter { silent.contains($0.name) && now - $0.heardAt <= staleAfter + staleAfter }
        let before = peers.count { !$0.left && !silent.contains($0.name) } + lately.count
        if !lately.isEmpty, lately.count * 100 >= share * before {
            loss = (Set(lately.map(\.name)), before)
        }
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.loss?.peers == right.loss?.peers && left.loss?.before == right.loss?.before
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(loss?.peers) }
}
