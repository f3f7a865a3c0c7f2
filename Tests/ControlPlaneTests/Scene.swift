import ControlPlane
import Engine
import FoundationEssentials
import Glibc
import HTTPExchange
import Model
import Synchronization
import Topology

/// A small world of real nodes with fake tiers: one DNS node and, in one region, an L7 node in front of one backend and an
/// L4 node in front of one port, all on loopback ports of their own.
final class Scene {
    let folder: URL
    let ports: [String: UInt16]
    private(set) var nodes: [String: RunningNode] = [:]
    private(set) var planes: [String: FakePlane] = [:]
    let client = HTTPClient()
    private var pumps: [Task<Void, Never>] = []

    /// `ports` are those that the test itself listens on: `web`, `front` and `db`.
    init(ports: [String: UInt16]) throws {
        folder = URL(filePath: "/tmp/meridian-scene-\(getpid())-\(UInt64.random(in: 0...UInt64.max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data("a federation key for tests only\n".utf8).write(to: folder.appending(path: "key"))
        var all = ports
        for name in ["dns-admin", "dns-federation", "l7-admin", "l7-federation", "l4-admin", "l4-federation"] {
            all[name] = try Self.freePort()
        }
        self.ports = all
        try write()
    }

    var topology: String { folder.appending(path: "topology.yaml").path }

    /// Writes the topology with `extra` at its end.
    func write(interval: String = "100ms", timeout: String = "100ms", extra: String = "") throws {
        func port(_ name: String) -> String { "127.0.0.1:\(ports[name] ?? 0)" }
        let text = """
            federation: {keys: [{id: k1, secret: {file: key}}], interval: 200ms, staleAfter: 4s}
            regions: {eu: {address: 127.0.0.1}, us: {address: 127.0.0.2}}
            nodes:
              dns: {tier: dns, region: us, address: 127.0.0.3, admin: "\(port("dns-admin"))", federation: "\(port("dns-federation"))"}
              l7: {tier: l7, region: eu, admin: "\(port("l7-admin"))", federation: "\(port("l7-federation"))", drainTimeout: 1s}
              l4: {tier: l4, region: eu, admin: "\(port("l4-admin"))", federation: "\(port("l4-federation"))"}
            services: {db: {threshold: 1%}, shop: {dependsOn: [db], threshold: 50%}}
            pools:
              web:
                kind: http
                service: shop
                endpoints: {eu: ["\(port("web"))"]}
                check: {http: {path: /}, interval: \(interval), timeout: \(timeout), rise: 2, fall: 2}
              orders:
                kind: tcp
                service: db
                endpoints: {eu: ["\(port("db"))"]}
                check: {tcp: {}, interval: \(interval), timeout: \(timeout), rise: 2, fall: 2}
            dns:
              port: 5300
              zones:
                shop.test:
                  file: shop.test.zone
                  names:
                    www:
                      service: shop
                      check: {http: {path: /, port: \(ports["front"] ?? 0)}, interval: \(interval), timeout: \(timeout), rise: 2, fall: 2}
                      answers: {eu: {A: 127.0.0.1}}
                      steps: [healthy]
            \(extra)
            """
        try Data(text.utf8).write(to: URL(filePath: topology))
    }

    /// Writes the topology anew as `change` makes it.
    func edit(_ change: (String) -> String) throws {
        let file = URL(filePath: topology)
        try Data(change(try String(contentsOf: file, encoding: .utf8)).utf8).write(to: file)
    }

    /// Boots a node as `NodeRuntime.serve` does, without signals.
    ///
    /// Without `working` nobody judges or reports: the node knows what it starts with.
    func boot(
        _ name: String, _ tier: Tier, working: Bool = true, clock: SteadyClock = SteadyClock(),
        wall: @escaping @Sendable () -> Timestamp = { .now }
    ) throws {
        let plane = FakePlane(tier)
        let snapshot = try TopologyLoader.load(path: topology)
        guard let id = snapshot.node(named: name) else { return }
        let secrets = try NodeSecrets(snapshot, node: id, topology: topology)
        let node = try RunningNode(
            snapshot, node: id, topology: topology, secrets: secrets, plane: plane, clock: clock, wall: wall)
        if working { node.startProbes() }
        try plane.start(try plane.prepare(snapshot, node: id), health: node.board)
        try node.openListeners()
        nodes[name] = node
        planes[name] = plane
        if working {
            pumps.append(Task { await node.work() })
            pumps.append(Task { try? await node.serveUsers() })
        }
    }

    /// Ends a node without a word, as SIGKILL would.
    func kill(_ name: String) async {
        guard let node = nodes.removeValue(forKey: name) else { return }
        await node.stopWatching()
        await node.closeListeners()
    }

    func stop() async {
        for name in Array(nodes.keys) { await kill(name) }
        for pump in pumps { await pump.value }
        client.shutdown()
        try? FileManager.default.removeItem(at: folder)
    }

    /// What `shop` in `eu` is judged on `node`.
    func verdict(on node: String, _ service: String = "shop") -> Verdict? {
        nodes[node]?.board.verdict(service: service, region: "eu")
    }

    func ask(
        _ node: String, _ path: String, method: String = "GET", headers: [(name: String, value: String)] = [],
        body: String = ""
    ) async throws -> (status: Int, value: StatusValue, text: String) {
        let response = try await client.request(
            HTTPClientRequest(
                url: "http://127.0.0.1:\(ports["\(node)-admin"] ?? 0)\(path)", method: method, headers: headers,
                body: Array(body.utf8)))
        return (
            response.status, StatusValue(json: response.body) ?? .null, String(decoding: response.body, as: UTF8.self)
        )
    }

    private static func freePort() throws -> UInt16 {
        let server = try HTTPServer(addresses: [loopback]) { _, reply in reply(.init(status: 200)) }
        let port = server.addresses[0].port
        Task { await server.stop() }
        return port
    }

    static let loopback = SocketAddress(IPAddress(v4: 0x7f00_0001), port: 0)

    /// A backend that answers 200.
    static func backend(port: UInt16 = 0) throws -> HTTPServer {
        try HTTPServer(addresses: [SocketAddress(IPAddress(v4: 0x7f00_0001), port: port)]) { _, reply in
            reply(.init(status: 200))
        }
    }
}
