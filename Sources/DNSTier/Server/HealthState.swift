package import ControlPlane
import Model
import Steering

/// The dynamic names under the health of one moment: what decided, and the answers that follow.
package struct HealthState: Sendable {
    /// Of each name's candidates, with the reasons.
    let health: [[CandidateHealth]]
    package let dynamics: DynamicTable
    /// For each name, whether some class of clients is answered with candidates that are all unhealthy.
    package let failOpen: [Bool]

    package init(_ names: [PreparedName], board: HealthBoard) {
        let health = names.map { name in name.regions.map { Self.health(name.service, in: $0, board) } }
        // Reasons do not change answers; without them, more names share an evaluation.
        let bare = health.map { $0.map { CandidateHealth(healthy: $0.healthy, share: $0.share) } }
        let compiled = DynamicAnswers.compile(names, health: bare)
        self.health = health
        self.dynamics = compiled.table
        self.failOpen = compiled.failOpen
    }

    /// A name without a service, and a service that nobody has judged yet, are healthy.
    private static func health(_ service: String?, in region: String, _ board: HealthBoard) -> CandidateHealth {
        guard let service, let verdict = board.verdict(service: service, region: region) else {
            return CandidateHealth(healthy: true)
        }
        let reason = verdict.reasons.map { "\($0.source): \($0.text)" }.joined(separator: "; ")
        return CandidateHealth(healthy: verdict.healthy, share: verdict.share, reason: reason)
    }
}
