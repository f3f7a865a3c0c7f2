import Engine
import Health
import Model
import Testing

@testable import ControlPlane

/// Real servers: what a pool's databases may be used for, as replication goes on, falls behind and is promoted.
@Suite("Databases of a pool, for real")
struct ReplicationStoryTests {
    /// A node's view of a pool of two databases.
    private final class Pool: Sendable {
        let table = EndpointTable()
        let probing: EndpointProbing
        let slots: [Int]
        let changes = Changes()

        init(_ cluster: PostgreSQLCluster, _ probe: PostgreSQLProbe, timeout: Duration = .seconds(2)) throws {
            let check = HealthCheck(
                probe: .postgresql(probe), interval: .milliseconds(200), timeout: timeout, rise: 1, fall: 2)
            let snapshot = Snapshot.databases([cluster.address, cluster.replicaAddress], check: check)
            slots = try #require(table.slots(for: snapshot))
            let changes = changes
            probing = EndpointProbing(
                table: table, client: HTTPClient(), waiter: try SocketWaiter(), secret: { _ in "p:w" }
            ) { changes.add($0) }
            probing.update(snapshot, node: NodeID(0), slots: slots)
        }

        func standing(_ position: Int) -> ReplicationGroup.Standing {
            probing.databases.first { $0.slot == slots[position] }?.standing ?? .none
        }

        func state(_ position: Int) -> EndpointState { table.state(slots[position]) }

        /// Of a replica; nil when nobody knows.
        func lag(_ position: Int) -> Lag? {
            if case .replica(let lag, _) = standing(position) { lag } else { nil }
        }

        func isLate(_ position: Int) -> Bool {
            if case .replica(_, isLate: true) = standing(position) { true } else { false }
        }

        var metrics: String {
            var text = MetricsText()
            DatabaseMetrics.add(probing.databases, to: &text)
            return text.rendered
        }

        func eventually(_ what: String, within limit: Duration = .seconds(30), _ condition: () -> Bool) async -> Bool {
            let end = ContinuousClock.now + limit
            while ContinuousClock.now < end {
                // Never are two written to.
                if state(0).contains(.primary), state(1).contains(.primary) {
                    Issue.record("two primaries while waiting for: \(what)")
                }
                if condition() { return true }
                try? await Task.sleep(for: .milliseconds(20))
            }
            return condition()
        }
    }

    private func probe(_ user: String = "probe", maximumLag: Duration? = .seconds(3)) -> PostgreSQLProbe {
        PostgreSQLProbe(user: user, database: "postgres", password: .environment("P"), maximumLag: maximumLag)
    }

    /// A check's user without any right, as the documentation asks for.
    private static let rules = ["host postgres probe 127.0.0.1/32 scram-sha-256"]
    private static let user = "CREATE ROLE probe LOGIN PASSWORD 'p:w'"

