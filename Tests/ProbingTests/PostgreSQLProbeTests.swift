import ControlPlane
import Engine
import Health
import Model
import Testing

/// Against a real server. One story, because making a cluster takes seconds.
@Suite
struct PostgreSQLProbeTests {
    private let reports = Reports()
    private let replicaReports = Reports()

    private func check(
        user: String = "postgres", password: Secret? = nil, maximumLag: Duration? = .seconds(10),
        interval: Duration = .milliseconds(100)
    ) -> HealthCheck {
        let probe = PostgreSQLProbe(user: user, database: "postgres", password: password, maximumLag: maximumLag)
        return HealthCheck(probe: .postgresql(probe), interval: interval, timeout: .seconds(2), rise: 3, fall: 2)
    }

    @Test(.timeLimit(.minutes(1))) func rolesLagDeathAndPromotion() async throws {
        try await PostgreSQLCluster.with { cluster in
            let (reports, replicaReports) = (reports, replicaReports)
            let service = ProbeService<String>(
                client: HTTPClient(), waiter: try SocketWaiter(), secret: { _ in nil }
            ) { id, report in
                (id == "primary" ? reports : replicaReports).add(report)
            }
            // A long interval: the death must be noticed without a probe.
            let patient = ProbeTarget(id: "primary", address: cluster.address, check: check(interval: .seconds(30)))
            service.update([patient])
            let primary = try await reports.first { _ in true }
            #expect(primary.up && primary.role == .primary && primary.changed)
            #expect(primary.outcome.lag == nil)

            try await cluster.addReplica()
            service.update([
                patient, ProbeTarget(id: "replica", address: cluster.replicaAddress, check: check()),
            ])
            let replica = try await replicaReports.first { $0.up }
            #expect(replica.role == .replica)
            let settled = try await replicaReports.first {
                if case .connected = $0.outcome.replication?.receiver { true } else { false }
            }
            #expect(settled.up)

            try await cluster.stop("primary")
            let dead = try await reports.first { !$0.up }
            #expect(dead.changed && dead.role == nil)
            #expect(!dead.outcome.reason.isEmpty)

            try await cluster.promote()
            let promoted = try await replicaReports.first { $0.role == .primary }
            #expect(promoted.changed && promoted.up)
            await service.stop()
        }
    }

    @Test(.timeLimit(.minutes(1))) func saysWhyALoginFails() async throws {
        try await PostgreSQLCluster.with { cluster in
            let reports = reports
            let service = ProbeService<String>(
                client: HTTPClient(), waiter: try SocketWaiter(), secret: { _ in nil }
            ) { _, report in reports.add(report) }
            service.update([ProbeTarget(id: "a", address: cluster.address, check: check(user: "nobody-here"))])
            let unknown = try await reports.first { _ in true }
            #expect(!unknown.up)
            #expect(unknown.outcome.reason.contains("nobody-here"))
            let seen = reports.list.count
            service.update([
                ProbeTarget(id: "a", address: cluster.address, check: check(password: .environment("MERIDIAN_UNSET")))
            ])
            let secret = try await reports.first(after: seen) { !$0.outcome.reason.contains("nobody-here") }
            #expect(secret.outcome.reason == "the password cannot be read")
            await service.stop()
        }
    }
}
