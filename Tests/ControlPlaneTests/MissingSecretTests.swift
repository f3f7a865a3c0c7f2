import ControlPlane
import Foundation
import Model
import Testing
import Topology

@Suite("Secrets of checks")
struct MissingSecretTests {
    @Test("A password that is not set is an error with its place and cure, and no error once it is there")
    func password() throws {
        let variable = "MERIDIAN_TEST_PASSWORD_\(getpid())"
        let path = FileManager.default.temporaryDirectory.appending(path: "secret-\(UUID().uuidString).yaml").path
        let text = """
            regions:
              here: {location: {continent: EU}, address: 127.0.0.1}
            nodes:
              l4: {tier: l4, region: here}
            pools:
              orders:
                kind: tcp
                endpoints: {here: ["127.0.0.1:5432"]}
                check: {postgresql: {user: meridian, password: {env: \(variable)}}}
            tcp:
              listeners:
                orders: {port: 6432, pool: orders}
            """
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let snapshot = try TopologyLoader.load(path: path)
        let node = try #require(snapshot.node(named: "l4"))
        let error = #expect(throws: InvalidTopology.self) {
            try NodeSecrets(snapshot, node: node, topology: path)
        }
        let words = error?.diagnostics.map(\.description).joined() ?? ""
        #expect(words.contains("\(path):9:"))
        #expect(words.contains("pool orders"))
        #expect(words.contains("set \(variable) in the environment"))
        #expect(NodeRuntime.check(topology: path, node: "l4", dataPlane: FakePlane(.l4)) == 1)

        setenv(variable, "s3cret", 1)
        defer { unsetenv(variable) }
        #expect(NodeRuntime.check(topology: path, node: "l4", dataPlane: FakePlane(.l4)) == 0)
    }

    @Test(
        "A file of certificates that holds none is an error",
        arguments: [
            "", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ])
    func certificates(text: String) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "secret-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "t.yaml").path
        let topology = """
            regions:
              here: {location: {continent: EU}, address: 127.0.0.1}
            nodes:
              l4: {tier: l4, region: here}
            pools:
              orders:
                kind: tcp
                endpoints: {here: ["127.0.0.1:5432"]}
                check: {postgresql: {user: meridian, sslmode: verify-full, sslrootcert: ca.pem}}
            tcp:
              listeners:
                orders: {port: 6432, pool: orders}
            """
        try topology.write(toFile: path, atomically: true, encoding: .utf8)
        let snapshot = try TopologyLoader.load(path: path)
        let node = try #require(snapshot.node(named: "l4"))
        #expect(throws: InvalidTopology.self) { try NodeSecrets(snapshot, node: node, topology: path) }
        try text.write(toFile: folder.appending(path: "ca.pem").path, atomically: true, encoding: .utf8)
        let error = #expect(throws: InvalidTopology.self) {
            try NodeSecrets(snapshot, node: node, topology: path)
        }
        let words = error?.diagnostics.map(\.description).joined() ?? ""
        #expect(words.contains("check of pool orders: ") && words.contains("ca.pem holds no certificates in PEM"))
        #expect(NodeRuntime.check(topology: path, node: "l4", dataPlane: FakePlane(.l4)) == 1)
    }
}
