import ControlPlane
import Foundation
import Model
import TestKit
import Testing
import Topology

@testable import DNSTier

/// A DNS node that is steered by what L7 nodes measure, told of it as federation tells it.
@Suite(.serialized) struct MeasuredLatencyTests {
    private final class Node {
        let folder: URL
        let snapshot: Snapshot
        let server = Server()

        init(_ steps: String, files: [String: String] = [:], dns: String = "") throws {
            folder = FileManager.default.temporaryDirectory.appendingPathComponent("latency-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for (name, text) in files { try Data(text.utf8).write(to: folder.appendingPathComponent(name)) }
            try Data("@ IN SOA ns1 h 1 60 60 60 60\n@ IN NS ns1\nns1 IN A 127.0.0.1\n".utf8)
                .write(to: folder.appendingPathComponent("shop.test.zone"))
            let text = """
                regions: {us: {address: 127.0.0.1}, eu: {address: 127.0.0.1}, ap: {address: 127.0.0.1}}
                nodes: {dns-1: {tier: dns, region: us, address: 127.0.0.1, workers: 1}}
                dns:
                  port: \(UInt16.random(in: 20_000...32_000))
                \(dns)
                  zones:
                    shop.test:
                      file: shop.test.zone
                      names:
                        www:
                          ttl: 5s
                          answers: {us: {A: 192.0.2.1}, eu: {A: 192.0.2.2}, ap: {A: 192.0.2.3}}
                          steps: [healthy, \(steps), take: 1]
                """
            let path = folder.appendingPathComponent("topology.yaml").path
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            snapshot = try TopologyLoader.load(path: path)
            let node = try #require(snapshot.node(named: "dns-1"))
            try server.start(try server.prepare(snapshot, node: node), health: HealthBoard())
        }

        deinit { try? FileManager.default.removeItem(at: folder) }

        func explain(_ client: String) throws -> String {
            let found = server.explain(["kind": "dns", "name": "www.shop.test.", "type": "A", "client": client])
            return String(decoding: try JSONEncoder.sorted.encode(try #require(found)), as: UTF8.self)
        }

        func metric(_ name: String, _ labels: [String: String] = [:]) -> Double? {
            var text = MetricsText()
            server.metrics(into: &text)
            let exposition = Exposition(text.rendered)
            #expect(exposition.problems == [])
            return exposition.value(name, labels)
        }

        /// What an L7 node of `region` says, through the codec that federation uses.
        func report(_ region: String, number: UInt64, _ prefix: String, milliseconds: Int, samples: Int) throws {
            let bucket = RoundTripBuckets.index(microseconds: UInt32(milliseconds * 1000))
            let report = Report(
                node: "l7-\(region)", tier: .l7, region: region, incarnation: 1, sequence: number,
                issuedAt: Timestamp(milliseconds: 1), state: .serving, configuration: 1, pools: [], observations: [],
                rate: 0,
                roundTrips: RoundTripWindow(
                    number: number,
                    prefixes: [
                        PrefixRoundTrips(
                            prefix: try #require(IPPrefix(prefix)), counts: [.init(bucket: bucket, samples: samples)])
                    ]))
            let heard = try ReportCodec.decode(try ReportCodec.encode(report))
            #expect(heard == report)
            server.heard([
                HeardRoundTrips(
                    node: heard.node, region: heard.region, incarnation: heard.incarnation,
                    window: try #require(heard.roundTrips))
            ])
        }
    }

    @Test("What L7 nodes report moves the answer of the prefix and of nobody else")
    func reportsMoveAnswers() async throws {
        let node = try Node("latency: {measured: true, explore: 0%}")
        let before = try node.explain("10.1.2.3")
        #expect(before.contains("no figure for 10.1.2.3") && before.contains("192.0.2.1"))
        try node.report("us", number: 1, "10.1.2.0/24", milliseconds: 90, samples: 20)
        try node.report("eu", number: 1, "10.1.2.0/24", milliseconds: 15, samples: 20)
        try node.report("eu", number: 1, "10.1.2.0/24", milliseconds: 15, samples: 20)
        #expect(node.server.refresh() == [])
        let after = try node.explain("10.1.2.3")
        #expect(after.contains("20 samples of 10.1.2.0/24"), "\(after)")
        #expect(after.contains("\"source\":\"measured\"") && after.contains("A 192.0.2.2"))
        #expect(!after.contains("A 192.0.2.1\"],\"regions\":[\"us\"],\"share\""))
        #expect(try node.explain("11.1.2.3").contains("no figure for 11.1.2.3"))
        let status = String(decoding: try JSONEncoder.sorted.encode(node.server.status()), as: UTF8.self)
        #expect(status.contains("\"samples\":40") && status.contains("\"windows\":2"), "\(status)")
        await node.server.stop(deadline: .zero)
        await node.server.end()
    }

    @Test("A region of which nothing is known gets its share of tries, and no more")
    func exploration() async throws {
        let node = try Node("latency: {measured: true, explore: 2%}")
        try node.report("us", number: 1, "10.1.2.0/24", milliseconds: 90, samples: 20)
        _ = node.server.refresh()
        let found = try node.explain("10.1.2.3")
        #expect(found.contains("2% try eu, of which nothing is known"), "\(found)")
        #expect(found.contains("\"share\":0.98") && found.contains("\"share\":0.02"), "\(found)")
        let spent = try #require(node.metric("meridian_dns_explored_answer_share", ["name": "www.shop.test."]))
        #expect(spent > 0 && spent <= 0.02 + 1e-9)
        let status = String(decoding: try JSONEncoder.sorted.encode(node.server.status()), as: UTF8.self)
        #expect(status.contains("\"exploredShare\":0.02"), "\(status)")
        await node.server.stop(deadline: .zero)
        await node.server.end()
    }

    @Test("A file that was emptied is refused, and the table in force stays")
    func emptied() async throws {
        let node = try Node(
            "latency: {file: l.csv}",
            files: ["l.csv": "10.0.0.0/8,us,10\n10.0.0.0/8,eu,90\n", "p.csv": "10.0.0.0/8,EU,DE\n"],
            dns: "  locations: {csv: p.csv}")
        for (name, text) in [("l.csv", ""), ("p.csv", ""), ("l.csv", "# nothing\n"), ("p.csv", "\n")] {
            try Data(text.utf8).write(to: node.folder.appendingPathComponent(name))
            #expect(node.server.refresh() == [])
            let told = node.server.refresh()
            #expect(told.map(\.severity) == [.error])
            #expect(told.first?.text.contains("\(name): error: it has no entries") == true, "\(told)")
        }
        #expect(try node.explain("10.1.2.3").contains("us 10 ms"))
        await node.server.stop(deadline: .zero)
        await node.server.end()
    }

    @Test("A file that changes is read anew once it is whole; a broken one is refused and the old one stays")
    func files() async throws {
        let node = try Node(
            "latency: {file: l.csv}",
            files: ["l.csv": "10.0.0.0/8,us,10\n10.0.0.0/8,eu,90\n", "p.csv": "10.0.0.0/8,EU,DE\n"],
            dns: "  locations: {csv: p.csv}")
        #expect(try node.explain("10.1.2.3").contains("us 10 ms"))
        #expect(node.server.refresh() == [])
        let path = node.folder.appendingPathComponent("l.csv")
        try Data("10.0.0.0/8,us,80\n10.0.0.0/8,eu,9\n10.0.0.0/8,ap,300\n".utf8).write(to: path, options: .atomic)
        // Seen for the first time: it may still be written.
        #expect(node.server.refresh() == [])
        #expect(node.server.refresh() == [Event.Remark(.notice, "\(path.path) read anew")])
        #expect(try node.explain("10.1.2.3").contains("eu 9 ms, us 80 ms"))
        try Data("10.0.0.0/8,us,80\nnonsense\n".utf8).write(to: path, options: .atomic)
        #expect(node.server.refresh() == [])
        let told = node.server.refresh()
        #expect(told.map(\.severity) == [.error])
        #expect(told[0].text.contains("refused, what was read before stays") && told[0].text.contains("l.csv:2:1"))
        #expect(node.server.refresh() == [])
        #expect(try node.explain("10.1.2.3").contains("eu 9 ms, us 80 ms"))
        try FileManager.default.removeItem(at: path)
        #expect(node.server.refresh() == [])
        #expect(node.server.refresh().first?.text.contains("cannot be read") == true)
        #expect(try node.explain("10.1.2.3").contains("eu 9 ms, us 80 ms"))
        await node.server.stop(deadline: .zero)
        await node.server.end()
    }
}

extension JSONEncoder {
    fileprivate static var sorted: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
