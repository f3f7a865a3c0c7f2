package import Model

/// Every override that a node knows of, also those that were released or are over. One per target: the newest stamp wins,
/// of equal ones the larger id, whatever the order and however often they arrive.
package struct OverrideSet: Sendable, Hashable {
    /// Kept at once. Beyond that those that are over go first, then the oldest.
    package static let capacity = 128
    /// How long an override is remembered after its end, so that a copy from a node whose clock is behind does not revive it.
    static let memory = Duration.seconds(3600)

    private var entries: [Override.Target: Override] = [:]

    package init() {}

    package init(_ overrides: some Sequence<Override>, now: Timestamp) {
        for override in overrides { insert(override) }
        trim(now: now)
    }

    package var isEmpty: Bool { entries.isEmpty }

    /// Oldest first.
    package var all: [Override] { entries.values.sorted { $1.supersedes($0) } }

    package subscript(target: Override.Target) -> Override? { entries[target] }

    /// Those that count at `now`, oldest first: where several match, the last one decides.
    package func live(at now: Timestamp) -> [Override] { all.filter { $0.isLive(at: now) } }

    /// Takes what others know. What is stamped further ahead of `now` than `clockSkew` is left for later: it would win over
    /// everything until our clock gets there.
    ///
    /// - Returns: whether anything was news.
    @discardableResult
    package mutating func merge(
        _ others: some Sequence<Override>, now: Timestamp, clockSkew: Duration
    ) -> Bool {
        var moved = false
        for override in others where override.stamp <= now + clockSkew && !isForgotten(override, now) {
            if insert(override) { moved = true }
        }
        if moved { trim(now: now) }
        return moved
    }

    /// Takes an operator's word. Its stamp is made newer than that of the one it replaces, whose author's clock may be ahead.
    ///
    /// - Returns: the override as it was kept; nil when there is no room.
    package mutating func add(_ override: Override, now: Timestamp) -> Override? {
        trim(now: now)
        var override = override
        if let old = entries[override.target] {
            let later = max(override.stamp, old.stamp + .milliseconds(1))
            override.expires = override.expires + (later - override.stamp)
            override.stamp = later
        } else if entries.count >= Self.capacity, entries.values.allSatisfy({ $0.isLive(at: now) }) {
            return nil
        }
        entries[override.target] = override
        trim(now: now)
        return override
    }

    /// Takes the override called `id` back.
    ///
    /// - Returns: what is remembered of it; nil when none of that name counts at `now`.
    package mutating func release(id: String, by author: String, reason: String, now: Timestamp) -> Override? {
        guard var override = entries.values.first(where: { $0.id == id && $0.isLive(at: now) }) else { return nil }
        override.stamp = min(max(now, override.stamp + .milliseconds(1)), override.expires)
        override.isReleased = true
        override.author = author
        override.reason = reason
        entries[override.target] = override
        return override
    }

    /// Forgets what is long over. Call it now and then.
    package mutating func trim(now: Timestamp) {
        if entries.values.contains(where: { isForgotten($0, now) }) {
            entries = entries.filter { !isForgotten($0.value, now) }
        }
        guard entries.count > Self.capacity else { return }
        let ranked = entries.values.sorted { left, right in
            let (leftLive, rightLive) = (left.isLive(at: now), right.isLive(at: now))
            return leftLive == rightLive ? left.supersedes(right) : leftLive
        }
        for override in ranked.dropFirst(Self.capacity) { entries[override.target] = nil }
    }

    private func isForgotten(_ override: Override, _ now: Timestamp) -> Bool {
        now > override.expires && now - override.expires > Self.memory
    }

    @discardableResult
    private mutating func insert(_ override: Override) -> Bool {
        if let old = entries[override.target], !override.supersedes(old) { return false }
        entries[override.target] = override
        return true
    }
}
