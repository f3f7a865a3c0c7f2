import ControlPlane
import Foundation
import Health
import Model
import Synchronization
import Testing
import Topology

@testable import DNSTier

/// Health and the reload of many names, at one time.
@Suite("Reloads of many names", .serialized)
struct ReloadTests {
    private static let count = 6000

    private final class Node: Sendable {
        let folder: URL
        let server = Server()
        let board = HealthBoard()
        private let port = UInt16.random(in: 20_000...32_000)

        init() throws {
            folder = FileManager.default.temporaryDirectory.appendingPathComponent("reload-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data("@ IN SOA ns1 h 1 60 60 60 60\n@ IN NS ns1\nns1 IN A 127.0.0.1\n".utf8)
                .write(to: folder.appendingPathComponent("shop.test.zone"))
        }

        deinit { try? FileManager.default.removeItem(at: folder) }

        func load(round: Int) throws -> Preparation {
            let names = (0..<count).map { number in
                let host = "\(number / 250).\(number % 250)"
                return
                    "        n\(number): {service: shop, ttl: 5s, answers: {us: {A: 10.\(round).\(host)}, eu: {A: 11.0.\(host)}}, steps: [healthy, {failover: [us, eu]}]}\n"
            }
            let text = """
                regions: {us: {address: 127.0.0.1}, eu: {address: 127.0.0.1}}
                services: {shop: {}}
                nodes: {dns-1: {tier: dns, region: us, address: 127.0.0.1, workers: 1}}
                dns:
                  port: \(port)
                  zones:
                    shop.test:
                      file: shop.test.zone
                      names:

                """ + names.joined()
            let path = folder.appendingPathComponent("topology.yaml").path
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            let snapshot = try TopologyLoader.load(path: path)
            return try server.prepare(snapshot, node: try #require(snapshot.node(named: "dns-1")))
        }

        func declare(down: Bool, in snapshot: Snapshot) {
            let verdicts = snapshot.regions.indices.map { region in
                Verdict(
                    service: ServiceID(0), region: RegionID(region), healthy: region != 0 || !down,
                    since: Timestamp(nanoseconds: 0), reasons: [])
            }
            board.publish(verdicts, in: snapshot, failOpen: [])
        }

        func answer(_ name: String) -> String {
            let found = server.explain(["kind": "dns", "name": name, "type": "A", "client": "192.0.2.1"])
            return found.map { String(decoding: $0.json(), as: UTF8.self) } ?? ""
        }
    }

    @Test("The health loop is not held up while a reload compiles, and what it learned meanwhile is in the new answers")
    func healthGoesOn() async throws {
        let node = try Node()
        try node.server.start(try node.load(round: 0), health: node.board)
        let prepared = try node.load(round: 1)
        node.declare(down: false, in: prepared.snapshot)
        node.server.healthChanged()

        // Another process may take the processor from a look: one undisturbed reload shows it.
        var seen: [String] = []
        for round in 1...8 {
            let (longest, whole, looks) = try await Self.install(prepared, on: node) { look in
                if look == 1 { node.declare(down: round % 2 == 1, in: prepared.snapshot) }
            }
            if looks > 3, longest * 2 < whole { break }
            seen.append("a look took \(longest) of the \(whole) of a reload, \(looks) looks")
        }
        #expect(seen.count < 8, "\(seen)")
        await node.server.stop(deadline: .zero)
        await node.server.end()
    }

    @Test("What is learned of health while a reload compiles is in the new answers")
    func catchesUp() async throws {
        let node = try Node()
        let prepared = try node.load(round: 1)
        try node.server.start(prepared, health: node.board)
        for isDown in [true, false, true] {
            let (_, _, looks) = try await Self.install(prepared, on: node) { look in
                if look == 0 { node.declare(down: isDown, in: prepared.snapshot) }
            }
            // On a crowded machine it may be over before anybody could look.
            if looks < 3 { continue }
            let answer = node.answer("n7.shop.test.")
            #expect(answer.contains(isDown ? "11.0.0.7" : "10.1.0.7"), "\(answer)")
        }
        await node.server.stop(deadline: .zero)
        await node.server.end()
    }

    /// Installs on a thread, and asks meanwhile what the health loop asks of its tier ten times a second.
    ///
    /// `during` is told of each look before it is made.
    private static func install(
        _ prepared: Preparation, on node: Node, during: (_ look: Int) -> Void
    ) async throws -> (longest: Duration, whole: Duration, looks: Int) {
        let duration = Mutex<Duration?>(nil)
        let thread = Foundation.Thread {
            let began = ContinuousClock.now
            node.server.install(prepared)
            duration.withLock { $0 = ContinuousClock.now - began }
        }
        thread.stackSize = 8 << 20
        thread.start()
        var longest = Duration.zero
        var looks = 0
        while true {
            if let whole = duration.withLock({ $0 }) { return (longest, whole, looks) }
            during(looks)
            let began = ContinuousClock.now
            _ = node.server.facts()
            longest = max(longest, ContinuousClock.now - began)
            looks += 1
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}
