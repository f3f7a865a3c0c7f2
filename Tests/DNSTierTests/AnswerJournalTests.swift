import ControlPlane
import DNSWire
import Foundation
import Glibc
import Model
import TestKit
import Testing
import Topology

@testable import DNSTier

/// The log of explained answers, over sockets: what it says was served is what was served.
@Suite("Explained answers", .serialized)
struct AnswerJournalTests {
    private final class Node {
        let folder: URL
        let snapshot: Snapshot
        let server = Server()
        let board = HealthBoard()
        let port = UInt16.random(in: 20_000...32_000)

        init(_ log: String) throws {
            folder = FileManager.default.temporaryDirectory.appendingPathComponent("why-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data("@ IN SOA ns1 h 1 60 60 60 60\n@ IN NS ns1\nns1 IN A 127.0.0.1\n".utf8)
                .write(to: folder.appendingPathComponent("shop.test.zone"))
            let text = """
                regions: {us: {address: 127.0.0.1}, eu: {address: 127.0.0.1}, ap: {address: 127.0.0.1}}
                services: {shop: {}}
                nodes:
                  dns-1: {tier: dns, region: us, address: 127.0.0.1, workers: 1, log: {\(log)}}
                dns:
                  port: \(port)
                  zones:
                    shop.test:
                      file: shop.test.zone
                      names:
                        "*.www":
                          service: shop
                          answers: {us: {A: 192.0.2.1}, eu: {A: 192.0.2.2}, ap: {A: 192.0.2.2}}
                          steps: [healthy, weighted: {us: 5, eu: 3, ap: 2}]
                        near:
                          answers: {us: {A: 192.0.2.1}, eu: {A: 192.0.2.2}}
                          steps: [healthy, geo: {prefixes: {10.1.0.0/16: [eu]}, default: [us]}, take: 1]
                        bound:
                          answers: {us: {A: 192.0.2.1}, eu: {A: 192.0.2.2}, ap: {A: 192.0.2.3}}
                          steps: [healthy, hash]
                """
            let path = folder.appendingPathComponent("topology.yaml").path
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            snapshot = try TopologyLoader.load(path: path)
            let node = try #require(snapshot.node(named: "dns-1"))
            try server.start(try server.prepare(snapshot, node: node), health: board)
        }

        deinit { try? FileManager.default.removeItem(at: folder) }

        /// The address of the answer over TCP; nil without one.
        func ask(_ client: RawClient, _ name: String, _ edns: QueryText.EDNS? = nil) throws -> String? {
            let query = try QueryText(name, .a, edns: edns).octets
            try client.send([UInt8(query.count >> 8), UInt8(query.count & 255)] + query)
            let length = try client.read(count: 2)
            let reply = try client.read(count: Int(length[0]) << 8 | Int(length[1]))
            return try Message(reply.span.bytes).answer.first?.data.description
        }

        /// The same over UDP.
        func askDatagram(_ name: String) throws -> String? {
            let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
            defer { close(descriptor) }
            var limit = timeval(tv_sec: 5, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            var place = sockaddr_in()
            place.sin_family = sa_family_t(AF_INET)
            place.sin_port = port.bigEndian
            place.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            let connected = withUnsafePointer(to: &place) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            let query = try QueryText(name, .a).octets
            try #require(connected == 0 && send(descriptor, query, query.count, 0) == query.count)
            var room = [UInt8](repeating: 0, count: 512)
            let count = recv(descriptor, &room, room.count, 0)
            try #require(count > 0)
            return try Message(room.span.bytes.extracting(0..<count)).answer.first?.data.description
        }

        func declare(_ region: Int, healthy: Bool) throws {
            let service = try #require(snapshot.service(named: "shop"))
            board.publish(
                [
                    Verdict(
                        service: service, region: RegionID(region), healthy: healthy,
                        since: Timestamp(nanoseconds: 0), reasons: [.init(source: "l7-x", text: "refused\nat \u{7}all")]
                    )
                ], in: snapshot, failOpen: [])
            server.healthChanged()
        }

        /// Ends the server.
        func lines() async throws -> [String] {
            await server.stop(deadline: .zero)
            await server.end()
            let data = try Data(contentsOf: folder.appendingPathComponent("why.log"))
            return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }

    private func texts(_ value: StatusValue) -> [String] { value.array.compactMap(\.string) }

    @Test("What is explained is what was served, whatever draw, prefix or table chose it")
    func served() async throws {
        let node = try Node("format: json, explain: why.log, explainSample: 1")
        let client = try RawClient(SocketAddress(IPAddress(v4: 0x7f00_0001), port: node.port))
        var asked: [(name: String, client: String, address: String)] = []
        for round in 0..<60 {
            if round % 20 == 10 { try node.declare(round == 30 ? 1 : 0, healthy: round == 50) }
            if round == 40 { _ = node.server.refresh() }
            let prefix = "10.\(round % 3).\(round).0"
            for (name, edns) in [
                ("a.www.shop.test.", nil), ("near.shop.test.", .subnet(prefix, source: 24)),
                ("bound.shop.test.", .subnet(prefix, source: 24)),
            ] as [(String, QueryText.EDNS?)] {
                let address = try #require(try node.ask(client, name, edns))
                asked.append((name, edns == nil ? "127.0.0.1" : "\(prefix)/24", address))
            }
            #expect(try node.ask(client, "ns1.shop.test.") == "127.0.0.1", "no line for what nobody chose")
        }
        client.hangUp()
        let lines = try await node.lines().map { try #require(StatusValue(json: Array($0.utf8))) }
        #expect(lines.count == asked.count)
        var regions: Set<String> = []
        for (line, query) in zip(lines, asked) {
            #expect(line["name"].string == query.name && line["client"].string == query.client)
            let served = line["served"]
            #expect(texts(served["records"]) == ["A \(query.address)"])
            #expect(served["generation"] == line["generation"], "explained by the table that answered")
            let region = try #require(texts(served["regions"]).first, "\(line)")
            regions.insert(region)
            // The answer that is explained has the region among its ways, with the same records.
            let way = line["answers"].array.first { texts($0["regions"]) == [region] }
            #expect(way.map { texts($0["records"]) } == ["A \(query.address)"])
            #expect(line["steps"].array.first?["step"].string == "healthy")
            if query.name == "near.shop.test." {
                #expect(region == (query.client.hasPrefix("10.1.") ? "eu" : "us"))
            }
        }
        #expect(regions == ["us", "eu", "ap"], "two regions with one address are told apart")
        #expect(lines.contains { $0["served"]["generation"].int == 1 })
        #expect(lines.contains { $0["served"]["generation"].int == 4 })
        var text = MetricsText()
        node.server.metrics(into: &text)
        #expect(Exposition(text.rendered).problems == [])
        #expect(text.rendered.contains("meridian_dns_explained_total \(asked.count)\n"))
        #expect(text.rendered.contains("meridian_log_dropped_lines_total{log=\"explain\"} 0\n"))
    }

    @Test("One of so many, as text, and reasons of peers do not break lines")
    func sampled() async throws {
        let node = try Node("explain: why.log, explainSample: 4")
        try node.declare(1, healthy: false)
        let client = try RawClient(SocketAddress(IPAddress(v4: 0x7f00_0001), port: node.port))
        var addresses: [String] = []
        for _ in 0..<41 {
            addresses.append(try #require(try node.ask(client, "b.www.shop.test.")))
            _ = try node.ask(client, "shop.test.")
        }
        client.hangUp()
        let datagrams = try (0..<8).map { _ in try node.askDatagram("b.www.shop.test.") }
        let all = try await node.lines()
        #expect(all.count == 13)
        // One of four of each worker, and the worker of datagrams comes first.
        for (line, address) in zip(all.prefix(2), [datagrams[0], datagrams[4]]) {
            #expect(line.contains(" udp b.www.shop.test. A: "), "\(line)")
            #expect(try line.contains("(A \(#require(address))), generation 2; "), "\(line)")
        }
        for (index, line) in all.dropFirst(2).enumerated() {
            #expect(line.contains(" 127.0.0.1 tcp b.www.shop.test. A: "), "\(line)")
            #expect(line.contains("(A \(addresses[4 * index])), generation 2; healthy us,eu,ap > us,ap: "), "\(line)")
            #expect(line.contains("eu is down (l7-x: refused at �all)"), "\(line)")
        }
    }

    @Test("Where the table that answered is gone, the line claims nothing")
    func gone() async throws {
        let node = try Node("explain: why.log, explainSample: 1")
        let client = try RawClient(SocketAddress(IPAddress(v4: 0x7f00_0001), port: node.port))
        let address = try #require(try node.ask(client, "c.www.shop.test."))
        for round in 0..<40 { try node.declare(0, healthy: round % 2 == 1) }
        client.hangUp()
        let lines = try await node.lines()
        #expect(lines.count == 1)
        #expect(
            lines.first?.contains(": ? (A \(address)), generation 1, explained by generation ") == true, "\(lines)")
    }
}
