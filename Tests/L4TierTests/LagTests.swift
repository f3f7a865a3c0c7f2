import ControlPlane
import Engine
import L4Tier
import Model
import Testing

/// Lag is not death: sessions on a late replica stay, and new ones go elsewhere if they can.
@Suite("Late replicas") struct LagTests {
    private func stage(
        _ count: Int, role: Role = .replica, fallsBackToPrimary: Bool = false,
        balance: BalanceAlgorithm = .roundRobin
    ) throws -> Stage {
        var options = Stage.Options()
        options.role = role
        options.check = Stage.postgresql
        options.fallsBackToPrimary = fallsBackToPrimary
        options.balance = balance
        let backends = try (0..<count).map { index in
            try Backend { descriptor in
                Backend.write(descriptor, [UInt8(index)])
                Backend.echo(descriptor)
            }
        }
        return try Stage(backends.map(\.address), options)
    }

    private func owner(_ stage: Stage) throws -> UInt8? {
        guard case .bytes(let octets) = try Client(stage.address()).receive() else { return nil }
        return octets.first
    }

    @Test("A replica that falls behind keeps its sessions, and new ones go to the other")
    func sessionsStay() async throws {
        let stage = try stage(2)
        stage.set(0, [.up, .replica])
        let client = try Client(stage.address())
        #expect(client.receive() == .bytes([0]))
        stage.set(1, [.up, .replica])
        stage.set(0, [.up, .replica, .late], lag: 9000)
        for _ in 0..<6 { #expect(try owner(stage) == 1) }
        client.send("x")
        #expect(client.text(1) == "x")
        #expect(stage.counter("connections_closed_on_down_total") == 0)
        await stage.server.stop(deadline: .zero)
    }

    @Test("When all are late, the one that is least behind is taken", arguments: BalanceAlgorithm.allCases)
    func leastLate(balance: BalanceAlgorithm) async throws {
        let stage = try stage(3, balance: balance)
        stage.set(0, [.up, .replica, .late], lag: 9000)
        stage.set(1, [.up, .replica, .late], lag: 7000)
        // Nobody knows how far it is behind.
        stage.set(2, [.up, .replica, .late], lag: .max)
        for _ in 0..<6 { #expect(try owner(stage) == 1) }
        stage.set(1, [.replica])
        for _ in 0..<6 { #expect(try owner(stage) == 0) }
        // One that nobody knows about is better than none.
        stage.set(0, [])
        for _ in 0..<6 { #expect(try owner(stage) == 2) }
        await stage.server.stop(deadline: .zero)
    }

    @Test("With fallback: primary, the primary takes what no level replica can, and gives it up to nobody")
    func fallback() async throws {
        let stage = try stage(3, fallsBackToPrimary: true)
        stage.set(0, [.up, .primary])
        stage.set(1, [.up, .replica])
        stage.set(2, [.up, .replica, .late], lag: 9000)
        for _ in 0..<6 { #expect(try owner(stage) == 1) }
        stage.set(1, [.up, .replica, .late], lag: 8000)
        let client = try Client(stage.address())
        #expect(client.receive() == .bytes([0]))
        for _ in 0..<6 { #expect(try owner(stage) == 0) }
        // Sessions that were sent to the primary stay there when the replicas are level again.
        stage.set(1, [.up, .replica])
        for _ in 0..<6 { #expect(try owner(stage) == 1) }
        client.send("x")
        #expect(client.text(1) == "x")
        // Without a primary the least late one is taken.
        stage.set(1, [.up, .replica, .late], lag: 8000)
        stage.set(0, [])
        #expect(client.receive() == .reset)
        for _ in 0..<6 { #expect(try owner(stage) == 1) }
        await stage.server.stop(deadline: .zero)
    }

    @Test(
        "A primary that is fenced off gets nothing, not even by fallback, and loses its sessions",
        arguments: [
            Role.primary, .replica, .any,
        ])
    func fenced(role: Role) async throws {
        let stage = try stage(2, role: role, fallsBackToPrimary: role == .replica)
        stage.set(0, [.up, .primary])
        let client = try Client(stage.address())
        #expect(client.receive() == .bytes([0]))
        stage.set(0, [.up, .fenced])
        #expect(client.receive() == .reset)
        let next = try Client(stage.address())
        // A client of PostgreSQL, which is told why.
        next.send([0, 0, 0, 9, 0, 3, 0, 0, 0])
        guard case .bytes(let refusal) = next.receive() else {
            Issue.record("no refusal")
            return
        }
        #expect(String(decoding: refusal, as: UTF8.self).contains("57P03"))
        stage.set(1, [.up, .primary])
        for _ in 0..<4 { #expect(try owner(stage) == 1) }
        await stage.server.stop(deadline: .zero)
    }

    @Test("explain says who is behind, and why the one is taken that is")
    func explained() async throws {
        let stage = try stage(3, fallsBackToPrimary: true)
        func explain() -> StatusValue { (stage.server.explain(["kind": "tcp", "name": "orders-0"]) ?? nil) ?? .null }
        stage.set(0, [.up, .checked, .primary])
        stage.set(1, [.up, .checked, .replica, .late], lag: 9000)
        stage.set(2, [.up, .checked, .fenced])
        #expect(explain()["chosen"].string == stage.endpoints[0].description)
        #expect(explain()["because"].string == "no replica is up and level enough: fallback: primary")
        let objections = explain()["endpoints"].array.map { $0["objections"].array.compactMap(\.string) }
        #expect(
            objections == [
                ["not replica"], ["9000 ms behind, more than allowed"],
                ["a primary that is not written to, for another one is or was; status says more"],
            ])
        stage.set(0, [.checked])
        #expect(explain()["chosen"].string == stage.endpoints[1].description)
        #expect(explain()["because"].string == "every server in the role is late: the one that is least behind")
        let listed = stage.server.status()["listeners"].array.first?["endpoints"].array ?? []
        #expect(
            listed.map { $0["late"].bool } == [nil, true, nil] && listed.map { $0["fenced"].bool } == [nil, nil, true])
        await stage.server.stop(deadline: .zero)
    }
}
