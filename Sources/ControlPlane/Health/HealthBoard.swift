package import Engine
package import Health
package import Model
import Synchronization

/// What is known about health, kept by the control plane and read by the tiers. Workers read and count on `endpoints`
/// (atomics); the rest takes a lock and is for control threads only, never per query.
package final class HealthBoard: Sendable {
    private struct State {
        var view = HealthView()
        /// The view that tiers last acted upon: many small steps of load are one large one.
        var acted = HealthView()
        var generation: UInt64 = 0
    }

    /// State of every endpoint: up, role, ejected, draining, in flight, failures. Checks and the control plane write the
    /// state (ejection included: tiers only count successes and failures).
    package let endpoints: EndpointTable
    package let events: EventLog
    /// How our own checks are known.
    package let checkMark: CheckMark
    /// Standstills of this process after which the view has said that nothing in it was confirmed.
    package var doubts: UInt64 { doubtCount.load(ordering: .acquiring) }
    private let doubtCount = Atomic<UInt64>(0)
    private let state = Mutex(State())
    private let wake: @Sendable () -> Void

    /// `wake` is called when somebody changed an endpoint and verdicts should be looked at again, at once.
    package init(
        endpoints: EndpointTable = EndpointTable(), events: EventLog = EventLog(),
        checkMark: CheckMark = CheckMark(), wake: @escaping @Sendable () -> Void = {}
    ) {
        self.endpoints = endpoints
        self.events = events
        self.checkMark = checkMark
        self.wake = wake
    }

    /// Everything at one moment, for those who look up many things: it costs one lock, its lookups none.
    package var view: HealthView { state.withLock { $0.view } }

    /// Whether `service` can be used in `region`, by name, because ids do not outlive a reload (those inside the verdict
    /// belong to the snapshot in force when it was made). Nil before the first evaluation or for unknown names: treat it
    /// as healthy.
    ///
    /// `share` grows from 0.1 to 1 while the region returns from a failure, over the longest `ramp` of the names that
    /// use the service, and `healthChanged()` is called at each step.
    package func verdict(service: String, region: String) -> Verdict? {
        view.verdict(service: service, region: region)
    }

    /// What `region` carries of `service`, smoothed; nil when it is not known.
    package func load(service: String, region: String) -> RegionLoad? { view.load(service: service, region: region) }

    /// True while `service` is down in every region that offers it.
    package func failOpen(service: String) -> Bool { view.failOpen.contains(service) }

    /// Grows with every change that tiers act upon.
    package var generation: UInt64 { state.withLock { $0.generation } }

    /// Sorted by service, then region.
    package var verdicts: [(service: String, region: String, verdict: Verdict)] { view.services }

    /// Has the control plane look at once instead of at its next tick (100 ms): a tier calls it when an endpoint's row of
    /// failures reaches its pool's `EjectionPolicy.failures`. Any thread; cheap.
    package func endpointsChanged() { wake() }

    /// The view that was published last is the first after a standstill: whoever reads `doubts` from now on, and then the
    /// view, sees none from before.
    func doubted() { doubtCount.add(1, ordering: .releasing) }

    /// Replaces everything that is known.
    ///
    /// - Returns: true when something that tiers act upon (health, share, overrides) moved.
    @discardableResult
    package func publish(_ view: HealthView) -> Bool {
        state.withLock { state in
            let moved = view.differs(from: state.acted)
            state.view = view
            if moved {
                state.acted = view
                state.generation += 1
            }
            return moved
        }
    }

    /// The same for verdicts alone.
    @discardableResult
    package func publish(_ verdicts: [Verdict], in snapshot: Snapshot, failOpen: Set<String>) -> Bool {
        publish(
            HealthView(
                Evaluation(verdicts: verdicts, failOpen: failOpen), in: snapshot, overrides: OverrideRules()))
    }
}
