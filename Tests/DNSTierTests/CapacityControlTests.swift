import ControlPlane
import Foundation
import Health
import Model
import Testing
import Topology

@testable import DNSTier

/// The loop that fills regions to their capacity, through reloads and while nothing else happens.
@Suite("Capacity control", .serialized) struct CapacityControlTests {
    private static let www = """
                www:
                  service: shop
                  ttl: 5s
                  answers: {us: {A: 192.0.2.1}, eu: {A: 192.0.2.2}, ap: {A: 192.0.2.3}}
                  steps: [healthy, {failover: [us, eu, ap]}, capacity: {limit: 80%}]
        """
    private static let plain = """
                plain:
                  service: shop
                  ttl: 5s
                  answers: {us: {A: 192.0.2.1}, eu: {A: 192.0.2.2}}
                  steps: [healthy, {failover: [us, eu]}]
        """
    private static let mail = """
                mail:
                  service: mail
                  ttl: 5s
                  answers: {ap: {A: 192.0.2.13}, us: {A: 192.0.2.11}}
                  steps: [healthy, {failover: [ap, us]}, capacity: {limit: 80%}]
        """

    private static func world(_ names: String...) throws -> SteeredServer {
        try SteeredServer(names: names.joined(separator: "\n"), services: "mail: {}")
    }

    /// Each region can carry 1,000 a second, and is healthy.
    private static func view(
        _ snapshot: Snapshot, _ loads: [String: Double], service: String = "shop", down: Set<String> = []
    ) -> HealthView {
        let verdicts = snapshot.regions.indices.map { region in
            Verdict(
                service: snapshot.service(named: service) ?? ServiceID(0), region: RegionID(region),
                healthy: !down.contains(snapshot.regions[region].name), since: Timestamp(nanoseconds: 0), reasons: [])
        }
        return HealthView(
            Evaluation(verdicts: verdicts, failOpen: []), in: snapshot, overrides: OverrideRules(),
            loads: Dictionary(
                uniqueKeysWithValues: loads.map { region, rate in
                    (
                        LoadMeter.Key(service: service, region: region),
                        RegionLoad(rate: rate, inFlight: 0, regionRate: rate, capacity: 1000, age: .zero)
                    )
                }))
    }

    /// The state of a world where `us` was asked for 1,000, so that a fifth of the users went to `eu`. `now` is two
    /// seconds later.
    private static func spilled(_ world: SteeredServer) -> HealthState {
        world.board.publish(view(world.preparation.snapshot, ["us": 1000, "eu": 100, "ap": 0]))
        let state = HealthState(world.preparation.names, board: world.board)
        world.board.publish(view(world.preparation.snapshot, ["us": 800, "eu": 300, "ap": 0]))
        return state
    }

    @Test("A reload keeps what was learned, whatever moves around it")
    func reload() throws {
        let world = try Self.world(Self.www, Self.plain)
        let state = Self.spilled(world)
        let before = state.answers.state(of: 0).spill
        #expect(state.capacity.parts == [[0.8, 0.2, 0]])
        // Names and services come before it, so that every number is another one.
        let next = try Self.world(Self.mail, Self.plain, Self.www)
        var after = HealthState(next.preparation.names, board: world.board, replacing: state)
        let position = try #require(next.preparation.names.firstIndex { $0.settings.name.hasPrefix("www") })
        #expect(after.answers.state(of: position).spill == before)
        #expect(after.capacity.parts.contains([0.8, 0.2, 0]) && after.capacity.parts.count == 2)
        for second in 1...30 {
            _ = after.refill(world.board, now: .seconds(second * 2))
            let moved = after.capacity.parts.allSatisfy { abs($0[0] - 0.8) < 0.04 || $0[0] == 1 }
            #expect(moved, "\(after.capacity.parts)")
        }
        let fresh = HealthState(next.preparation.names, board: world.board)
        #expect(fresh.capacity.parts.allSatisfy { $0[0] == 1 }, "without it they would all be sent home")
    }

    @Test("An order that is gone is forgotten, and one that is new has its clients")
    func orders() throws {
        let world = try Self.world(Self.www)
        let state = Self.spilled(world)
        // With the tail turned round the order is another one; its clients want us first all the same.
        let other = try Self.world(Self.www.replacingOccurrences(of: "[us, eu, ap]", with: "[us, ap, eu]"))
        let turned = HealthState(other.preparation.names, board: world.board, replacing: state)
        #expect(turned.capacity.parts == [[0.8, 0, 0.2]])
        let none = try Self.world(Self.plain)
        let gone = HealthState(none.preparation.names, board: world.board, replacing: turned)
        #expect(gone.capacity.parts.isEmpty && !gone.capacity.isNeeded)
        let back = HealthState(world.preparation.names, board: world.board, replacing: gone)
        #expect(back.capacity.parts == [[1, 0, 0]], "it starts as at boot")
    }

    @Test("Who was spilled goes home in steps without any change of health, and nothing else is compiled for it")
    func homecoming() throws {
        let world = try Self.world(Self.www, Self.plain)
        var state = Self.spilled(world)
        let snapshot = world.preparation.snapshot
        // From now on only 600 want us. Resolvers hold answers for a minute and a half.
        var held = 0.8
        var last = 0.8
        var now = Duration.zero
        var tables = 0
        for _ in 0..<600 {
            now += .seconds(2)
            world.board.publish(Self.view(snapshot, ["us": 600 * held, "eu": 100 + 600 * (1 - held), "ap": 0]))
            if state.refill(world.board, now: now) {
                tables += 1
                #expect(state.recompiled == 1, "www alone")
            }
            let share = state.capacity.parts[0][0]
            // What it saw of those who came late makes it careful at first.
            #expect(abs(share - last) < 0.03, "\(last) to \(share)")
            #expect(state.failOpen == [false, false])
            held += (share - held) * 2 / 92
            last = share
        }
        #expect(last == 1)
        #expect(tables > 10 && tables < 200, "\(tables) tables")
        let hasMore = state.refill(world.board, now: now + .seconds(2))
        #expect(!hasMore, "everybody is home: there is nothing to publish")
    }

