package import Engine
package import Model
import Synchronization

/// What is known about health, kept by the control plane and read by the tiers. Workers read and count on `endpoints`
/// (atomics); the rest takes a lock and is for control threads only, never per query.
package final class HealthBoard: Sendable {
    private struct Key: Hashable {
        let service: String
        let region: String
    }

    private struct State {
        var verdicts: [Key: Verdict] = [:]
        var failOpen: Set<String> = []
        var generation: UInt64 = 0
    }

    /// State of every endpoint: up, role, ejected, draining, in flight, failures. Checks and the control plane write the
    /// state (ejection included: tiers only count successes and failures).
    package let endpoints: EndpointTable
    package let events: EventLog
    private let state = Mutex(State())
    private let wake: @Sendable () -> Void

    /// `wake` is called when somebody changed an endpoint and verdicts should be looked at again, at once.
    package init(
        endpoints: EndpointTable = EndpointTable(), events: EventLog = EventLog(),
        wake: @escaping @Sendable () -> Void = {}
    ) {
        self.endpoints = endpoints
        self.events = events
        self.wake = wake
    }

    /// Whether `service` can be used in `region`, by name, because ids do not outlive a reload (those inside the verdict
    /// belong to the snapshot in force when it was made). Nil before the first evaluation or for unknown names: treat it
    /// as healthy.
    ///
    /// `share` grows from 0.1 to 1 while the region returns from a failure, over the longest `ramp` of the names that
    /// use the service, and `healthChanged()` is called at each step.
    package func verdict(service: String, region: String) -> Verdict? {
        state.withLock { $0.verdicts[Key(service: service, region: region)] }
    }

    /// True while `service` is down in every region that offers it.
    package func failOpen(service: String) -> Bool { state.withLock { $0.failOpen.contains(service) } }

    /// Grows with every change of a verdict.
    package var generation: UInt64 { state.withLock { $0.generation } }

    /// Sorted by service, then region.
    package var verdicts: [(service: String, region: String, verdict: Verdict)] {
        state.withLock { $0.verdicts }
            .map { (service: $0.key.service, region: $0.key.region, verdict: $0.value) }
            .sorted { ($0.service, $0.region) < ($1.service, $1.region) }
    }

    /// Has the control plane look at once instead of at its next tick (100 ms): a tier calls it when an endpoint's row of
    /// failures reaches its pool's `EjectionPolicy.failures`. Any thread; cheap.
    package func endpointsChanged() { wake() }

    /// Replaces everything that is known.
    ///
    /// - Returns: true when something that tiers act upon (health, share, freeze) moved.
    @discardableResult
    package func publish(_ verdicts: [Verdict], in snapshot: Snapshot, failOpen: Set<String>) -> Bool {
        var table: [Key: Verdict] = [:]
        for verdict in verdicts {
            table[Key(service: snapshot[verdict.service].name, region: snapshot[verdict.region].name)] = verdict
        }
        return state.withLock { state in
            let moved =
                state.failOpen != failOpen || state.verdicts.count != table.count
                || table.contains { key, new in
                    guard let old = state.verdicts[key] else { return true }
                    return old.healthy != new.healthy || old.share != new.share
                }
            state.verdicts = table
            state.failOpen = failOpen
            if moved { state.generation += 1 }
            return moved
        }
    }
}
