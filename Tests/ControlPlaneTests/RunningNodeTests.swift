import Engine
import Federation
import HTTPExchange
import Health
import Model
import Testing
import Topology

@testable import ControlPlane

@Suite("Nodes of three tiers together", .serialized)
struct RunningNodeTests {
    /// Boots the scene and waits until the DNS node judges the region by evidence.
    private func scene(_ web: HTTPServer, _ front: HTTPServer, _ db: HTTPServer) async throws -> Scene {
        let scene = try Scene(ports: [
            "web": web.addresses[0].port, "front": front.addresses[0].port, "db": db.addresses[0].port,
        ])
        try scene.boot("l4", .l4)
        try scene.boot("l7", .l7)
        try scene.boot("dns", .dns)
        let serving = await Fleet.wait {
            scene.nodes.values.allSatisfy { $0.state.phase.ready }
                && scene.nodes["dns"]?.hub.entries.values.allSatisfy { $0.report.state == .serving } == true
                && scene.nodes["dns"]?.hub.entries.count == 3
        }
        #expect(serving)
        return scene
    }

    @Test("Users are let in after the first result of each check, and then the node says that it serves")
    func opening() async throws {
        let (web, front, db) = (try Scene.backend(), try Scene.backend(), try Scene.backend())
        let scene = try await scene(web, front, db)
        for node in ["l7", "l4"] {
            #expect(scene.planes[node]?.calls == ["prepare", "start", "open"])
            #expect(scene.planes[node]?.unchecked == 0)
        }
        await scene.stop()
        for server in [web, front, db] { await server.stop() }
    }

    @Test("A check that never ends holds users up for five seconds and no longer", .timeLimit(.minutes(1)))
    func openingWithoutResult() async throws {
        // Accepts and says nothing.
        let silent = try Socket.listen(Scene.loopback)
        defer { Socket.close(silent) }
        let (front, db) = (try Scene.backend(), try Scene.backend())
        let scene = try Scene(ports: [
            "web": try #require(Socket.localAddress(silent)).port, "front": front.addresses[0].port,
            "db": db.addresses[0].port,
        ])
        try scene.write(interval: "60s", timeout: "60s")
        let begun = ContinuousClock.now
        try scene.boot("l7", .l7)
        try await Task.sleep(for: .seconds(1))
        #expect(scene.planes["l7"]?.calls == ["prepare", "start"])
        #expect(scene.nodes["l7"]?.state.phase.ready == false)
        #expect(await Fleet.wait(.seconds(20)) { scene.nodes["l7"]?.state.phase.ready == true })
        #expect(scene.planes["l7"]?.calls == ["prepare", "start", "open"])
        #expect(ContinuousClock.now - begun > .seconds(4))
        await scene.stop()
        for server in [front, db] { await server.stop() }
    }

    @Test("A database that goes takes the shop down on every tier, with the chain of who saw what, and comes back")
    func chain() async throws {
        let (web, front, db) = (try Scene.backend(), try Scene.backend(), try Scene.backend())
        let scene = try await scene(web, front, db)
        #expect(await Fleet.wait { scene.verdict(on: "dns")?.healthy == true })

        let port = db.addresses[0].port
        await db.stop()
        #expect(await Fleet.wait { scene.verdict(on: "dns")?.healthy == false })
        let reasons = scene.verdict(on: "dns")?.reasons ?? []
        #expect(reasons.contains { $0.depth == 0 && $0.text.contains("depends on db") })
        #expect(reasons.contains { $0.depth == 1 && $0.source == "l4" && $0.text.contains("127.0.0.1:\(port): ") })
        #expect(await Fleet.wait { scene.verdict(on: "l7")?.healthy == false })
        // The L7 node's own report says so too, for those who do not hear the L4 node.
        #expect(
            await Fleet.wait {
                scene.nodes["l7"]?.hub.published?.observations.contains { !$0.up && $0.reason.contains("db") } == true
            })
        let status = try await scene.ask("dns", "/status").value
        let shop = status["services"].array.first { $0["service"] == "shop" }
        #expect(shop?["failOpen"] == true)
        #expect(shop?["regions"].array.first?["healthy"] == false)
        #expect(status["failOpen"] == ["shop"])
        #expect(try await scene.ask("dns", "/metrics").text.contains("meridian_service_fail_open{service=\"shop\"} 1"))
        #expect(status["events"].array.contains { $0["kind"] == "verdict" && $0["subject"] == "shop in eu" })

