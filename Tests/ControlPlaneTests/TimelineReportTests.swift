import Federation
import HTTPExchange
import Health
import Model
import Testing

@testable import ControlPlane

@Suite("Timelines between nodes", .serialized)
struct TimelineReportTests {
    private static let known = ClusterTimeline(
        ClusterTimeline.Key(pool: "orders", region: "eu", system: .max), timeline: 2, accepted: 5)

    @Test("A report carries them; one of an older node has none; impossible ones are refused")
    func report() throws {
        var report = Report(
            node: "l4", tier: .l4, region: "eu", incarnation: 1, sequence: 1,
            issuedAt: Timestamp(milliseconds: 1_700_000_000_000), state: .serving, configuration: 1, pools: [],
            observations: [], rate: 0)
        let without = try ReportCodec.encode(report)
        #expect(!String(decoding: without, as: UTF8.self).contains("timelines"))
        #expect(try ReportCodec.decode(without) == report)
        report.timelines = [Self.known]
        let bytes = try ReportCodec.encode(report)
        #expect(try ReportCodec.decode(bytes) == report)
        let text = String(decoding: bytes, as: UTF8.self)
        for (part, absurd) in [("\"timeline\":2", "\"timeline\":0"), ("\"accepted\":5", "\"accepted\":-5")] {
            #expect(text.contains(part))
            #expect(throws: Refusal.malformed) {
                try ReportCodec.decode(Array(text.replacing(part, with: absurd).utf8))
            }
        }
    }

    @Test("What one node knows all others know, of every tier, and an operator's word as well")
    func everywhere() async throws {
        let servers = [try Scene.backend(), try Scene.backend(), try Scene.backend()]
        let scene = try Scene(ports: [
            "web": servers[0].addresses[0].port, "front": servers[1].addresses[0].port,
            "db": servers[2].addresses[0].port,
        ])
        try scene.boot("l4", .l4)
        try scene.boot("l7", .l7)
        try scene.boot("dns", .dns)
        var known = Self.known
        known.accepted = 0
        scene.nodes["l4"]?.probing.merge([known])
        for node in ["dns", "l7"] {
            #expect(await Fleet.wait { scene.nodes[node]?.probing.timelines.entries == [known] }, "\(node)")
        }
        let word = ClusterTimeline(known.key, timeline: 1, accepted: 1_700_000_000_000)
        scene.nodes["dns"]?.probing.merge([word])
        for node in ["l4", "l7"] {
            #expect(await Fleet.wait { scene.nodes[node]?.probing.timelines.entries == [word] }, "\(node)")
            #expect(
                await Fleet.wait {
                    scene.nodes[node]?.board.events.events().contains {
                        $0.kind == .override && $0.subject == "pool orders" && $0.text.contains("timeline 1 accepted")
                    } == true
                })
        }
        let list = try await scene.ask("l4", "/timelines").value["timelines"].array
        #expect(list.map { $0["system"].string } == ["18446744073709551615"])
        #expect(list.first?["accepted"].int == 1_700_000_000_000)

        func accept(_ body: String) async throws -> Int {
            Int(try await scene.ask("l4", "/timelines", method: "POST", body: body).status)
        }
        #expect(try await accept(#"{"pool":"orders","timeline":1,"reason":"x"}"#) == 404, "its check learns no roles")
        #expect(try await accept(#"{"pool":"orders","timeline":0,"reason":"x"}"#) == 400)
        #expect(try await accept(#"{"pool":"orders","timeline":4294967296,"reason":"x"}"#) == 400)
        #expect(try await accept(#"{"pool":"orders","timeline":1}"#) == 400)
        #expect(try await accept("[]") == 400)
        #expect(try await scene.ask("l4", "/timelines", method: "DELETE").status == 405)
        await scene.stop()
        for server in servers { await server.stop() }
    }
}
