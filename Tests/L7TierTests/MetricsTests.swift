import ControlPlane
import L7Tier
import Model
import TestKit
import Testing

@Suite("HTTP: what is counted", .serialized)
struct MetricsTests {
    private static func read(_ proxy: Proxy) -> Exposition {
        var text = MetricsText()
        proxy.server.metrics(into: &text)
        return Exposition(text.rendered)
    }

    @Test("Requests by route and the class of their status, over a reload too")
    func routes() async throws {
        let backend = try ScriptedBackend { head, _ in
            [.send(head.contains("/lost") ? "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" : ok())]
        }
        var settings = Proxy.Settings()
        settings.routes = [(.any, .prefix("/a"), 0), (.any, .prefix("/b"), 0)]
        let proxy = try Proxy(pools: [[backend.address]], settings: settings)
        for path in ["/a", "/a/lost", "/b", "/a", "/nowhere"] {
            let client = try proxy.client()
            try client.send("GET \(path) HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")
            _ = try client.readToEnd()
        }
        try proxy.reload(pools: [[backend.address]], settings: settings)
        let client = try proxy.client()
        try client.send("GET /b HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")
        _ = try client.readToEnd()

        let text = Self.read(proxy)
        #expect(text.problems == [])
        func count(_ route: String, _ status: String) -> Double? {
            text.value("meridian_l7_route_requests_total", ["route": route, "class": status])
        }
        #expect(count("r0", "2xx") == 2)
        #expect(count("r0", "4xx") == 1)
        #expect(count("r1", "2xx") == 2)
        #expect(count("r1", "5xx") == 0)
        #expect(text.value("meridian_l7_requests_unrouted_total") == 1)
        #expect(text.value("meridian_log_dropped_lines_total", ["log": "access"]) == 0)
        await proxy.stop()
        backend.stop()
    }
}
