import HTTPExchange
import Model
import TestKit
import Testing

@testable import ControlPlane

@Suite("Silent strangers at the admin API", .serialized, .timeLimit(.minutes(1)))
struct AdminStrangersTests {
    @Test("1,200 of them keep no operator out, and are counted", arguments: [false, true])
    func silence(fromMany: Bool) async throws {
        let (web, front, db) = (try Scene.backend(), try Scene.backend(), try Scene.backend())
        let scene = try Scene(ports: [
            "web": web.addresses[0].port, "front": front.addresses[0].port, "db": db.addresses[0].port,
        ])
        try scene.boot("l7", .l7)
        let admin = SocketAddress(IPAddress(v4: 0x7f00_0001), port: scene.ports["l7-admin"] ?? 0)
        var silent: [RawClient] = []
        for number in UInt32(0)..<1_200 {
            silent.append(
                try RawClient(admin, source: IPAddress(v4: fromMany ? 0x7f01_0000 + number / 8 : 0x7f00_0001)))
        }
        #expect(try await scene.ask("l7", "/status").status == 200)
        let text = Exposition(try await scene.ask("l7", "/metrics").text)
        let evicted =
            text.value("meridian_control_connections_crowded_total", ["server": "admin", "fate": "evicted"]) ?? 0
        #expect(evicted >= 176, "\(evicted)")
        #expect(text.value("meridian_control_connections_crowded_total", ["server": "admin", "fate": "refused"]) == 0)
        #expect(
            text.value("meridian_control_connections_crowded_total", ["server": "federation", "fate": "evicted"]) == 0)
        await scene.stop()
        for server in [web, front, db] { await server.stop() }
        withExtendedLifetime(silent) {}
    }
}
