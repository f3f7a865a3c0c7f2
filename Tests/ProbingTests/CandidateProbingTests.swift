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

    private func snapshot(
        port: UInt16, names: String, regions: String = "us: {address: 127.0.0.1}, eu: {address: 127.0.0.1}",
        nodes: String = "dns-1: {tier: dns, region: us}"
    ) throws -> Snapshot {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("probing-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let text = """
            federation: {keys: [{id: k1, secret: {env: NOBODY_READS_IT}}]}
            regions: {\(regions)}
            services: {shop: {}}
            nodes: {\(nodes)}
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

    @Test("A node of another tier has no vote before it reached somebody", arguments: ["127.0.0.77", "127.0.0.1"])
    func noVote(other: String) async throws {
        let server = try ScriptedServer { _ in }
        let snapshot = try snapshot(
            port: server.address.port,
            names: """
                        www: {service: shop, check: {tcp: {port: PORT}, interval: 100ms, timeout: 100ms, fall: 1}, answers: {us: {A: 127.0.0.78}, eu: {A: \(other)}, ap: {A: 127.0.0.1}}}
                """,
            regions: "us: {}, eu: {}, ap: {}",
            nodes: "dns-1: {tier: dns, region: ap, address: 127.0.0.1, federation: \"127.0.0.1:7001\"}, "
                + "l7-ap: {tier: l7, region: ap, address: 127.0.0.1, federation: \"127.0.0.1:7002\"}")
        for (name, votes) in [("dns-1", 3), ("l7-ap", other == "127.0.0.1" ? 2 : 0)] {
            let probing = try probing()
            probing.update(snapshot, node: try #require(snapshot.node(named: name)))
            try await settle(probing)
            #expect(probing.observations.count == votes, "\(name)")
            await probing.stop()
        }
    }

    @Test(
        "Two L7 nodes of a region look at services of others; L4 nodes where there is nobody else; DNS nodes at everything"
    )
    func vantages() async throws {
        let server = try ScriptedServer { _ in }
        func node(_ name: String, _ tier: String, _ region: String, _ port: Int?) -> String {
            let federation = port.map { ", federation: \"127.0.0.1:\($0)\"" } ?? ""
            return "\(name): {tier: \(tier), region: \(region), address: 127.0.0.1\(federation)}"
        }
        let snapshot = try snapshot(
            port: server.address.port,
            names: """
                        lone: {check: {tcp: {port: PORT}}, answers: {us: {A: 127.0.0.1}, eu: {A: 127.0.0.1}}}
                        www: {service: shop, check: {tcp: {port: PORT}}, answers: {us: {A: 127.0.0.1}, eu: {A: 127.0.0.1}, ap: {A: 127.0.0.1}}}
                """,
            regions: "us: {}, eu: {}, ap: {}, sa: {}",
            nodes: [
                node("dns-1", "dns", "us", 7001), node("l7-us-0", "l7", "us", nil), node("l7-us-1", "l7", "us", 7002),
                node("l7-us-2", "l7", "us", 7003), node("l7-us-3", "l7", "us", 7004), node("l4-us", "l4", "us", 7005),
                node("l7-eu", "l7", "eu", 7006), node("l4-eu", "l4", "eu", 7007), node("l4-ap", "l4", "ap", 7008),
            ].joined(separator: ", "))
        let wanted: [String: [String]] = [
            "dns-1": ["lone us", "lone eu", "www us", "www eu", "www ap"], "l7-us-0": [],
            "l7-us-1": ["www eu", "www ap"], "l7-us-2": ["www eu", "www ap"], "l7-us-3": [], "l4-us": [],
            "l7-eu": ["www us", "www ap"], "l4-eu": [], "l4-ap": ["www us", "www eu"],
        ]
        for (name, looks) in wanted {
            let probing = try probing()
            probing.update(snapshot, node: try #require(snapshot.node(named: name)))
            let seen = probing.candidates.map { "\($0.candidate.name.prefix { $0 != "." }) \($0.candidate.region)" }
            #expect(seen == looks, "\(name)")
            await probing.stop()
        }
    }
}