    @Test("A region that comes back gets its users in steps, though its health moved only once")
    func regionComesBack() throws {
        let world = try Self.world(Self.www)
        let snapshot = world.preparation.snapshot
        world.board.publish(Self.view(snapshot, ["us": 500, "eu": 100, "ap": 0]))
        var state = HealthState(world.preparation.names, board: world.board)
        world.board.publish(Self.view(snapshot, ["eu": 100, "ap": 0], down: ["us"]))
        state.update(world.board, now: .seconds(2))
        #expect(state.capacity.parts == [[0, 1, 0]])
        var held = 1.0
        for step in 2..<302 {
            world.board.publish(Self.view(snapshot, ["eu": 100 + 500 * (1 - held), "ap": 0], down: ["us"]))
            _ = state.refill(world.board, now: .seconds(step * 2))
            held += (state.capacity.parts[0][0] - held) * 2 / 92
        }
        var last = state.capacity.parts[0][0]
        #expect(last == 0)
        for step in 302..<702 {
            world.board.publish(Self.view(snapshot, ["us": 500 * held, "eu": 100 + 500 * (1 - held), "ap": 0]))
            if step == 302 {
                state.update(world.board, now: .seconds(step * 2))
            } else {
                _ = state.refill(world.board, now: .seconds(step * 2))
            }
            let share = state.capacity.parts[0][0]
            #expect(share >= last && share - last < 0.06, "\(last) to \(share)")
            held += (share - held) * 2 / 92
            last = share
        }
        #expect(last == 1)
    }

    // MARK: - A running server

    private final class Node {
        let folder: URL
        let server = Server()
        let board = HealthBoard()
        let snapshot: Snapshot

        init() throws {
            folder = FileManager.default.temporaryDirectory.appendingPathComponent("capacity-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data("@ IN SOA ns1 h 1 60 60 60 60\n@ IN NS ns1\nns1 IN A 127.0.0.1\n".utf8)
                .write(to: folder.appendingPathComponent("shop.test.zone"))
            let text = """
                regions: {us: {address: 127.0.0.1}, eu: {address: 127.0.0.1}, ap: {address: 127.0.0.1}}
                services: {shop: {}}
                nodes: {dns-1: {tier: dns, region: us, address: 127.0.0.1, workers: 1}}
                dns:
                  port: \(UInt16.random(in: 20_000...32_000))
                  zones:
                    shop.test:
                      file: shop.test.zone
                      names:
                        www:
                          service: shop
                          ttl: 5s
                          answers: {us: {A: 192.0.2.1}, eu: {A: 192.0.2.2}, ap: {A: 192.0.2.3}}
                          steps: [healthy, latency: {file: l.csv}, capacity: {limit: 80%}]
                """
            try Data(text.utf8).write(to: folder.appendingPathComponent("topology.yaml"))
            let latencies = folder.appendingPathComponent("l.csv")
            try Data("10.0.0.0/8,us,10\n10.0.0.0/8,eu,40\n10.0.0.0/8,ap,90\n".utf8).write(to: latencies)
            snapshot = try TopologyLoader.load(path: folder.appendingPathComponent("topology.yaml").path)
            try server.start(try prepare(), health: board)
        }

        deinit { try? FileManager.default.removeItem(at: folder) }

        func prepare() throws -> Preparation {
            try server.prepare(snapshot, node: try #require(snapshot.node(named: "dns-1")))
        }

        func explain() throws -> String {
            let found = server.explain(["kind": "dns", "name": "www.shop.test.", "type": "A", "client": "10.1.2.3"])
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            return String(decoding: try encoder.encode(try #require(found)), as: UTF8.self)
        }
    }

    @Test("The server steps the loop by itself, publishes only what is new, and remembers")
    func server() async throws {
        let node = try Node()
        func publish(_ loads: [String: Double]) { node.board.publish(Self.view(node.snapshot, loads)) }
        /// Whether a fifth is spilled, by the table of this generation.
        func expectSpilled(_ generation: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
            let found = try node.explain()
            for part in [
                #""regions":["us"],"share":0.8"#, #""regions":["eu"],"share":0.2"#,
                #""tableGeneration":\#(generation),"#,
            ] { #expect(found.contains(part), "\(found)", sourceLocation: sourceLocation) }
        }
        #expect(try node.explain().contains(#""tableGeneration":1"#))
        #expect(node.server.refresh() == [])
        #expect(try node.explain().contains(#""tableGeneration":1"#), "nothing moved")
        // Nobody says that health changed.
        publish(["us": 1000, "eu": 100, "ap": 0])
        #expect(node.server.refresh() == [])
        try expectSpilled(2)
        publish(["us": 800, "eu": 300, "ap": 0])
        node.server.install(try node.prepare())
        try expectSpilled(3)
        let path = node.folder.appendingPathComponent("l.csv")
        try Data("10.0.0.0/8,us,11\n10.0.0.0/8,eu,41\n10.0.0.0/8,ap,91\n".utf8).write(to: path, options: .atomic)
        #expect(node.server.refresh() == [])
        #expect(node.server.refresh() == [Event.Remark(.notice, "\(path.path) read anew")])
        try expectSpilled(4)
        #expect(try node.explain().contains("us 11 ms"))
        await node.server.stop(deadline: .zero)
        await node.server.end()
    }
}
