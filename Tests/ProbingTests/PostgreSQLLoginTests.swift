import ControlPlane
import Engine
import Health
import Model
import Testing

/// Logging in on a real server by every way that a check has.
@Suite("Logins of checks")
struct PostgreSQLLoginTests {
    private struct Case {
        let what: String
        let user: String
        var password = "p:w"
        var tls = PostgreSQLProbe.TLSUse.prefer
        var roots: String?
        var host: String?
        var md5 = false
        /// What the reason has; nil when the check passes.
        let trouble: String?
    }

    private static let rules = [
        "hostssl postgres secured 127.0.0.1/32 scram-sha-256", "hostnossl postgres plain 127.0.0.1/32 scram-sha-256",
        "host postgres mixed,accented 127.0.0.1/32 scram-sha-256", "host postgres old 127.0.0.1/32 md5",
        "host postgres clear 127.0.0.1/32 password", "hostnossl postgres secured 127.0.0.1/32 reject",
        "host postgres nobody 127.0.0.1/32 scram-sha-256",
    ]

    @Test("With and without TLS, by SCRAM, md5 and not in clear", .timeLimit(.minutes(2)))
    func ways() async throws {
        try await PostgreSQLCluster.with(rules: Self.rules, isEncrypted: true) { cluster in
            try await cluster.sql(
                """
                CREATE ROLE secured LOGIN PASSWORD 'p:w'; CREATE ROLE plain LOGIN PASSWORD 'p:w';
                CREATE ROLE mixed LOGIN PASSWORD 'p:w'; CREATE ROLE clear LOGIN PASSWORD 'p:w';
                CREATE ROLE accented LOGIN PASSWORD 'p\u{e4}\u{a0}\u{2168}ss';
                SET password_encryption = 'md5'; CREATE ROLE old LOGIN PASSWORD 'p:w'
                """)
            let (roots, other) = ("\(cluster.folder)/ca.pem", "\(cluster.folder)/other.pem")
            let cases = [
                Case(what: "SCRAM in TLS", user: "secured", trouble: nil),
                Case(what: "SCRAM in TLS, insisted on", user: "secured", tls: .require, trouble: nil),
                Case(what: "SCRAM without TLS", user: "plain", tls: .disable, trouble: nil),
                Case(what: "the server wants TLS", user: "secured", tls: .disable, trouble: "no encryption"),
                Case(what: "spaces and compatible characters", user: "accented", password: "pä\u{a0}Ⅸss", trouble: nil),
                Case(what: "the same by SASLprep", user: "accented", password: "pa\u{308} IXss", trouble: nil),
                Case(what: "a wrong password", user: "mixed", password: "x", trouble: "password authentication failed"),
                Case(what: "a role that there is not", user: "nobody", trouble: "password authentication failed"),
                Case(what: "md5, not allowed", user: "old", trouble: "it asks for an md5 password"),
                Case(what: "md5, allowed", user: "old", md5: true, trouble: nil),
                Case(
                    what: "in clear, even in TLS", user: "clear", tls: .require,
                    trouble: "in clear, which is never given"),
                Case(what: "a certificate of our CA", user: "mixed", tls: .verifyCA, roots: roots, trouble: nil),
                Case(what: "its name", user: "mixed", tls: .verifyFull, roots: roots, host: "db.test", trouble: nil),
                Case(what: "its address", user: "mixed", tls: .verifyFull, roots: roots, trouble: nil),
                Case(
                    what: "another name", user: "mixed", tls: .verifyFull, roots: roots, host: "other.test",
                    trouble: "TLS failed: hostname mismatch"),
                Case(what: "any name will do", user: "mixed", tls: .verifyCA, roots: roots, host: nil, trouble: nil),
                Case(what: "another CA", user: "mixed", tls: .verifyCA, roots: other, trouble: "TLS failed: "),
                Case(what: "another CA, unverified", user: "mixed", tls: .require, trouble: nil),
                Case(what: "the system's CAs", user: "mixed", tls: .verifyFull, trouble: "TLS failed: "),
                Case(
                    what: "no file of CAs", user: "mixed", tls: .verifyCA, roots: "\(cluster.folder)/none.pem",
                    trouble: "none.pem cannot be read"),
            ]
            for each in cases {
                let report = try await report(each, at: cluster.address)
                if let trouble = each.trouble {
                    #expect(
                        !report.up && report.outcome.reason.contains(trouble), "\(each.what): \(report.outcome.reason)")
                } else {
                    #expect(report.role == .primary, "\(each.what): \(report.outcome.reason)")
                    // Whatever right the role lacks, this much it is told.
                    #expect(report.outcome.replication?.timeline == 1 && report.outcome.replication?.written != nil)
                    #expect(report.outcome.replication?.system != nil)
                }
                #expect(!report.outcome.reason.contains("p:w"))
            }
        }
    }

    private func report(_ each: Case, at address: SocketAddress) async throws -> ProbeReport {
        let reports = Reports()
        let password = each.password
        let service = ProbeService<String>(
            client: HTTPClient(), waiter: try SocketWaiter(), secret: { _ in password }
        ) { _, report in reports.add(report) }
        let probe = PostgreSQLProbe(
            user: each.user, database: "postgres", password: .environment("P"), maximumLag: nil, tls: each.tls,
            roots: each.roots, host: each.host, allowsMD5: each.md5)
        let check = HealthCheck(
            probe: .postgresql(probe), interval: .milliseconds(100), timeout: .seconds(5), rise: 1, fall: 1)
        service.update([ProbeTarget(id: "a", address: address, check: check)])
        let report = try await reports.first { _ in true }
        await service.stop()
        return report
    }
}