    @Test(
        "Lag is what the replica lacks: none while it keeps up, however idle or long the load; growing when it is cut off"
    )
    func lag() async throws {
        try await PostgreSQLCluster.with(rules: Self.rules) { cluster in
            try await cluster.sql(Self.user)
            try await cluster.sql("CREATE TABLE t (i int)")
            try await cluster.addReplica()
            let pool = try Pool(cluster, probe())
            #expect(
                await pool.eventually("a level replica") { pool.standing(0) == .writer && pool.lag(1)?.time == .zero })
            #expect(!pool.isLate(1) && pool.state(1).isSuperset(of: [.up, .replica]))
            #expect(pool.probing.databases.map(\.timeline) == [1, 1])

            // Idle for a while, then one long transaction: nothing is committed for seven seconds.
            try await Task.sleep(for: .seconds(3))
            let load = Task {
                try await cluster.sql(
                    """
                    DO $$ BEGIN FOR i IN 1..40 LOOP INSERT INTO t SELECT generate_series(1, 2000);
                    PERFORM pg_sleep(0.1); END LOOP; END $$
                    """)
            }
            var longest = Duration.zero
            for _ in 0..<45 {
                longest = max(longest, pool.lag(1)?.time ?? .seconds(99))
                try await Task.sleep(for: .milliseconds(100))
            }
            try await load.value
            #expect(longest < .seconds(3), "by its last commit it would be seven seconds behind")

            // Its receiver goes; the primary goes on.
            try await cluster.sql("ALTER SYSTEM SET primary_conninfo = ''", on: cluster.replicaAddress)
            try await cluster.sql("SELECT pg_reload_conf()", on: cluster.replicaAddress)
            try await Task.sleep(for: .seconds(1))
            try await cluster.sql("INSERT INTO t VALUES (1)")
            #expect(await pool.eventually("a late replica") { pool.isLate(1) })
            #expect(pool.state(1).isSuperset(of: [.up, .replica, .late]), "lag is not death")
            #expect((pool.lag(1)?.time ?? .zero) > .seconds(3) && (pool.lag(1)?.octets ?? 0) > 0)
            let change = pool.changes.list.last { $0.slot == pool.slots[1] }
            #expect(change?.trouble?.contains("behind, allowed 3000 ms") == true && change?.report.up == true)
            #expect(pool.metrics.contains("meridian_database_late{"))

            // With the primary gone, too, it does not look level.
            try await cluster.stop("primary")
            #expect(await pool.eventually("no primary") { pool.standing(0) == .none })
            try await Task.sleep(for: .milliseconds(600))
            #expect(pool.isLate(1) && pool.state(1).contains(.up))

            // And it catches up when it is connected again.
            try await cluster.start("primary")
            try await cluster.sql(
                "ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=\(cluster.port) user=postgres'",
                on: cluster.replicaAddress)
            try await cluster.sql("SELECT pg_reload_conf()", on: cluster.replicaAddress)
            #expect(await pool.eventually("level again") { !pool.isLate(1) && pool.lag(1)?.time == .zero })
            await pool.probing.stop()
        }
    }

    @Test("Of two primaries the one that was promoted last is written to, and everybody is told")
    func twoPrimaries() async throws {
        try await PostgreSQLCluster.with(rules: Self.rules) { cluster in
            try await cluster.sql(Self.user)
            try await cluster.addReplica()
            let pool = try Pool(cluster, probe())
            #expect(await pool.eventually("roles") { pool.standing(0) == .writer && pool.lag(1) != nil })
            try await cluster.promote()
            #expect(await pool.eventually("the new one") { pool.standing(1) == .writer })
            #expect(pool.standing(0) == .fenced(.olderTimeline(1, than: 2)))
            #expect(pool.state(1).isSuperset(of: [.up, .primary]) && !pool.state(1).contains(.fenced))
            #expect(pool.state(0).isSuperset(of: [.up, .fenced]) && !pool.state(0).contains(.primary))
            #expect(!pool.state(0).isUsable)
            let change = pool.changes.list.last { $0.slot == pool.slots[0] }
            #expect(change?.trouble == "a primary of timeline 1, while 2 is known: not written to")
            #expect(change?.isFenced == true)
            #expect(pool.probing.report(pool.slots[0])?.outcome.reason.contains("timeline 1, while 2 is known") == true)
            let metrics = pool.metrics
            #expect(metrics.contains("meridian_database_primaries{pool=\"orders\"} 2"))
            #expect(
                metrics.contains("meridian_database_timeline{pool=\"orders\",endpoint=\"\(cluster.replicaAddress)\"} 2")
            )
            #expect(metrics.contains("meridian_database_fenced{pool=\"orders\",endpoint=\"\(cluster.address)\"} 1"))
            #expect(metrics.contains("meridian_database_written_to{pool=\"orders\",endpoint=\"\(cluster.address)\"} 0"))

            // The later one dies: the leftover is not written to for that.
            try await cluster.stop("replica")
            #expect(await pool.eventually("its death") { pool.standing(1) == .none })
            try await Task.sleep(for: .milliseconds(600))
            #expect(pool.standing(0) == .fenced(.pastTimeline(1, than: 2)))
            await pool.probing.stop()
        }
    }

    @Test("A postmaster that hangs is seen, although the check's old session goes on answering")
    func hangs() async throws {
        try await PostgreSQLCluster.with(rules: Self.rules) { cluster in
            try await cluster.sql(Self.user)
            let pool = try Pool(cluster, probe(), timeout: .seconds(1))
            #expect(await pool.eventually("a primary") { pool.standing(0) == .writer })
            try cluster.signal("primary", 19)
            #expect(await pool.eventually("its hang") { !pool.state(0).contains(.up) })
            #expect(pool.probing.report(pool.slots[0])?.outcome.reason == "no answer in time")
            try cluster.signal("primary", 18)
            #expect(await pool.eventually("its return") { pool.state(0).isSuperset(of: [.up, .primary]) })
            await pool.probing.stop()
        }
    }
}

extension Snapshot {
    /// A pool of databases in one region, and the L4 node there.
    static func databases(_ endpoints: [SocketAddress], check: HealthCheck, name: String = "orders") -> Snapshot {
        let region = Region(name: "here", location: Location(), address: nil, capacity: nil)
        let node = Node(
            name: "l4-here", tier: .l4, region: RegionID(0), address: IPAddress(v4: 0x7f00_0001), workers: 1,
            admin: nil,
            adminToken: nil, federation: nil, drainTimeout: .zero, log: LogSettings())
        let pool = Model.Pool(
            name: name, kind: .tcp, service: nil, balance: .roundRobin, check: check, ejection: nil,
            timeouts: PoolTimeouts(connect: .seconds(1), response: .seconds(1), idle: .seconds(1)), keepalive: 0,
            endpoints: endpoints.indices.map(EndpointID.init), closeOnDown: true)
        return Snapshot(
            fingerprint: 1, regions: [region], nodes: [node], services: [], pools: [pool],
            endpoints: endpoints.map { Endpoint(pool: PoolID(0), region: RegionID(0), address: $0, weight: 1) },
            dns: DNSPlan(port: 53, zones: [], locations: nil, maximumUDPSize: 1232),
            http: HTTPPlan(listeners: [], routes: []), tcp: TCPPlan(listeners: []),
            federation: FederationPlan(
                keys: [], interval: .seconds(1), staleAfter: .seconds(5), clockSkew: .seconds(30), failStaticShare: 60,
                damping: Damping(rise: .zero, fall: .zero)))
    }
}
