import Federation
import HTTPExchange
import Health
import Model
import Synchronization
import Testing

@testable import ControlPlane

@Suite("A wall clock that is set while the node runs", .serialized)
struct ClockStepTests {
    private final class Clocks: Sendable {
        private let state = Mutex((time: Timestamp(milliseconds: 1_700_000_000_000), step: Duration.zero))
        var steady: SteadyClock { SteadyClock { self.state.withLock { $0.time } } }
        var wall: Timestamp { state.withLock { $0.time + $0.step } }
        func pass(_ duration: Duration) { state.withLock { $0.time = $0.time + duration } }
        func set(_ step: Duration) { state.withLock { $0.step = step } }
    }

    @Test("A node goes by the wall clock, unless that was set and its peers go by what it showed before")
    func choice() {
        let clocks = Clocks()
        let time = TimeOfDay(steady: clocks.steady) { clocks.wall }
        func say(_ peer: String, ahead: Duration) {
            time.heard(peer, issuedAt: clocks.steady.now + ahead, age: .zero)
        }
        clocks.set(.seconds(5))
        #expect(time.now == clocks.wall && time.candidates.count == 1)
        clocks.set(.seconds(-10_800))
        #expect(time.now == clocks.wall, "nobody says otherwise")
        say("a", ahead: .milliseconds(40))
        #expect(time.now == clocks.steady.now)
        #expect(time.candidates.count == 2)
        #expect(time.nearest(to: clocks.wall + .seconds(20)) == clocks.wall)
        #expect(time.nearest(to: clocks.steady.now - .seconds(20)) == clocks.steady.now)
        // A peer that started after all clocks were put right.
        say("b", ahead: .seconds(-10_800))
        #expect(time.now == clocks.wall)
        time.follow(["a"], interval: .seconds(1))
        #expect(time.now == clocks.steady.now)
        // A paused machine hears nobody.
        clocks.pass(.seconds(16))
        #expect(time.now == clocks.wall)
        say("a", ahead: .seconds(-7_000))
        #expect(time.now == clocks.wall, "one that agrees with neither clock tells nothing")
    }

    @Test("Hours forward or back change no verdict, silence nobody and end no operator's word", arguments: [3, -3])
    func steps(hours: Int) async throws {
        let (web, front, db) = (try Scene.backend(), try Scene.backend(), try Scene.backend())
        let scene = try Scene(ports: [
            "web": web.addresses[0].port, "front": front.addresses[0].port, "db": db.addresses[0].port,
        ])
        let step = Mutex(Duration.zero)
        try scene.boot("l4", .l4)
        try scene.boot("l7", .l7) { .now + step.withLock { $0 } }
        try scene.boot("dns", .dns)
        #expect(
            await Fleet.wait {
                scene.nodes.values.allSatisfy { node in
                    node.state.phase.state == .serving
                        && node.hub.entries.values.count { $0.report.state == .serving } == 3
                }
            })
        _ = try await scene.ask(
            "dns", "/overrides", method: "POST",
            body: #"{"action":"down","kind":"name","pattern":"www.shop.test","seconds":3600,"reason":"x"}"#)
        // Each node tells of the word in an event of its own, which is not to be taken for one of the step.
        #expect(
            await Fleet.wait {
                scene.nodes.values.allSatisfy { $0.board.events.events().contains { $0.kind == .override } }
            })
        #expect(await Fleet.wait { scene.verdict(on: "dns")?.healthy == true })
        let seen = scene.nodes.mapValues { $0.board.events.events().last?.number ?? 0 }
        let refused = scene.nodes.mapValues { $0.hub.counters.refused }
        let links = scene.nodes.mapValues { $0.polling.links.mapValues(\.failures) }

        step.withLock { $0 = .seconds(hours * 3600) }
        // Longer than `staleAfter`.
        try await Task.sleep(for: .seconds(6))
        for (name, node) in scene.nodes {
            let events = node.board.events.events(after: seen[name] ?? 0)
            #expect(events.isEmpty, "\(name): \(events)")
            #expect(node.hub.counters.refused == refused[name], "\(name)")
            #expect(node.polling.links.mapValues(\.failures) == links[name], "\(name)")
            #expect(node.board.view.candidate(name: "www.shop.test.", service: "shop", region: "eu").forced == .down)
        }
        // A word that is given now ends when it is to end, everywhere.
        let answer = try await scene.ask(
            "l7", "/overrides", method: "POST",
            body: #"{"action":"down","kind":"service","pattern":"db","seconds":600,"reason":"y"}"#)
        #expect(answer.status == 200 || answer.status == 201)
        #expect(
            await Fleet.wait {
                ["dns", "l4"].allSatisfy {
                    scene.nodes[$0]?.board.verdict(service: "db", region: "eu")?.forced == .down
                }
            })
        await scene.stop()
        for server in [web, front, db] { await server.stop() }
    }
}
