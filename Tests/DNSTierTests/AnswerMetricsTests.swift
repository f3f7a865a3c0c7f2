import ControlPlane
import DNSWire
import Foundation
import Health
import Model
import TestKit
import Testing
import Topology

@testable import DNSTier

/// What `/metrics` says of dynamic names.
@Suite("Metrics of answers", .serialized)
struct AnswerMetricsTests {
    private final class Node {
        let folder: URL
        let server = Server()
        let board = HealthBoard()
        let port = UInt16.random(in: 20_000...32_000)

        init() throws {
            folder = FileManager.default.temporaryDirectory.appendingPathComponent("count-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data("@ IN SOA ns1 h 1 60 60 60 60\n@ IN NS ns1\nns1 IN A 127.0.0.1\n".utf8)
                .write(to: folder.appendingPathComponent("shop.test.zone"))
            let prepared = try load()
            try server.start(prepared, health: board)
        }

        deinit { try? FileManager.default.removeItem(at: folder) }

        private func load() throws -> Preparation {
            let text = """
                regions: {us: {address: 127.0.0.1}, eu: {address: 127.0.0.1}}
                nodes: {dns-1: {tier: dns, region: us, address: 127.0.0.1, workers: 1}}
                dns:
                  port: \(port)
                  groups:
                    west: {answers: {us: {A: 192.0.2.5}, second: {region: us, A: 192.0.2.6}}}
                  zones:
                    shop.test:
                      file: shop.test.zone
                      names:
                        split:
                          answers: {one: {region: us, A: 192.0.2.1}, two: {region: us, A: 192.0.2.2}, eu: {A: 192.0.2.3}}
                          policy: multivalue
                        nested:
                          answers: {us: {A: 192.0.2.4}, west: {group: west}}
                          policy: failover
                        fenced:
                          answers: {us: {A: 192.0.2.4}, eu: {A: 192.0.2.5}}
                          steps: [{geo: {prefixes: {10.0.0.0/8: us, 11.0.0.0/8: eu}, default: none}}]
                """
            let path = folder.appendingPathComponent("topology.yaml").path
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            let snapshot = try TopologyLoader.load(path: path)
            return try server.prepare(snapshot, node: try #require(snapshot.node(named: "dns-1")))
        }

        func reload() throws { server.install(try load()) }

        func ask(_ name: String, from subnet: String, times: Int) throws {
            let client = try RawClient(SocketAddress(IPAddress(v4: 0x7f00_0001), port: port))
            let query = try QueryText("\(name).shop.test.", .a, edns: .subnet(subnet, source: 24)).octets
            for _ in 0..<times {
                try client.send([UInt8(query.count >> 8), UInt8(query.count & 255)] + query)
                let length = try client.read(count: 2)
                _ = try client.read(count: Int(length[0]) << 8 | Int(length[1]))
            }
        }

        /// Series with their values.
        func series() -> [(name: String, value: String)] {
            var text = MetricsText()
            server.metrics(into: &text)
            return text.rendered.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
                let end = line.lastIndex(of: " ") ?? line.endIndex
                return (String(line[..<end]), String(line[end...].dropFirst()))
            }
        }

        func answers(_ name: String, _ region: String) -> String? {
            let wanted = "meridian_dns_answers_total{name=\"\(name).shop.test.\",region=\"\(region)\"}"
            return series().first { $0.name == wanted }?.value
        }
    }

    @Test("No series stands there twice, whatever share of a region an answer is")
    func unique() async throws {
        let node = try Node()
        let names = node.series().map(\.name)
        #expect(Set(names).count == names.count)
        let shares = names.filter { $0.contains("candidate_share") }
        #expect(shares.contains { $0.contains(#"answer="west/second",region="us""#) }, "\(shares)")
        #expect(shares.count == 8)
        await node.server.stop(deadline: .zero)
        await node.server.end()
    }

    @Test("Answers are counted by name and region, and a reload forgets none")
    func counted() async throws {
        let node = try Node()
        try node.ask("split", from: "10.0.0.0", times: 3)
        try node.ask("fenced", from: "10.0.0.0", times: 2)
        try node.ask("fenced", from: "11.0.0.0", times: 5)
        try node.ask("fenced", from: "12.0.0.0", times: 1)
        #expect(node.answers("split", "us") == "3", "both of its answers at once are one")
        #expect(node.answers("split", "eu") == "3")
        #expect(node.answers("fenced", "us") == "2")
        #expect(node.answers("fenced", "eu") == "5")
        #expect(node.answers("fenced", "none") == "1")
        #expect(node.answers("nested", "us") == "0")
        try node.reload()
        try node.ask("fenced", from: "11.0.0.0", times: 1)
        #expect(node.answers("fenced", "eu") == "6")
        #expect(node.answers("split", "us") == "3")
        await node.server.stop(deadline: .zero)
        await node.server.end()
    }

    @Test("What finds no number is counted as one")
    func bounded() {
        let ledger = AnswerLedger(capacity: 4)
        let counts = AnswerCounts(capacity: 4)
        for name in ["a", "b", "c", "d", "e", "a"] {
            counts.view.add(ledger.number(.init(name: name, regions: ["us", "eu"])))
        }
        let totals = ledger.totals([counts, counts]).map { "\($0.name) \($0.region) \($0.count)" }
        #expect(
            totals == ["other other 4", "a us 4", "a eu 4", "b us 2", "b eu 2", "c us 2", "c eu 2"])
    }
}