        let back = try Scene.backend(port: port)
        #expect(await Fleet.wait { scene.verdict(on: "dns")?.healthy == true })
        #expect(await Fleet.wait { scene.nodes["dns"]?.board.failOpen(service: "shop") == false })
        #expect((scene.planes["dns"]?.healthChanges ?? 0) >= 3)
        await scene.stop()
        for server in [web, front, back] { await server.stop() }
    }

    @Test("A goodbye reaches the DNS node before the listeners close")
    func goodbye() async throws {
        let (web, front, db) = (try Scene.backend(), try Scene.backend(), try Scene.backend())
        let scene = try await scene(web, front, db)
        #expect(await Fleet.wait { scene.verdict(on: "dns")?.healthy == true })
        let l7 = try #require(scene.nodes["l7"])
        #expect(await Fleet.wait { l7.hub.pollers(within: .seconds(3)).contains("dns") })
        await l7.sayGoodbye()
        #expect(await Fleet.wait(.seconds(2)) { scene.verdict(on: "dns")?.healthy == false })
        #expect(scene.verdict(on: "dns")?.reasons.contains { $0.source == "l7" && $0.text == "is leaving" } == true)
        #expect(try await scene.ask("l7", "/readyz").status == 503)
        await scene.stop()
        for server in [web, front, db] { await server.stop() }
    }

    @Test(
        "What a DNS node sees from outside counts: a dead front takes the region down while its report is still fresh")
    func outside() async throws {
        let (web, front, db) = (try Scene.backend(), try Scene.backend(), try Scene.backend())
        let scene = try await scene(web, front, db)
        #expect(await Fleet.wait { scene.verdict(on: "dns")?.healthy == true })
        await front.stop()
        #expect(await Fleet.wait { scene.verdict(on: "dns")?.healthy == false })
        #expect(scene.verdict(on: "dns")?.reasons.first?.text.contains("cannot reach eu") == true)
        await scene.stop()
        for server in [web, db] { await server.stop() }
    }

    @Test("Drain, status, config, explain and reload by the admin API")
    func admin() async throws {
        let (web, front, db) = (try Scene.backend(), try Scene.backend(), try Scene.backend())
        let scene = try await scene(web, front, db)
        #expect(try await scene.ask("l7", "/healthz").value["state"] == "serving")
        #expect(try await scene.ask("l7", "/readyz").status == 200)

        let drained = try await scene.ask("l7", "/drain", method: "POST", body: #"{"drain":true,"reason":"work"}"#)
        #expect(drained.value["state"] == "draining")
        #expect(await Fleet.wait { scene.verdict(on: "dns")?.healthy == false })
        #expect(try await scene.ask("l7", "/status").value["drainReason"] == "work")
        _ = try await scene.ask("l7", "/drain", method: "POST", body: #"{"drain":false}"#)
        #expect(await Fleet.wait { scene.verdict(on: "dns")?.healthy == true })
        #expect(try await scene.ask("l7", "/drain", method: "POST", body: "nonsense").status == 400)

        let status = try await scene.ask("l7", "/status").value
        #expect(status["node"] == "l7")
        #expect(status["names"] == [])
        #expect(status["pools"].array.first?["endpoints"].array.first?["usable"] == true)
        #expect(status["peers"].array.count == 2)
        #expect(status["peers"].array.allSatisfy { $0["voice"] == "fresh" })
        let last = status["events"].array.last?["number"].int ?? 0
        // Whatever happens meanwhile is newer.
        let later = try await scene.ask("l7", "/status?events=\(last)").value["events"].array
        #expect(last > 0 && later.allSatisfy { ($0["number"].int ?? 0) > last })

        let config = try await scene.ask("l7", "/config")
        #expect(config.value["federation"]["keys"].array.first?["id"] == "k1")
        #expect(!config.text.contains("federation key for tests"))
        #expect(try await scene.ask("l7", "/explain?kind=fake").value["why"] == "because")
        #expect(try await scene.ask("l7", "/explain?kind=other").status == 400)
        let bad = try await scene.ask("l7", "/explain?kind=fake&name=")
        #expect((bad.status, bad.value["error"].string) == (400, "name is missing"))
        // Each node damps by its own clock.
        #expect(await Fleet.wait { scene.verdict(on: "l7")?.healthy == true })
        #expect(try await scene.ask("l7", "/explain?kind=verdict&service=shop&region=eu").value["healthy"] == true)
        #expect(try await scene.ask("l7", "/metrics").text.contains("meridian_fake_total 1\n"))
        #expect(try await scene.ask("l7", "/nothing").status == 404)
        #expect(try await scene.ask("l7", "/reload").status == 405)
        #expect(try await scene.ask("l7", "/status", method: "POST").status == 405)
        #expect(try await scene.ask("l7", "/reload", method: "POST", headers: [("Origin", "http://x")]).status == 403)
        #expect(try await scene.ask("l7", "/status", headers: [("Host", "evil.test")]).status == 403)
        await scene.stop()
        for server in [web, front, db] { await server.stop() }
    }

    @Test("A reload is all or nothing")
    func reload() async throws {
        let (web, front, db) = (try Scene.backend(), try Scene.backend(), try Scene.backend())
        let scene = try await scene(web, front, db)
        let before = try #require(scene.nodes["l7"]?.state.configuration)

        try scene.write(extra: "nonsense: true")
        let refused = try await scene.ask("l7", "/reload", method: "POST")
        #expect(refused.status == 422)
        #expect(refused.value["diagnostics"].array.first?.string?.contains("nonsense") == true)
        try scene.write(interval: "150ms")
        scene.planes["l7"]?.refuse("a broken zone")
        let unprepared = try await scene.ask("l7", "/reload", method: "POST")
        #expect(unprepared.value["diagnostics"] == ["zone:3:1: error: a broken zone"])
        #expect(scene.nodes["l7"]?.state.configuration.generation == 1)
        #expect(scene.nodes["l7"]?.state.configuration.snapshot.fingerprint == before.snapshot.fingerprint)
        #expect(scene.planes["l7"]?.calls == ["prepare", "start", "open", "prepare"])

        scene.planes["l7"]?.refuse(nil)
        let done = try await scene.ask("l7", "/reload", method: "POST")
        #expect(done.status == 200)
        #expect(done.value["generation"] == 2)
        #expect(scene.planes["l7"]?.calls.last == "install")
        #expect(scene.nodes["l7"]?.state.configuration.snapshot.fingerprint != before.snapshot.fingerprint)
        #expect(
            await Fleet.wait {
                scene.nodes["dns"]?.hub.entries["l7"]?.report.configuration != before.snapshot.fingerprint
            })
        #expect(scene.verdict(on: "dns")?.healthy == true)
        await scene.stop()
        for server in [web, front, db] { await server.stop() }
    }

    @Test("A reload that takes a service away, while another depended on it, finds everything by its new place")
    func reloadWithoutService() async throws {
        let (web, front, db) = (try Scene.backend(), try Scene.backend(), try Scene.backend())
        let scene = try await scene(web, front, db)
        try scene.edit { text in
            text.replacing("db: {threshold: 1%}, shop: {dependsOn: [db], ", with: "shop: {")
                .replacing("    service: db\n", with: "")
        }
        for node in ["l7", "l4", "dns"] { #expect(try await scene.ask(node, "/reload", method: "POST").status == 200) }
        #expect(
            await Fleet.wait {
                ["l7", "l4", "dns"].allSatisfy { scene.nodes[$0]?.loop.evaluation?.verdicts.count == 1 }
                    && scene.nodes["l7"]?.hub.published?.observations.map(\.service) == ["shop"]
            })
        #expect(scene.nodes["l7"]?.hub.published?.observations.map(\.up) == [true])
        await scene.stop()
        for server in [web, front, db] { await server.stop() }
    }

    @Test("Secrets compare in constant shape, and a wrong one never passes")
    func tokens() {
        let token = Array("secret".utf8)
        #expect(ConstantTime.equal(token, token))
        for wrong in ["", "secre", "secret ", "Secret", "secrex"] {
            #expect(!ConstantTime.equal(Array(wrong.utf8), token))
        }
    }

    @Test("Queries are decoded as browsers and curl encode them")
    func query() {
        let query = QueryString("a=1&b=two+words%21&c&a=2&d=%zz&e=x%3Dy=z")
        #expect(query["a"] == "2")
        #expect(query["b"] == "two words!")
        #expect(query["c"] == "")
        #expect(query["d"] == "%zz")
        #expect(query["e"] == "x=y=z")
        #expect(query["f"] == nil)
    }
}
