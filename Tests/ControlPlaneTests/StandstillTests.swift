import Federation
import HTTPExchange
import Health
import Model
import Synchronization
import Testing

@testable import ControlPlane

/// A steady clock that a test sets forward, as it goes on while nobody runs.
final class JumpingClock: Sendable {
    private let offset = Mutex(Duration.zero)
    private let steady = SteadyClock()

    var clock: SteadyClock { SteadyClock { self.now } }
    var now: Timestamp { steady.now + offset.withLock { $0 } }

    func jump(_ duration: Duration) { offset.withLock { $0 += duration } }
}

@Suite("A process that did not run for a while", .serialized)
struct StandstillTests {
    @Test("A standstill is noticed once, by whoever looks first, and waiting for a processor is none")
    func noticed() {
        let time = Mutex(Timestamp(milliseconds: 1_700_000_000_000))
        let standstills = Standstills(clock: SteadyClock { time.withLock { $0 } })
        func pass(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
        #expect(standstills.latest == nil)
        pass(.milliseconds(1900))
        #expect(standstills.count == 0)
        pass(.milliseconds(2100))
        #expect(standstills.latest?.length == .milliseconds(2100))
        #expect(standstills.latest?.end == time.withLock { $0 })
        #expect(standstills.count == 1)
        pass(.seconds(86_400))
        #expect(standstills.latest == Standstill(number: 2, length: .seconds(86_400), end: time.withLock { $0 }))
        // No clock that is steady goes back; one that does anyway makes no standstill on its way forward.
        pass(.seconds(-5))
        #expect(standstills.count == 2)
        pass(.seconds(6))
        #expect(standstills.count == 2)
    }

    private static func events(_ node: RunningNode, after number: UInt64 = 0) -> [Event] {
        node.board.events.events(after: number)
    }

    @Test("Its verdicts are stale until they are confirmed, and nobody is down or silent for the time between")
    func doubts() async throws {
        let (web, front, db) = (try Scene.backend(), try Scene.backend(), try Scene.backend())
        let scene = try Scene(ports: [
            "web": web.addresses[0].port, "front": front.addresses[0].port, "db": db.addresses[0].port,
        ])
        let clocks = ["dns": JumpingClock(), "l7": JumpingClock()]
        try scene.boot("l4", .l4)
        try scene.boot("l7", .l7, clock: clocks["l7"]?.clock ?? SteadyClock())
        try scene.boot("dns", .dns, clock: clocks["dns"]?.clock ?? SteadyClock())
        #expect(
            await Fleet.wait {
                scene.nodes.values.allSatisfy { node in
                    node.hub.entries.values.count { $0.report.state == .serving } == 3
                }
                    && scene.verdict(on: "dns")?.healthy == true
                    && scene.nodes.values.allSatisfy { $0.state.phase.state == .serving }
            })

        for (name, clock) in clocks {
            let node = try #require(scene.nodes[name])
            let seen = Self.events(node).last?.number ?? 0
            let others = scene.nodes.filter { $0.key != name }.mapValues { Self.events($0).last?.number ?? 0 }
            let failures = node.polling.links.mapValues(\.failures)
            clock.jump(.seconds(3600))
            #expect(
                await Fleet.wait { Self.events(node, after: seen).contains { $0.text == "knows again what it serves" } }
            )
            #expect(await Fleet.wait { scene.verdict(on: name)?.stale == false })
            #expect(await Fleet.wait { node.state.phase.state == .serving })
            let events = Self.events(node, after: seen)
            #expect(events.contains { $0.text.hasPrefix("did not run for 36") && $0.severity == .warning }, "\(events)")
            let blame = events.filter { [.verdict, .endpoint, .failOpen].contains($0.kind) }
            #expect(blame.isEmpty, "\(blame)")
            #expect(!events.contains { $0.text.hasPrefix("silent") || $0.text.contains("fell silent") }, "\(events)")
            #expect(scene.planes[name]?.staleServices.contains("shop") == true)
            #expect(node.board.doubts == 1, "tiers are told which table knows of it")
            #expect(node.polling.links.mapValues(\.failures) == failures)
            // Its peers heard that it starts, and let their verdicts stand.
            for (other, number) in others {
                let told = scene.nodes[other].map { Self.events($0, after: number) } ?? []
                #expect(!told.contains { $0.kind == .verdict }, "\(other): \(told)")
                #expect(told.contains { $0.subject == name && $0.text == "starting" }, "\(other): \(told)")
            }
        }
        await scene.stop()
        for server in [web, front, db] { await server.stop() }
    }

    @Test("What peers had said before it is not passed on as new")
    func passesNothingOn() throws {
        let clock = JumpingClock()
        let keyring = try #require(Fleet.keyring())
        func hub(_ name: String, _ clock: SteadyClock) throws -> FederationHub {
            FederationHub(
                name: name, tier: .dns, region: "eu",
                settings: FederationHub.Settings(
                    try Fleet.snapshot(["one", "two", "three"], [:], interval: "200ms"), keyring: keyring),
                clock: clock
            ) {}
        }
        let (one, two) = (try hub("one", SteadyClock()), try hub("two", clock.clock))
        one.publish(FederationHub.Content(state: .serving))
        func answer(of hub: FederationHub, to name: String) -> ReportBatch? {
            let answers = Mutex<[ReportBatch]>([])
            hub.poll(from: name, since: 0, wait: .zero) { batch in answers.withLock { $0.append(batch) } }
            hub.tick()
            return answers.withLock { $0.first }
        }
        two.receive(try #require(answer(of: one, to: "two")))
        #expect(answer(of: two, to: "three")?.items.count == 1)
        clock.jump(.seconds(60))
        let old = try #require(answer(of: two, to: "three")?.items.first)
        #expect(old.age >= .seconds(60))
        two.doubt(before: clock.now)
        #expect(answer(of: two, to: "three")?.items.isEmpty == true)
        #expect(two.heard(now: clock.now)["one"]?.isRestored == true)
        // The same report again is as old as the peer says.
        two.receive(try #require(answer(of: one, to: "two")))
        #expect(two.heard(now: clock.now)["one"]?.isRestored == false)
        #expect(answer(of: two, to: "three")?.items.count == 1)
    }
}
