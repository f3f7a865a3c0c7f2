package import Health
package import Model
import Synchronization

/// The overrides that this node knows of. Safe from any thread. Their times are the wall clock's, because they cross nodes.
package final class OverrideBook: Sendable {
    /// Why an operator's word was not taken.
    package enum Refusal: Error, Sendable, Hashable {
        case full
        case unknown
    }

    private let state = Mutex(OverrideSet())
    private let wake: @Sendable () -> Void

    /// `wake` is called when an operator changed something here.
    package init(wake: @escaping @Sendable () -> Void = {}) { self.wake = wake }

    package var set: OverrideSet { state.withLock { $0 } }

    /// Takes what peers, or the state file, know.
    package func merge(_ overrides: some Sequence<Override>, clockSkew: Duration, now: Timestamp) {
        state.withLock { set in
            _ = set.merge(overrides, now: now, clockSkew: clockSkew)
            set.trim(now: now)
        }
    }

    package func add(_ override: Override, now: Timestamp) throws(Refusal) -> Override {
        let kept = state.withLock { $0.add(override, now: now) }
        guard let kept else { throw .full }
        wake()
        return kept
    }

    package func release(id: String, by author: String, reason: String, now: Timestamp) throws(Refusal) -> Override {
        let released = state.withLock { $0.release(id: id, by: author, reason: reason, now: now) }
        guard let released else { throw .unknown }
        wake()
        return released
    }

    /// A new one's name: 40 random bits, to be typed by people. Two of 128 are equal once in a hundred million fleets.
    package static func newID() -> String {
        let digits = Array("0123456789abcdefghjkmnpqrstvwxyz")
        var generator = SystemRandomNumberGenerator()
        return "ov-" + String((0..<8).map { _ in digits[Int.random(in: 0..<32, using: &generator)] })
    }
}

/// Tells the events of overrides: each beginning, change and end once, whoever made it. Confined to the health loop.
struct OverrideWatch {
    private var live: [Override.Target: Override] = [:]

    mutating func pass(_ set: OverrideSet, _ now: Timestamp, _ events: EventLog) -> [Override] {
        let current = set.live(at: now)
        let next = Dictionary(uniqueKeysWithValues: current.map { ($0.target, $0) })
        guard next != live else { return current }
        for override in current where live[override.target] != override {
            let against = override.against.isEmpty ? "" : " (against \(override.against.joined(separator: ", ")))"
            events.record(.override, "\(override.target)", "\(override)\(against) [\(override.id)]")
        }
        for (target, ended) in live.sorted(by: { $0.value.stamp < $1.value.stamp }) where next[target] == nil {
            let end = set[target]
            let reason = end.map { $0.reason.isEmpty ? "" : ": \($0.reason)" } ?? ""
            let words =
                end?.isReleased == true
                ? "released by \(end?.author ?? "")\(reason)" : "its time is over: was \(ended)"
            events.record(.override, "\(target)", "\(words) [\(ended.id)]")
        }
        live = next
        return current
    }
}
