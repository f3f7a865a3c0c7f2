import ControlPlane
import L4Tier
import Model
import TestKit
import Testing

@Suite("TCP: what is counted", .serialized)
struct MetricsTests {
    @Test("The text follows the format and its naming conventions")
    func format() async throws {
        let backend = try Backend()
        let stage = try Stage([backend.address])
        let client = try Client(stage.address())
        client.send("hello")
        #expect(client.text(5) == "hello")
        client.close()
        #expect(await stage.eventually { stage.counter("connections_finished_total") == 1 })
        var text = MetricsText()
        stage.server.metrics(into: &text)
        let exposition = Exposition(text.rendered)
        #expect(exposition.problems == [])
        #expect(exposition.value("meridian_l4_received_bytes_total") == 5)
        #expect(exposition.value("meridian_l4_sent_bytes_total") == 5)
        #expect(exposition.value("meridian_log_dropped_lines_total", ["log": "access"]) == 0)
        await stage.server.stop(deadline: .zero)
    }
}
