import Engine
import L7Tier
import Model
import TestKit
import Testing

extension L7TierTests {
    @Suite("Keepalive", .timeLimit(.minutes(1)))
    struct KeepaliveTests {
        @Test("Both legs are watched as the topology says")
        func bothLegs() async throws {
            var settings = Proxy.Settings()
            settings.clientKeepalive = Keepalive(idle: .seconds(11), interval: .seconds(5), count: 3)
            settings.endpointKeepalive = Keepalive(idle: .seconds(12), interval: .seconds(6), count: 4)
            let backend = try ScriptedBackend { _, _ in [.send(ok())] }
            let proxy = try Proxy(pools: [[backend.address]], settings: settings)
            let client = try proxy.client()
            try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.readResponse().body == "hello")
            #expect(
                SocketWatch.all(local: proxy.address.port)
                    == [SocketWatch(isOn: true, idle: 11, interval: 5, count: 3, patience: 26)])
            #expect(
                SocketWatch.all(remote: backend.address.port)
                    == [SocketWatch(isOn: true, idle: 12, interval: 6, count: 4, patience: 36)])
            await proxy.stop(deadline: .zero)
        }
    }
}
