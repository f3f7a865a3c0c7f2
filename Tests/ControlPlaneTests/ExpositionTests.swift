import Engine
import HTTPExchange
import Model
import TestKit
import Testing

@testable import ControlPlane

@Suite("What every node says in /metrics", .serialized)
struct ExpositionTests {
    @Test("The text follows the format and its naming conventions, on a node of each tier")
    func format() async throws {
        let (web, front, db) = (try Scene.backend(), try Scene.backend(), try Scene.backend())
        let scene = try Scene(ports: [
            "web": web.addresses[0].port, "front": front.addresses[0].port, "db": db.addresses[0].port,
        ])
        try scene.write(
            extra: "safety: [{name: two, atLeast: 2, of: [eu, us]}, {name: window, gate: closed, of: [eu]}]")
        try scene.boot("l4", .l4)
        try scene.boot("l7", .l7)
        try scene.boot("dns", .dns)
        #expect(await Fleet.wait { scene.nodes.values.allSatisfy { $0.state.phase.ready } })
        #expect(await Fleet.wait { scene.verdict(on: "dns")?.healthy == true })
        for node in ["dns", "l7", "l4"] {
            let text = Exposition(try await scene.ask(node, "/metrics").text)
            #expect(text.problems == [], "\(node)")
            #expect(text.value("meridian_build_info", ["version": Release.version]) == 1)
            #expect((text.value("process_cpu_seconds_total") ?? 0) > 0)
            #expect((text.value("process_resident_memory_bytes") ?? 0) > 1_000_000)
            #expect((text.value("process_virtual_memory_bytes") ?? 0) > 1_000_000)
            let (open, most) = (text.value("process_open_fds") ?? 0, text.value("process_max_fds") ?? 0)
            #expect(open > 3 && open < most)
            let start = text.value("process_start_time_seconds") ?? 0
            let now = Double(Timestamp.now.milliseconds) / 1000
            #expect(start < now && start > now - 3_600)
            #expect((text.value("meridian_events_total", ["severity": "notice"]) ?? 0) > 0)
        }
        await scene.stop()
        for server in [web, front, db] { await server.stop() }
    }

    @Test("A closed gate is no broken rule")
    func gates() async throws {
        let (web, front, db) = (try Scene.backend(), try Scene.backend(), try Scene.backend())
        let scene = try Scene(ports: [
            "web": web.addresses[0].port, "front": front.addresses[0].port, "db": db.addresses[0].port,
        ])
        try scene.write(
            extra: "safety: [{name: one, atLeast: 1, of: [eu, us]}, {name: window, gate: closed, of: [eu]}]")
        try scene.boot("l7", .l7)
        #expect(await Fleet.wait { scene.verdict(on: "l7")?.healthy == true })
        let text = Exposition(try await scene.ask("l7", "/metrics").text)
        #expect(text.value("meridian_safety_gate_open", ["gate": "window"]) == 0)
        #expect(text.samples("meridian_safety_rule_holds").map(\.labels) == [["rule": "one"]])
        #expect(text.value("meridian_safety_rule_holds") == 1)
        let gate = try await scene.ask("l7", "/status").value["safety"].array.first { $0["rule"] == "window" }
        #expect(gate?["open"] == false)
        #expect(gate?["holds"] == .null)
        await scene.stop()
        for server in [web, front, db] { await server.stop() }
    }

    @Test("Endpoints tell how their checks go, and reloads what became of the last one")
    func checksAndReloads() async throws {
        let (web, front, db) = (try Scene.backend(), try Scene.backend(), try Scene.backend())
        let scene = try Scene(ports: [
            "web": web.addresses[0].port, "front": front.addresses[0].port, "db": db.addresses[0].port,
        ])
        try scene.boot("l7", .l7)
        try scene.boot("dns", .dns)
        func metrics(_ node: String) async throws -> Exposition {
            Exposition(try await scene.ask(node, "/metrics").text)
        }
        let endpoint = ["pool": "web", "endpoint": "127.0.0.1:\(web.addresses[0].port)"]
        #expect(await Fleet.wait { scene.nodes["l7"]?.state.phase.ready == true })
        var text = try await metrics("l7")
        #expect(text.value("meridian_endpoint_up", endpoint) == 1)
        #expect(text.value("meridian_endpoint_check_passed", endpoint) == 1)
        #expect((text.value("meridian_endpoint_check_duration_seconds", endpoint) ?? 0) > 0)
        let passed = endpoint.merging(["result": "passed"]) { $1 }
        #expect((text.value("meridian_endpoint_checks_total", passed) ?? 0) >= 1)
        #expect(text.value("meridian_config_last_reload_successful") == 1)
        #expect(await Fleet.wait { scene.nodes["dns"]?.candidates.isSettled == true })
        let address = ["name": "www.shop.test.", "region": "eu"]
        #expect(try await metrics("dns").value("meridian_name_check_up", address) == 1)

        await web.stop()
        #expect(await Fleet.wait { scene.nodes["l7"]?.board.endpoints.state(0).contains(.up) == false })
        try scene.write(extra: "nonsense: true")
        _ = try await scene.ask("l7", "/reload", method: "POST")
        text = try await metrics("l7")
        #expect(text.value("meridian_endpoint_up", endpoint) == 0)
        #expect(text.value("meridian_endpoint_check_passed", endpoint) == 0)
        let failed = endpoint.merging(["result": "failed"]) { $1 }
        #expect((text.value("meridian_endpoint_checks_total", failed) ?? 0) >= 1)
        #expect(text.value("meridian_config_last_reload_successful") == 0)
        #expect(text.value("meridian_config_reloads_total", ["result": "refused"]) == 1)
        let before = text.value("meridian_config_last_reload_success_timestamp_seconds") ?? 0
        try scene.write(interval: "150ms")
        _ = try await scene.ask("l7", "/reload", method: "POST")
        text = try await metrics("l7")
        #expect(text.value("meridian_config_last_reload_successful") == 1)
        #expect(text.value("meridian_config_generation") == 2)
        #expect((text.value("meridian_config_last_reload_success_timestamp_seconds") ?? 0) > before)
        await scene.stop()
        for server in [front, db] { await server.stop() }
    }
}
