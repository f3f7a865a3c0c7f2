import ControlPlane
import Glibc
import Model
import Testing

/// When a database counts as alive, and when a check doubts what its old session says.
@Suite("Life of database servers", .timeLimit(.minutes(1)))
struct DatabaseLifeTests {
    @Test("A server that ends each session after its answer is up, and logged in on twice an interval at most")
    func shortSessions() async throws {
        let watched = try WatchedDatabase(databaseCheck(interval: .milliseconds(500), fall: 1)) { peer in
            guard peer.startup() != nil else { return }
            peer.letIn()
            for row in DatabasePuppet.primary {
                _ = peer.message()
                peer.write(
                    (row.map(DatabasePuppet.row) ?? []) + DatabasePuppet.message("C", [0]) + DatabasePuppet.ready)
            }
            peer.write(DatabasePuppet.error("FATAL", "57P05", "terminating connection due to idle-session timeout"))
        }
        let begun = ContinuousClock.now
        _ = try await watched.reports.first(after: 6) { _ in true }
        let intervals = (ContinuousClock.now - begun) / .milliseconds(500)
        #expect(watched.reports.list.allSatisfy { $0.up && $0.outcome.up })
        #expect(Double(watched.puppet.accepted) <= 2 * intervals + 3)
        await watched.stop()
    }

    @Test("A server with no slot left is alive, and what it was before")
    func tooManyConnections() async throws {
        let full = DatabasePuppet.error("FATAL", "53300", "sorry, too many clients already")
        // The old session still answers.
        do {
            let watched = try WatchedDatabase(
                databaseCheck(),
                { peer in
                    guard peer.startup() != nil else { return }
                    guard peer.number == 0 else {
                        peer.write(full)
                        return
                    }
                    peer.letIn()
                    peer.answer(DatabasePuppet.primary)
                })
            let puppet = watched.puppet
            let reports = watched.reports
            _ = try await reports.first(after: 20) { _ in true }
            #expect(reports.list.allSatisfy { $0.outcome.up && $0.role == .primary })
            #expect(puppet.accepted > 2)
            await watched.stop()
        }
        // The old session is gone.
        do {
            let watched = try WatchedDatabase(
                databaseCheck(fall: 2),
                { peer in
                    guard peer.startup() != nil else { return }
                    guard peer.number == 0 else {
                        peer.write(full)
                        return
                    }
                    peer.letIn()
                    for row in DatabasePuppet.primary {
                        _ = peer.message()
                        peer.write(
                            (row.map(DatabasePuppet.row) ?? []) + DatabasePuppet.message("C", [0])
                                + DatabasePuppet.ready)
                    }
                })
            let reports = watched.reports
            _ = try await reports.first(after: 10) { _ in true }
            #expect(reports.list.allSatisfy { $0.up && $0.role == .primary })
            #expect(reports.list.last?.outcome.reason == "FATAL: sorry, too many clients already")
            await watched.stop()
        }
        // There never was one.
        do {
            let watched = try WatchedDatabase(
                databaseCheck(),
                { peer in
                    guard peer.startup() != nil else { return }
                    peer.write(full)
                })
            let reports = watched.reports
            let report = try await reports.first { _ in true }
            #expect(report.up && report.role == nil, "alive, and nobody knows what")
            await watched.stop()
        }
    }

    @Test("For the check of a name a replica that is behind, or of which nobody knows, is down")
    func names() async throws {
        for (row, receiver, reason) in [
            (["t", nil, nil, "0/5", "0/5", "100", "40"], nil, "replica 60000 ms behind, allowed 5000 ms"),
            (["t", nil, nil, "0/5", "0/5", "nan", "40"], nil, "replica, nobody knows how far behind, allowed 5000 ms"),
            (["t", nil, nil, "0/5", "0/5", "100", "40"], ["1", "0/5"], nil),
        ] as [([String?], [String?]?, String?)] {
            let puppet = try DatabasePuppet(DatabasePuppet.answering([row, ["1", "1"], receiver]))
            let reports = Reports()
            let service = ProbeService<String>(
                client: HTTPClient(), waiter: try SocketWaiter(), secret: { _ in nil }, lagIsDeath: true
            ) { _, report in reports.add(report) }
            service.update([ProbeTarget(id: "a", address: puppet.address, check: databaseCheck(password: false))])
            let report = try await reports.first { _ in true }
            #expect(report.up == (reason == nil))
            #expect(report.outcome.reason == reason ?? "replica")
            await service.stop()
            puppet.stop()
        }
    }

    @Test("A check logs in anew every fifth time, while its old session goes on answering")
    func anew() async throws {
        do {
            let watched = try WatchedDatabase(
                databaseCheck(),
                { peer in
                    guard peer.startup() != nil else { return }
                    // From the third login on nobody gets in any more.
                    if peer.number >= 2 {
                        _ = peer.message()
                        return
                    }
                    peer.letIn()
                    peer.answer(DatabasePuppet.primary)
                })
            let puppet = watched.puppet
            let reports = watched.reports
            let down = try await reports.first { !$0.up }
            #expect(puppet.accepted >= 3)
            let before = reports.list.prefix { $0.up }.count
            #expect(before == 10)
            #expect(!down.outcome.reason.isEmpty)
            await watched.stop()
        }
    }

    @Test("A slow answer is a reason to log in anew")
    func doubtful() async throws {
        do {
            let watched = try WatchedDatabase(
                databaseCheck(timeout: .milliseconds(1000)),
                { peer in
                    guard peer.startup() != nil else { return }
                    if peer.number == 0 { usleep(600_000) }
                    peer.letIn()
                    peer.answer(DatabasePuppet.primary)
                })
            let puppet = watched.puppet
            let reports = watched.reports
            _ = try await reports.first(after: 1) { $0.up }
            #expect(puppet.accepted == 2)
            await watched.stop()
        }
    }
}
