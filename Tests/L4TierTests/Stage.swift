import ControlPlane
import Engine
import Foundation
import L4Tier
import Model

/// A running L4 node in this process, with one listener or more in front of one pool.
final class Stage {
    struct Options {
        var role = Role.any
        var balance = BalanceAlgorithm.roundRobin
        var check: HealthCheck?
        var connections = 1000
        var idle = Duration.seconds(60)
        var connect = Duration.seconds(1)
        var closeOnDown = true
        var fallsBackToPrimary = false
        var workers = 1
        var clientKeepalive = Keepalive.standard
        var endpointKeepalive = Keepalive.standard
        var log = LogSettings()
    }

    static let postgresql = HealthCheck(
        probe: .postgresql(PostgreSQLProbe(user: "u", database: "d", password: nil, maximumLag: nil)),
        interval: .seconds(1), timeout: .milliseconds(500), rise: 3, fall: 2)

    let server = Server()
    let health = HealthBoard()
    let options: Options
    let endpoints: [SocketAddress]
    let ports: [UInt16]
    private(set) var snapshot: Snapshot

    /// `ports` are those of another stage, to share them.
    init(
        _ endpoints: [SocketAddress], listeners: Int = 1, _ options: Options = Options(), ports shared: [UInt16]? = nil,
        opens: Bool = true
    ) throws {
        self.options = options
        self.endpoints = endpoints
        ports = try shared ?? (0..<listeners).map { _ in try Self.freePort() }
        snapshot = Self.snapshot(endpoints, ports: ports, options)
        try server.start(try server.prepare(snapshot, node: NodeID(0)), health: health)
        if opens { try server.open() }
    }

    func address(_ listener: Int = 0) -> SocketAddress {
        SocketAddress(IPAddress(v4: 0x7f00_0001), port: ports[listener])
    }

    /// Puts another configuration in force.
    func reload(
        _ endpoints: [SocketAddress], ports: [UInt16], changing change: (inout Options) -> Void = { _ in }
    ) throws {
        var options = options
        change(&options)
        let next = Self.snapshot(endpoints, ports: ports, options)
        server.install(try server.prepare(next, node: NodeID(0)))
    }

    /// Says what an endpoint is, as a probe would; `lag` is in milliseconds.
    func set(_ position: Int, _ state: EndpointState, lag: UInt64 = 0) {
        guard let slots = health.endpoints.slots(for: snapshot) else { return }
        health.endpoints.setLag(lag, at: slots[position])
        health.endpoints.remove(
            [.up, .primary, .replica, .draining, .ejected, .late, .fenced], at: slots[position])
        health.endpoints.insert(state, at: slots[position])
        server.healthChanged()
    }

    func inFlight(_ position: Int) -> Int {
        health.endpoints.slots(for: snapshot).map { health.endpoints.inFlight($0[position]) } ?? -1
    }

    func counter(_ name: String) -> UInt64 {
        var text = MetricsText()
        server.metrics(into: &text)
        let prefix = "meridian_l4_\(name) "
        return text.rendered.split(separator: "\n").first { $0.hasPrefix(prefix) }
            .flatMap { UInt64($0.dropFirst(prefix.count)) } ?? 0
    }

    /// Waits up to two seconds for `condition`.
    func eventually(_ condition: () -> Bool) async -> Bool {
        for _ in 0..<400 {
            if condition() { return true }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return condition()
    }

    static func freePort() throws -> UInt16 {
        let descriptor = try Socket.listen(SocketAddress(IPAddress(v4: 0x7f00_0001), port: 0))
        defer { Socket.close(descriptor) }
        guard let address = Socket.localAddress(descriptor) else { throw SocketError("getsockname", errno) }
        return address.port
    }

    private static func snapshot(_ endpoints: [SocketAddress], ports: [UInt16], _ options: Options) -> Snapshot {
        let region = Region(name: "here", location: Location(), address: nil, capacity: nil)
        let node = Node(
            name: "l4-here", tier: .l4, region: RegionID(0), address: IPAddress(v4: 0x7f00_0001),
            workers: options.workers, admin: nil, adminToken: nil, federation: nil, drainTimeout: .seconds(1),
            log: options.log)
        let pool = Pool(
            name: "orders", kind: .tcp, service: nil, balance: options.balance, check: options.check, ejection: nil,
            timeouts: PoolTimeouts(connect: options.connect, response: .seconds(30), idle: options.idle), keepalive: 0,
            watch: options.endpointKeepalive,
            endpoints: endpoints.indices.map(EndpointID.init), closeOnDown: options.closeOnDown)
        let listeners = ports.enumerated().map { index, port in
            TCPListener(
                name: "orders-\(index)", port: port, pool: PoolID(0), role: options.role,
                connections: options.connections, keepalive: options.clientKeepalive,
                fallsBackToPrimary: options.fallsBackToPrimary)
        }
        return Snapshot(
            fingerprint: 1, regions: [region], nodes: [node], services: [], pools: [pool],
            endpoints: endpoints.map { Endpoint(pool: PoolID(0), region: RegionID(0), address: $0, weight: 1) },
            dns: DNSPlan(port: 53, zones: [], locations: nil, maximumUDPSize: 1232),
            http: HTTPPlan(listeners: [], routes: []), tcp: TCPPlan(listeners: listeners),
            federation: FederationPlan(
                keys: [], interval: .seconds(1), staleAfter: .seconds(5), clockSkew: .seconds(30), failStaticShare: 60,
                damping: Damping(rise: .zero, fall: .zero)))
    }
}
