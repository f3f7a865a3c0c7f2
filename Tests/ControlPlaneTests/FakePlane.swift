import ControlPlane
import Engine
import Model
import Synchronization
import Topology

/// A tier without traffic that writes down what it is told.
final class FakePlane: DataPlane {
    struct Prepared: Sendable {
        let fingerprint: UInt64
    }

    struct State {
        var calls: [String] = []
        var healthChanges = 0
        var refusal: String?
        var facts = DataPlaneFacts()
        var board: HealthBoard?
        /// Endpoints that were not looked at yet when users were let in.
        var unchecked: Int?
        var staleServices: Set<String> = []
    }

    let tier: Tier
    private let state = Mutex(State())

    init(_ tier: Tier) { self.tier = tier }

    var calls: [String] { state.withLock { $0.calls } }
    var healthChanges: Int { state.withLock { $0.healthChanges } }
    var unchecked: Int? { state.withLock { $0.unchecked } }
    func refuse(_ reason: String?) { state.withLock { $0.refusal = reason } }
    /// Services of which a verdict was stale at some change of health.
    var staleServices: Set<String> { state.withLock { $0.staleServices } }
    func pretend(_ facts: DataPlaneFacts) { state.withLock { $0.facts = facts } }

    private func note(_ call: String) { state.withLock { $0.calls.append(call) } }

    func prepare(_ snapshot: Snapshot, node: NodeID) throws(InvalidTopology) -> Prepared {
        note("prepare")
        if let reason = state.withLock({ $0.refusal }) {
            throw InvalidTopology(diagnostics: [Diagnostic(file: "zone", line: 3, column: 1, message: reason)])
        }
        return Prepared(fingerprint: snapshot.fingerprint)
    }

    func start(_ prepared: Prepared, health: HealthBoard) throws {
        note("start")
        state.withLock { $0.board = health }
    }

    func open() throws {
        note("open")
        state.withLock { state in
            // Each fake has one endpoint of its own, the first or the second of the scene.
            let isKnown = [0, 1].contains { state.board?.endpoints.state($0).contains(.checked) != false }
            state.unchecked = isKnown ? 0 : 1
        }
    }

    func leave() { note("leave") }
    func install(_ prepared: Prepared) { note("install") }
    func healthChanged() {
        let stale = state.withLock { $0.board }?.verdicts.filter(\.verdict.stale).map(\.service) ?? []
        state.withLock { state in
            state.healthChanges += 1
            state.staleServices.formUnion(stale)
        }
    }
    func facts() -> DataPlaneFacts { state.withLock { $0.facts } }
    func metrics(into text: inout MetricsText) { text.counter("meridian_fake_total", help: "Fakes.", 1) }
    func status() -> StatusValue { ["names": [], "node": "never shown"] }
    func explain(_ question: [String: String]) -> StatusValue? {
        guard question["kind"] == "fake" else { return nil }
        return question["name"] == "" ? ["error": "name is missing"] : ["why": "because"]
    }
    func stopAccepting() { note("stopAccepting") }
    func stop(deadline: Duration) async { note("stop \(deadline.milliseconds)") }
}
