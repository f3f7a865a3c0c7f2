package import ControlPlane
package import Foundation
package import Model
import Synchronization
import Topology

/// Everything that a topology describes, running on this machine: application servers, databases and our own nodes, each
/// in a process of its own, in a temporary folder.
package actor World {
    package nonisolated let snapshot: Snapshot
    package nonisolated let topology: String
    package nonisolated let folder: URL
    /// Asks the nodes' admin API.
    package nonisolated let http = HTTPClient()

    private var children: [String: Child] = [:]
    private var database: Database?
    private let environment: [String: String]

    /// Limits on open files by the name of our own nodes.
    private let descriptors: [String: Int]

    /// - Parameters:
    ///   - topology: Path of the topology file.
    ///   - descriptors: How many files a node may open, by its name; as many as we may where there is no number.
    /// - Throws: `InvalidTopology`, or a file error when the temporary folder cannot be made.
    package init(topology: String, descriptors: [String: Int] = [:]) throws {
        self.topology = topology
        self.descriptors = descriptors
        // Reports are signed with a key that only this world knows. PostgreSQL trusts loopback here, so the password is
        // only there to be read.
        environment = [
            "MERIDIAN_FEDERATION_KEY": Self.randomKey(), "MERIDIAN_DB_PASSWORD": Self.randomKey(),
        ]
        self.snapshot = try TopologyLoader.load(path: topology)
        folder = URL(
            filePath: "/tmp/meridian-world-\(ProcessInfo.processInfo.processIdentifier)-\(UUID().uuidString.prefix(8))")
        // PostgreSQL runs as another user when we are root, and must get into its folder below.
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
    }

    private static func randomKey() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<4).map { _ in String(UInt64.random(in: .max / 2 ... .max, using: &generator), radix: 16) }.joined()
    }

    // MARK: Starting and stopping

    /// Starts everything and waits until every node says that it is ready.
    ///
    /// - Parameter progress: Told what is being done.
    /// - Throws: `Programs.Missing`, `Child.Failure`.
    package func start(progress: @Sendable (String) -> Void = { _ in }) async throws {
        for tier in Tier.allCases where snapshot.nodes.contains(where: { $0.tier == tier }) {
            _ = try Programs.ours("meridian-\(tier.rawValue)")
        }
        progress("starting the application servers")
        for endpoint in endpoints(where: { $0.kind == .http }) { try startBackend(endpoint) }
        progress("making the databases")
        try await startDatabases()
        progress("starting the nodes")
        for node in snapshot.nodes { try startNode(node, topology: topology) }
        for node in snapshot.nodes { try await waitUntilReady(node.name, limit: .seconds(15)) }
        progress("all nodes are ready")
    }

    /// Ends every process, nodes first and politely, and removes the folder.
    ///
    /// - Returns: The nodes that did not end with status 0 after SIGTERM, with how they ended.
    @discardableResult
    package func stop() async -> [String: Child.Exit?] {
        http.shutdown()
        var unclean: [String: Child.Exit?] = [:]
        let nodes = snapshot.nodes.compactMap { children[$0.name] }.filter { $0.ended == nil }
        for node in nodes { node.send(SIGTERM) }
        for node in nodes {
            let exit = await node.wait(.seconds(8))
            if exit != .status(0) { unclean[node.name] = exit }
        }
        // Immediate for PostgreSQL, whose data nobody will read again.
        let others = children.filter { snapshot.node(named: $0.key) == nil }.values
        for other in others { other.send(SIGQUIT) }
        for other in others { _ = await other.wait(.seconds(4)) }
        for child in children.values where child.ended == nil { await child.stop(SIGKILL) }
        children.removeAll()
        try? FileManager.default.removeItem(at: folder)
        return unclean
    }

    /// Process ids of everything that still runs.
    package var running: [Int32] { children.values.filter { $0.ended == nil }.map(\.processID) }

    // MARK: Things that happen to it

    package func send(_ signal: Int32, to name: String) { children[name]?.send(signal) }

    package func child(_ name: String) -> Child? { children[name] }

    /// Starts again what was killed: a node by its name, a backend or database by its address. Returns at once.
    package func restart(_ name: String) async throws {
        if let child = children[name], child.ended == nil { await child.stop(SIGKILL) }
        if let id = snapshot.node(named: name) {
            try startNode(snapshot[id], topology: topology)
        } else if let endpoint = snapshot.endpoints.first(where: { $0.address.description == name }) {
            if snapshot[endpoint.pool].kind == .http {
                try startBackend(endpoint)
            } else if let database {
                children[name] = try database.start(endpoint.address, name: "postgres \(name)")
            }
        }
    }

    /// Starts another process of a node and leaves the one that runs alone: it was told to stop.
    ///
    /// `other`: another file that tells of it.
    package func startBeside(_ name: String, topology other: String? = nil) throws {
        if let id = snapshot.node(named: name) { try startNode(snapshot[id], topology: other ?? topology) }
    }

    /// What a node wrote to its log.
    package nonisolated func log(of node: String) -> String {
        guard let data = FileManager.default.contents(atPath: folder.appending(path: "\(node).log").path) else {
            return ""
        }
        return String(decoding: data, as: UTF8.self)
    }

    // MARK: Parts

    private func endpoints(where wanted: (Pool) -> Bool) -> [Endpoint] {
        snapshot.endpoints.filter { wanted(snapshot[$0.pool]) }
    }

    private func startBackend(_ endpoint: Endpoint) throws {
        children[endpoint.address.description] = try Backends.start(
            endpoint, pool: snapshot[endpoint.pool].name, region: snapshot[endpoint.region].name, folder: folder)
    }

    /// In each region the first endpoint of a PostgreSQL pool is the primary, the others follow it.
    private func startDatabases() async throws {
        let snapshot = snapshot
        let pools = snapshot.pools.indices.map(PoolID.init).filter { pool in
            guard let check = snapshot[pool].check, case .postgresql = check.probe else { return false }
            return true
        }
        guard !pools.isEmpty else { return }
        let database = try await Database(folder: folder.appending(path: "postgresql"))
        self.database = database
        try await withThrowingTaskGroup { group in
            for pool in pools {
                for region in snapshot.regions.indices.map(RegionID.init) {
                    let addresses = snapshot.endpoints(of: pool, in: region).map { snapshot[$0].address }
                    for address in addresses {
                        group.addTask {
                            try await database.create(
                                at: address, following: address == addresses[0] ? nil : addresses[0])
                            return address
                        }
                    }
                }
            }
            for try await address in group {
                children[address.description] = try database.start(address, name: "postgres \(address)")
            }
        }
    }

    private func startNode(_ node: Node, topology: String) throws {
        var words = [
            try Programs.ours("meridian-\(node.tier.rawValue)"), "serve", "--topology", topology, "--node", node.name,
        ]
        if let count = descriptors[node.name] { words = ["prlimit", "--nofile=\(count):\(count)"] + words }
        children[node.name] = try Child(
            node.name,
            Child.Launch(
                words[0], Array(words.dropFirst()), environment: environment,
                output: folder.appending(path: "\(node.name).log").path))
    }

    /// - Throws: `Child.Failure` with the node's log when it ends or is not ready within `limit`.
    package func waitUntilReady(_ name: String, limit: Duration) async throws {
        guard let id = snapshot.node(named: name), let admin = snapshot[id].admin else { return }
        let deadline = ContinuousClock.now + limit
        while true {
            if let response = try? await http.request(
                HTTPClientRequest(url: "http://\(admin)/readyz", timeout: .milliseconds(500))), response.status == 200
            {
                return
            }
            if let exit = children[name]?.ended {
                throw Child.Failure(description: "\(name) ended with \(exit):\n\(log(of: name).suffix(2000))")
            }
            if ContinuousClock.now > deadline {
                throw Child.Failure(description: "\(name) is not ready:\n\(log(of: name).suffix(2000))")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    // MARK: What the nodes say

    /// `/status` of a node; nil when it does not answer.
    package nonisolated func status(of node: String) async -> StatusValue? {
        await get("/status", from: node).flatMap { StatusValue(json: $0) }
    }

    /// What a node thinks of a service in a region; null when it does not say.
    package nonisolated func verdict(_ service: String, in region: String, at node: String) async -> StatusValue {
        await status(of: node).map { Self.verdict(service, in: region, of: $0) } ?? .null
    }

    /// The same, from a status at hand.
    package static func verdict(_ service: String, in region: String, of status: StatusValue) -> StatusValue {
        status["services"].array.first { $0["service"].string == service }?["regions"].array
            .first { $0["region"].string == region } ?? .null
    }

    /// The body of an admin page; nil when the node does not answer with 200.
    package nonisolated func get(_ path: String, from node: String) async -> [UInt8]? {
        guard let id = snapshot.node(named: node), let admin = snapshot[id].admin,
            let response = try? await http.request(
                HTTPClientRequest(url: "http://\(admin)\(path)", timeout: .seconds(2))), response.status == 200
        else { return nil }
        return response.body
    }
}
