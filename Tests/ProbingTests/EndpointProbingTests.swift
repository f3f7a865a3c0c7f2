import ControlPlane
import Engine
import Model
import Synchronization
import Testing

@Suite struct EndpointProbingTests {
    private let table = EndpointTable()

    private func snapshot(_ endpoints: [(SocketAddress, RegionID)], check: HealthCheck?) -> Snapshot {
        let regions = ["here", "there"].map {
            Region(name: $0, location: Location(), address: nil, capacity: nil)
        }
        let nodes = [Tier.l4, .l7, .dns].map { tier in
            Node(
                name: "\(tier)", tier: tier, region: RegionID(0), address: IPAddress(v4: 0x7f00_0001), workers: 1,
                admin: nil, adminToken: nil, federation: nil, drainTimeout: .zero, log: LogSettings())
        }
        let pool = Pool(
            name: "orders", kind: .tcp, service: nil, balance: .roundRobin, check: check, ejection: nil,
            timeouts: PoolTimeouts(connect: .seconds(1), response: .seconds(1), idle: .seconds(1)), keepalive: 0,
            endpoints: endpoints.indices.map(EndpointID.init), closeOnDown: true)
        return Snapshot(
            fingerprint: 1, regions: regions, nodes: nodes, services: [], pools: [pool],
            endpoints: endpoints.map { Endpoint(pool: PoolID(0), region: $0.1, address: $0.0, weight: 1) },
            dns: DNSPlan(port: 53, zones: [], locations: nil, maximumUDPSize: 1232),
            http: HTTPPlan(listeners: [], routes: []), tcp: TCPPlan(listeners: []),
            federation: FederationPlan(
                keys: [], interval: .seconds(1), staleAfter: .seconds(5), clockSkew: .seconds(30), failStaticShare: 60,
                damping: Damping(rise: .zero, fall: .zero)))
    }

    private let check = HealthCheck(
        probe: .tcp, interval: .milliseconds(40), timeout: .milliseconds(300), rise: 2, fall: 2)

    private func eventually(_ condition: () -> Bool) async -> Bool {
        for _ in 0..<400 {
            if condition() { return true }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return condition()
    }

    @Test func theTableFollowsTheChecks() async throws {
        let server = try ScriptedServer { _ in }
        let elsewhere = try ScriptedServer { _ in }
        defer { elsewhere.stop() }
        let snapshot = snapshot([(server.address, RegionID(0)), (elsewhere.address, RegionID(1))], check: check)
        let slots = try #require(table.slots(for: snapshot))
        let changes = Changes()
        let probing = EndpointProbing(
            table: table, client: HTTPClient(), waiter: try SocketWaiter(), secret: { _ in nil }
        ) { changes.add($0) }
        probing.update(snapshot, node: NodeID(0), slots: slots)
        #expect(await eventually { table.state(slots[0]).isSuperset(of: [.up, .checked]) })
        // Another region's endpoints are not this node's business.
        #expect(elsewhere.accepted == 0)
        #expect(!table.state(slots[1]).contains(.checked))
        #expect(probing.report(slots[0])?.outcome.reason == "accepts")

        // Those that connect are counted; whether one ends an ejection is not for them to say.
        table.insert(.ejected, at: slots[0])
        let connects = table.passedConnects(slots[0])
        #expect(await eventually { table.passedConnects(slots[0]) > connects &+ 1 })
        #expect(table.state(slots[0]).contains(.ejected))

        server.stop()
        #expect(await eventually { !table.state(slots[0]).contains(.up) })
        #expect(await eventually { changes.list.map(\.report.up) == [true, false] })
        #expect(changes.list.last?.pool == "orders" && changes.list.last?.address == server.address)
        #expect(changes.list.last?.report.outcome.reason == "connection refused")
        await probing.stop()
    }

    @Test func withoutACheckAnEndpointIsUp() async throws {
        let address = SocketAddress(IPAddress(v4: 0x7f00_0001), port: 1)
        let checked = snapshot([(address, RegionID(0))], check: check)
        let slots = try #require(table.slots(for: checked))
        let probing = EndpointProbing(
            table: table, client: HTTPClient(), waiter: try SocketWaiter(), secret: { _ in nil }
        ) { _ in }
        probing.update(checked, node: NodeID(0), slots: slots)
        #expect(await eventually { table.state(slots[0]).contains(.checked) })
        #expect(!table.state(slots[0]).contains(.up))
        probing.update(snapshot([(address, RegionID(0))], check: nil), node: NodeID(0), slots: slots)
        #expect(table.state(slots[0]).isUsable)
        #expect(probing.report(slots[0]) == nil)
        await probing.stop()
    }

    @Test func eachTierHasItsOwnScope() {
        let address = SocketAddress(IPAddress(v4: 0x7f00_0001), port: 1)
        let snapshot = snapshot([(address, RegionID(0)), (address, RegionID(1))], check: nil)
        #expect(EndpointProbing.scope(snapshot, node: NodeID(0)) == [EndpointID(0)])
        #expect(EndpointProbing.scope(snapshot, node: NodeID(1)).isEmpty)
        #expect(EndpointProbing.scope(snapshot, node: NodeID(2)).isEmpty)
    }
}

/// Collects what the probing tells.
final class Changes: Sendable {
    private let all = Mutex<[EndpointProbing.Change]>([])

    func add(_ change: EndpointProbing.Change) { all.withLock { $0.append(change) } }
    var list: [EndpointProbing.Change] { all.withLock { $0 } }
}
