import ControlPlane
import Foundation
import Glibc
import Model
import Testing
import WorldKit

/// One node of each tier with two backends on an address of its own, from a topology that a test may rewrite.
struct SmallWorld {
    static let address = "127.0.77.1"

    let world: World
    /// The topology in force.
    let file: URL

    /// Starts a small world, hands it over, and takes it down again whatever happens.
    ///
    /// - Parameter body: The test.
    /// - Throws: What `body` throws, or why the world does not start.
    static func run(_ body: (SmallWorld) async throws -> Void) async throws {
        try await TemporaryWorld.run(topology: topology(), files: ["small.test.zone": zone]) { temporary in
            let small = SmallWorld(world: temporary.world, file: temporary.file)
            // The only backend of the pool `nobody`.
            await small.world.child("\(address):9199")?.stop(SIGKILL)
            try await body(small)
        }
    }

    /// - Parameters:
    ///   - routes: More lines of YAML at the end of `http.routes`.
    ///   - top: More lines at the top level.
    /// - Returns: The text of the topology.
    static func topology(routes: String = "", top: String = "") -> String {
        """
        regions:
          here: {location: {continent: EU}, address: \(address)}
        nodes:
          dns: {tier: dns, region: here, workers: 1, admin: "\(address):9180", drainTimeout: 3s, leaveDelay: 100ms}
          l7: {tier: l7, region: here, workers: 1, admin: "\(address):9181", drainTimeout: 3s, leaveDelay: 100ms}
          l4: {tier: l4, region: here, workers: 1, admin: "\(address):9182", drainTimeout: 3s, leaveDelay: 100ms}
        pools:
          web:
            kind: http
            endpoints: {here: ["\(address):9101", "\(address):9102"]}
            check: {http: {path: /healthz, statuses: [200]}, interval: 200ms, timeout: 200ms, rise: 1, fall: 2}
            keepalive: 4
          nobody:
            kind: http
            endpoints: {here: ["\(address):9199"]}
          stream:
            kind: tcp
            endpoints: {here: ["\(address):9101", "\(address):9102"]}
        dns:
          port: 5453
          zones:
            small.test:
              file: small.test.zone
              names:
                www:
                  ttl: 5s
                  answers: {here: {A: \(address)}}
                  steps: [healthy]
        http:
          listeners:
            public: {port: 8180, timeouts: {head: 1s, body: 2s, keepalive: 30s}}
          routes:
            - {name: web, host: www.small.test, path: {prefix: /}, pool: web}
            - {name: nobody, host: nobody.small.test, path: {prefix: /}, pool: nobody}
        \(routes)
        tcp:
          listeners:
            stream: {port: 8181, pool: stream}
        \(top)
        """
    }

    static let zone = """
        $ORIGIN small.test.
        $TTL 60
        @ IN SOA ns1 hostmaster 1 7200 1800 259200 60
        @ IN NS ns1
        ns1 IN A \(address)
        static IN A 192.0.2.1

        """

    var http: SocketAddress { SocketAddress(IPAddress(v4: 0x7f00_4d01), port: 8180) }
    var tcp: SocketAddress { SocketAddress(IPAddress(v4: 0x7f00_4d01), port: 8181) }
    var dns: SocketAddress { SocketAddress(IPAddress(v4: 0x7f00_4d01), port: 5453) }

    /// Descriptors that a node has open.
    func descriptors(of node: String) async throws -> Int {
        let child = try #require(await world.child(node))
        return try FileManager.default.contentsOfDirectory(atPath: "/proc/\(child.processID)/fd").count
    }
}
