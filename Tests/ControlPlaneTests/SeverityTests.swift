import HTTPExchange
import Health
import Logging
import Model
import Synchronization
import Testing

@testable import ControlPlane

/// Alerts go by the level of a line, so what breaks must not look like ordinary life.
@Suite("Severities", .serialized)
struct SeverityTests {
    private static func severities(_ node: RunningNode?, _ kind: Event.Kind, _ part: String) -> Set<Event.Severity> {
        Set(node?.board.events.events().filter { $0.kind == kind && $0.text.contains(part) }.map(\.severity) ?? [])
    }

    @Test("A life with failures: what needs a person is an error, what was worked around a warning")
    func life() async throws {
        let (web, front, db) = (try Scene.backend(), try Scene.backend(), try Scene.backend())
        let scene = try Scene(ports: [
            "web": web.addresses[0].port, "front": front.addresses[0].port, "db": db.addresses[0].port,
        ])
        try scene.boot("l4", .l4)
        try scene.boot("l7", .l7)
        try scene.boot("dns", .dns)
        #expect(await Fleet.wait { scene.verdict(on: "dns")?.healthy == true })
        #expect(await Fleet.wait { !Self.severities(scene.nodes["l7"], .node, "serving").isEmpty })
        func told(_ node: String, _ kind: Event.Kind, _ part: String) -> Set<Event.Severity> {
            Self.severities(scene.nodes[node], kind, part)
        }

        #expect(told("l7", .node, "serving") == [.notice])
        #expect(told("l7", .endpoint, "up") == [.notice])
        #expect(await Fleet.wait { told("dns", .peer, "serving") == [.notice] })

        try scene.write(extra: "nonsense: true")
        #expect(try await scene.ask("l7", "/reload", method: "POST").status == 422)
        #expect(told("l7", .configuration, "reload refused") == [.error])
        try scene.write(interval: "150ms")
        #expect(try await scene.ask("l7", "/reload", method: "POST").status == 200)
        #expect(told("l7", .configuration, "in force") == [.notice])

        await db.stop()
        #expect(await Fleet.wait { told("l4", .endpoint, "down: ") == [.warning] })
        #expect(await Fleet.wait { told("dns", .verdict, "down") == [.warning] })
        #expect(await Fleet.wait { told("dns", .failOpen, "down in every region") == [.error] })
        await front.stop()
        #expect(await Fleet.wait { told("dns", .endpoint, "unreachable") == [.warning] })
        await scene.kill("l4")
        #expect(await Fleet.wait { told("dns", .peer, "silent") == [.warning] })

        let shown = try await scene.ask("dns", "/status").value["events"].array
        #expect(shown.contains { $0["kind"] == "failOpen" && $0["severity"] == "error" })
        await scene.stop()
        await web.stop()
    }

    @Test("A state file that is refused, or cannot be written, is an error, told once")
    func state() async throws {
        let events = EventLog()
        // A folder stands where the file should.
        let keeper = StateKeeper(node: "n", path: "/proc/self/state", events: events)
        _ = keeper.load(now: .now)
        await keeper.finish(VerdictEngine(), OverrideSet(), [:])
        await keeper.finish(VerdictEngine(), OverrideSet(), [:])
        #expect(events.events().filter { $0.text.contains("cannot be saved") }.map(\.severity) == [.error])
    }
}
