import ControlPlane
import Engine
import Foundation
import Health
import Model
import Synchronization
import Testing
import Topology

/// How a DNS node looks at what its names answer with.
@Suite struct CandidateProbingTests {
    private final class Hosts: Sendable {
        private let seen = Mutex<Set<String>>([])

        func note(_ request: String) {
            for line in request.split(whereSeparator: \.isNewline) where line.lowercased().hasPrefix("host:") {
                seen.withLock { _ = $0.insert(line.dropFirst(5).trimmingCharacters(in: .whitespaces)) }
            }
        }

        var all: Set<String> { seen.withLock { $0 } }
    }

    private func snapshot(port: UInt16, names: String) throws -> Snapshot {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("probing-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let text = """
            regions: {us: {address: 127.0.0.1}, eu: {address: 127.0.0.1}}
            services: {shop: {}}
            nodes: {dns-1: {tier: dns, region: us}}
            dns:
              zones:
                shop.test:
                  file: shop.test.zone
                  names:
            \(names.replacing("PORT", with: "\(port)"))
            """
        try Data("@ 60 IN SOA ns1 h 1 1 1 1 1\n@ 60 IN NS ns1\nns1 60 IN A 127.0.0.1\n".utf8).write(
            to: folder.appendingPathComponent("shop.test.zone"))
        let path = folder.appendingPathComponent("topology.yaml")
        try Data(text.utf8).write(to: path)
        return try TopologyLoader.load(path: path.path)
    }

    private func probing() throws -> CandidateProbing {
        CandidateProbing(client: HTTPClient(), waiter: try SocketWaiter(), secret: { _ in nil }) { _, _ in }
    }

    private func settle(_ probing: CandidateProbing) async throws {
        for _ in 0..<1000 where !probing.isSettled { try await Task.sleep(for: .milliseconds(10)) }
        #expect(probing.isSettled)
    }

    @Test("An HTTP check sends the name as Host, unless it says otherwise")
    func host() async throws {
        let hosts = Hosts()
        let server = try ScriptedServer { peer in
            hosts.note(peer.read(until: "\r\n\r\n"))
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        let snapshot = try snapshot(
            port: server.address.port,
            names: """
                        www: {check: {http: {port: PORT}, interval: 100ms, timeout: 100ms}, answers: {us: {A: 127.0.0.1}}}
                        "*.any": {check: {http: {port: PORT}, interval: 100ms, timeout: 100ms}, answers: {us: {A: 127.0.0.1}}}
                        own: {check: {http: {port: PORT, host: other.test}, interval: 100ms, timeout: 100ms}, answers: {us: {A: 127.0.0.1}}}
                """)
        let probing = try probing()
        let node = try #require(snapshot.node(named: "dns-1"))
        probing.update(snapshot, node: node)
        try await settle(probing)
        #expect(hosts.all == ["www.shop.test", "check.any.shop.test", "other.test"])
        await probing.stop()
    }

    @Test("Each address has a look of its own, and a vote tells those that did not answer")
    func addresses() async throws {
        let server = try ScriptedServer { _ in }
        let port = server.address.port
        let snapshot = try snapshot(
            port: port,
            names: """
                        lone: {check: {tcp: {port: PORT}, interval: 100ms, timeout: 100ms, fall: 1}, answers: {us: {A: [127.0.0.1, 127.0.0.77]}}}
                        www: {service: shop, check: {tcp: {port: PORT}, interval: 100ms, timeout: 100ms, fall: 1}, answers: {us: {A: [127.0.0.1, 127.0.0.77]}, eu: {A: 127.0.0.78}}}
                """)
        let probing = try probing()
        let node = try #require(snapshot.node(named: "dns-1"))
        probing.update(snapshot, node: node)
        try await settle(probing)
        let (x, y, z) = (
            server.address, SocketAddress(IPAddress(v4: 0x7f00_004d), port: port),
            SocketAddress(IPAddress(v4: 0x7f00_004e), port: port)
        )
        let votes = probing.observations
        #expect(votes.map(\.region) == ["us", "eu"])
        #expect(votes.map(\.up) == [true, false])
        #expect(votes.map { $0.down.map(\.address) } == [[y], [z]])
        #expect(votes.allSatisfy { $0.tellsAddresses })
        #expect(votes[0].down[0].reason.contains("refused"))
        let lone = probing.sights.filter { $0.owner == .name("lone.shop.test.") }
        #expect(lone.map(\.address) == [x, y])
        #expect(lone.map(\.up) == [true, false])
        #expect(probing.sights.filter { $0.owner == .service("shop") }.map(\.up) == [true, false, false])
        await probing.stop()
    }
}
