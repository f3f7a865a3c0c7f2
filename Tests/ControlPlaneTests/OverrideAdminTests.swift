import Federation
import HTTPExchange
import Health
import Model
import Testing

@testable import ControlPlane

@Suite("Overrides by the admin API", .serialized)
struct OverrideAdminTests {
    private static func scene() async throws -> (scene: Scene, servers: [HTTPServer]) {
        let servers = [try Scene.backend(), try Scene.backend(), try Scene.backend()]
        let scene = try Scene(ports: [
            "web": servers[0].addresses[0].port, "front": servers[1].addresses[0].port,
            "db": servers[2].addresses[0].port,
        ])
        try scene.boot("l4", .l4)
        try scene.boot("l7", .l7)
        try scene.boot("dns", .dns)
        #expect(
            await Fleet.wait {
                scene.nodes.values.allSatisfy { $0.state.phase.ready }
                    && scene.nodes["dns"]?.hub.entries.count == 3 && scene.verdict(on: "dns")?.healthy == true
            })
        return (scene, servers)
    }

    private static func end(_ scene: Scene, _ servers: [HTTPServer]) async {
        await scene.stop()
        for server in servers { await server.stop() }
    }

    @Test("A drain told to one node reaches every other, is shown everywhere, and its release too")
    func everywhere() async throws {
        let (scene, servers) = try await Self.scene()
        let made = try await scene.ask(
            "l4", "/overrides", method: "POST",
            body: #"{"action":"drain","kind":"region","pattern":"eu","seconds":60,"reason":"work","author":"ana"}"#)
        #expect(made.status == 201)
        #expect(made.value["matches"] == ["eu"])
        let id = try #require(made.value["override"]["id"].string)
        for node in ["dns", "l7", "l4"] {
            #expect(await Fleet.wait { scene.verdict(on: node)?.forced == .drain }, "\(node)")
            #expect(try await scene.ask(node, "/overrides").value["overrides"].array.first?["id"].string == id)
        }
        let status = try await scene.ask("dns", "/status").value
        #expect(status["overrides"].array.first?["author"] == "ana")
        let shop = status["services"].array.first { $0["service"] == "shop" }?["regions"].array.first
        #expect(shop?["healthy"] == false)
        #expect(shop?["forced"] == "drain")
        #expect(
            status["events"].array.contains {
                $0["kind"] == "override" && $0["subject"] == "region eu"
                    && $0["text"].string?.hasPrefix("drained by ana until") == true
            })
        let metrics = try await scene.ask("dns", "/metrics").text
        #expect(metrics.contains("meridian_overrides{action=\"drain\"} 1\n"))
        #expect(metrics.contains("meridian_service_forced{service=\"shop\",region=\"eu\"} 1\n"))

        // Any node takes it back.
        let released = try await scene.ask("l7", "/overrides/\(id)?author=bo&reason=done", method: "DELETE")
        #expect(released.status == 200)
        for node in ["dns", "l7", "l4"] {
            #expect(await Fleet.wait { scene.verdict(on: node)?.healthy == true }, "\(node)")
        }
        #expect(
            await Fleet.wait {
                scene.nodes["dns"]?.board.events.events().contains { $0.text.hasPrefix("released by bo: done") } == true
            })
        #expect(try await scene.ask("dns", "/overrides/\(id)", method: "DELETE").status == 404)
        await Self.end(scene, servers)
    }

    @Test("A node that is drained from elsewhere says so itself, and an override ends by itself with an event")
    func expiry() async throws {
        let (scene, servers) = try await Self.scene()
        let made = try await scene.ask(
            "dns", "/overrides", method: "POST",
            body: #"{"action":"drain","kind":"node","pattern":"l7","seconds":1,"reason":"short"}"#)
        #expect(made.value["override"]["author"] == "127.0.0.1")
        #expect(await Fleet.wait { scene.nodes["l7"]?.state.phase.state == .draining })
        #expect(await Fleet.wait { scene.nodes["l7"]?.state.phase.state == .serving })
        #expect(await Fleet.wait { scene.verdict(on: "dns")?.healthy == true })
        #expect(
            await Fleet.wait {
                scene.nodes["dns"]?.board.events.events().contains {
                    $0.kind == .override && $0.text.hasPrefix("its time is over: was drained by 127.0.0.1")
                } == true
            })
        #expect(try await scene.ask("dns", "/overrides").value["overrides"] == [])
        await Self.end(scene, servers)
    }

    @Test("A node that comes later hears of overrides made before its time")
    func latecomer() async throws {
        let (scene, servers) = try await Self.scene()
        await scene.kill("dns")
        _ = try await scene.ask(
            "l4", "/overrides", method: "POST",
            body: #"{"action":"down","kind":"name","pattern":"www.shop.test","region":"e*","reason":"x"}"#)
        #expect(
            await Fleet.wait {
                scene.nodes["l7"]?.board.view
                    .candidate(name: "www.shop.test.", service: "shop", region: "eu").forced == .down
            })
        await scene.kill("l4")
        try scene.boot("dns", .dns)
        #expect(
            await Fleet.wait {
                scene.nodes["dns"]?.board.view
                    .candidate(name: "www.shop.test.", service: "shop", region: "eu").forced == .down
            }, "the L7 node tells what it heard from one that is gone")
        await Self.end(scene, servers)
    }

    @Test("A node that is killed and started anew answers at once by what it knew, and confirms it")
    func restart() async throws {
        let (scene, servers) = try await Self.scene()
        try scene.write(extra: "stateDirectory: state")
        await scene.kill("dns")
        try scene.boot("dns", .dns)
        #expect(
            await Fleet.wait { scene.verdict(on: "dns")?.healthy == true && scene.verdict(on: "dns")?.stale == false })
        _ = try await scene.ask(
            "l4", "/overrides", method: "POST",
            body: #"{"action":"down","kind":"name","pattern":"www.shop.test","reason":"x"}"#)
        await servers[0].stop()
        #expect(await Fleet.wait { scene.verdict(on: "dns")?.healthy == false })
        #expect(await Fleet.wait { scene.nodes["dns"]?.overrides.set.isEmpty == false })
        let writes = scene.nodes["dns"]?.keeper.counters.writes ?? 0
        #expect(await Fleet.wait { (scene.nodes["dns"]?.keeper.counters.writes ?? 0) > writes })
        for name in ["dns", "l7", "l4"] { await scene.kill(name) }

        // Alone, and before it looked at anything.
        try scene.boot("dns", .dns, working: false)
        let verdict = try #require(scene.verdict(on: "dns"))
        #expect(!verdict.healthy)
        #expect(verdict.stale)
        #expect(
            scene.nodes["dns"]?.board.view
                .candidate(name: "www.shop.test.", service: "shop", region: "eu").forced == .down)
        #expect(scene.nodes["dns"]?.hub.entries["l7"]?.isRestored == true)
        let status = try await scene.ask("dns", "/status").value
        #expect(status["services"].array.last?["regions"].array.first?["stale"] == true)
        #expect(status["saved"]["path"].string?.hasSuffix("/state/dns.state") == true)
        #expect(
            try await scene.ask("dns", "/metrics").text
                .contains("meridian_service_stale{service=\"shop\",region=\"eu\"} 1\n"))
        #expect(try await scene.ask("dns", "/explain?kind=verdict&service=shop&region=eu").value["stale"] == true)
        await Self.end(scene, Array(servers.dropFirst()))
    }

    @Test("A change against a safety rule is refused with what would follow, unless the operator insists with a reason")
    func safety() async throws {
        let (scene, servers) = try await Self.scene()
        try scene.write(
            extra: "safety: [{name: one, atLeast: 1, of: [eu]}, {name: window, gate: closed, of: [us], services: [db]}]"
        )
        for node in ["dns", "l7", "l4"] { #expect(try await scene.ask(node, "/reload", method: "POST").status == 200) }
        #expect(await Fleet.wait { scene.verdict(on: "dns")?.healthy == true })
        let drain = #"{"action":"drain","kind":"region","pattern":"eu","reason":"work","author":"ana"}"#
        let refused = try await scene.ask("dns", "/overrides", method: "POST", body: drain)
        #expect(refused.status == 409)
        #expect(
            refused.value["error"] == "rule one: at least 1 of eu must stay on for www.shop.test.; none would be")
        #expect(refused.value["violations"].array.first?["rule"] == "one")
        #expect(try await scene.ask("dns", "/overrides").value["overrides"] == [])
        #expect(scene.verdict(on: "dns")?.healthy == true)
        #expect(try await scene.ask("l7", "/drain", method: "POST").status == 409)
        #expect(scene.nodes["l7"]?.state.phase.draining == false)

        let insisted = try await scene.ask(
            "dns", "/overrides", method: "POST",
            body: drain.replacing("{\"action\"", with: #"{"overrideSafety":true,"action""#))
        #expect(insisted.status == 201)
        #expect(insisted.value["override"]["against"] == ["one"])
        #expect(await Fleet.wait { scene.verdict(on: "l7")?.forced == .drain })
        let status = try await scene.ask("dns", "/status").value
        #expect(status["safety"].array.first?["holds"] == false)
        #expect(
            status["events"].array.contains {
                $0["kind"] == "safety" && $0["text"].string?.hasPrefix("overridden by ana (work): rule one") == true
            })
        #expect(
            status["events"].array.contains {
                $0["kind"] == "safety" && $0["text"].string?.hasPrefix("refused to ana: rule one") == true
            })
        #expect(try await scene.ask("dns", "/metrics").text.contains("meridian_safety_rule_holds{rule=\"one\"} 0\n"))

        let db = #"{"action":"down","kind":"service","pattern":"db","region":"us","reason":"x"}"#
        #expect(try await scene.ask("dns", "/overrides", method: "POST", body: db).status == 409)
        let gate = #"{"action":"up","kind":"gate","pattern":"window","reason":"planned"}"#
        #expect(try await scene.ask("dns", "/overrides", method: "POST", body: gate).status == 201)
        #expect(await Fleet.wait { scene.nodes["dns"]?.board.view.overrides.gate("window") != nil })
        #expect(try await scene.ask("dns", "/overrides", method: "POST", body: db).status == 201)
        await Self.end(scene, servers)
    }

    @Test("What makes no sense is refused with the cure")
    func refusals() async throws {
        let (scene, servers) = try await Self.scene()
        let good = #""kind":"region","pattern":"eu","reason":"x""#
        let bad: [(body: String, status: Int, words: String)] = [
            ("", 400, "the body is"), ("[]", 400, "the body is"),
            (#"{"action":"drain",\#(good),"fro":1}"#, 400, "unknown member 'fro'"),
            (#"{"action":"dra",\#(good)}"#, 400, "drain, up, down"),
            (
                #"{"action":"drain","kind":"planet","pattern":"eu","reason":"x"}"#, 400,
                "node, region, service, name, gate"
            ),
            (#"{"action":"drain","kind":"region","pattern":"","reason":"x"}"#, 400, "'pattern'"),
            (#"{"action":"drain","kind":"region","pattern":"eu"}"#, 400, "'reason'"),
            (#"{"action":"drain",\#(good),"region":"eu"}"#, 400, "names and services only"),
            (#"{"action":"drain",\#(good),"seconds":0}"#, 400, "'seconds'"),
            (#"{"action":"drain",\#(good),"seconds":99999999}"#, 400, "'seconds'"),
            (#"{"action":"drain",\#(good),"author":"a\nb"}"#, 400, "'author'"),
            (#"{"action":"drain","kind":"region","pattern":"mars-*","reason":"x"}"#, 404, "regions: eu, us"),
            (
                #"{"action":"up","kind":"name","pattern":"w*","region":"mars","reason":"x"}"#, 404,
                "no region matches 'mars'"
            ),
        ]
        for (body, status, words) in bad {
            let answer = try await scene.ask("dns", "/overrides", method: "POST", body: body)
            #expect(answer.status == status, "\(body)")
            #expect(answer.value["error"].string?.contains(words) == true, "\(body): \(answer.text)")
        }
        #expect(try await scene.ask("dns", "/overrides", method: "PUT").status == 405)
        #expect(try await scene.ask("dns", "/overrides/x").status == 405)
        #expect(try await scene.ask("dns", "/overrides/x?author=a%0Ab", method: "DELETE").status == 400)
        #expect(try await scene.ask("dns", "/overrides").value["overrides"] == [])
        #expect(
            try await scene.ask("dns", "/overrides", method: "POST", headers: [("Origin", "http://x")], body: "{}")
                .status == 403)
        await Self.end(scene, servers)
    }
}
