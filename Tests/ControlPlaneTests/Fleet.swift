import ControlPlane
import Engine
import Federation
import HTTPExchange
import Model
import Synchronization
import Topology

/// Nodes that federate over loopback sockets, within one process.
enum Fleet {
    static let key = Array("a federation key for tests only".utf8)

    static func keyring(_ secret: [UInt8] = key) -> Keyring? { Keyring([("k1", secret)]) }

    /// DNS nodes called `names`, with their federation listeners at `addresses`.
    static func snapshot(
        _ names: [String], _ addresses: [String: SocketAddress], interval: String = "200ms"
    ) throws -> Snapshot {
        var text = """
            federation: {keys: [{id: k1, secret: {env: X}}], interval: \(interval), staleAfter: 20s, clockSkew: 30s}
            regions: {eu: {address: 127.0.0.1}}
            nodes:

            """
        for (index, name) in names.enumerated() {
            let federation = addresses[name].map { ", federation: \"\($0)\"" } ?? ""
            text += "  \(name): {tier: dns, region: eu, address: 127.7.7.\(index + 1)\(federation)}\n"
        }
        return try TopologyLoader.load(text: text, file: "/fleet.yaml")
    }

    /// Waits until `condition` holds, at most `limit`.
    static func wait(_ limit: Duration = .seconds(10), until condition: () -> Bool) async -> Bool {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            if condition() { return true }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return condition()
    }
}

/// A hub with its listener and its polling.
final class FleetNode {
    let name: String
    let hub: FederationHub
    let server: FederationServer
    let changes: Counter
    private let client = HTTPClient()
    let polling: PeerPolling

    final class Counter: Sendable {
        private let count = Mutex(0)
        func add() { count.withLock { $0 += 1 } }
        var value: Int { count.withLock { $0 } }
    }

    init(_ name: String, fleet: [String], interval: String = "200ms") throws {
        self.name = name
        let changes = Counter()
        self.changes = changes
        hub = FederationHub(
            name: name, tier: .dns, region: "eu",
            settings: FederationHub.Settings(
                try Fleet.snapshot(fleet, [:], interval: interval), keyring: Fleet.keyring())
        ) { changes.add() }
        server = try FederationServer(
            address: SocketAddress(IPAddress(v4: 0x7f00_0001), port: 0), hub: hub)
        polling = PeerPolling(hub: hub, client: client)
    }

    var address: SocketAddress { server.address }

    /// Polls `peers` from now on.
    func follow(_ peers: [FleetNode], fleet: [String]) throws {
        var addresses = Dictionary(uniqueKeysWithValues: peers.map { ($0.name, $0.address) })
        addresses[name] = address
        let snapshot = try Fleet.snapshot(fleet, addresses)
        guard let node = snapshot.node(named: name) else { return }
        polling.update(snapshot, node: node)
    }

    func say(_ state: Report.State) { hub.publish(FederationHub.Content(state: state)) }

    func hears(_ other: String, _ state: Report.State) -> Bool { hub.entries[other]?.report.state == state }

    func stop() async {
        await polling.stop()
        hub.release()
        await server.stop()
        client.shutdown()
    }

    /// One request as a stranger makes it.
    func get(_ target: String, authorization: String?) async throws -> HTTPClientResponse {
        let headers = authorization.map { [(name: FederationServer.authorization, value: $0)] } ?? []
        return try await client.request(HTTPClientRequest(url: "http://\(address)\(target)", headers: headers))
    }
}
