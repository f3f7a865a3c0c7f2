import Engine
import L4Tier
import Model
import TestKit
import Testing

@Suite("L4 keepalive", .timeLimit(.minutes(1))) struct KeepaliveTests {
    @Test("Both legs of a connection are watched as the topology says, and a reload changes it")
    func bothLegs() async throws {
        var options = Stage.Options()
        options.clientKeepalive = Keepalive(idle: .seconds(11), interval: .seconds(5), count: 3)
        options.endpointKeepalive = Keepalive(idle: .seconds(12), interval: .seconds(6), count: 4)
        let backend = try Backend()
        let stage = try Stage([backend.address], options)
        let client = try Client(stage.address())
        client.send("x")
        #expect(client.text(1) == "x")
        let clients = SocketWatch(isOn: true, idle: 11, interval: 5, count: 3, patience: 26)
        #expect(SocketWatch.all(local: stage.ports[0]) == [clients])
        // The endpoint's leg is set once the connection has lasted for a second.
        let endpoints = SocketWatch(isOn: true, idle: 12, interval: 6, count: 4, patience: 36)
        #expect(await stage.eventually { SocketWatch.all(remote: backend.address.port) == [endpoints] })

        try stage.reload([backend.address], ports: stage.ports) { $0.clientKeepalive = .standard }
        let standard = SocketWatch(isOn: true, idle: 60, interval: 30, count: 8, patience: 300)
        var later: [Client] = []
        let isNew = await stage.eventually {
            if let next = try? Client(stage.address()) { later.append(next) }
            return SocketWatch.all(local: stage.ports[0]).contains(standard)
        }
        #expect(isNew)
        await stage.server.stop(deadline: .zero)
    }

    @Test("A count of 0 turns it off")
    func off() async throws {
        var options = Stage.Options()
        options.clientKeepalive = Keepalive(idle: .seconds(60), interval: .seconds(30), count: 0)
        let backend = try Backend()
        let stage = try Stage([backend.address], options)
        let client = try Client(stage.address())
        client.send("x")
        #expect(client.text(1) == "x")
        let watches = SocketWatch.all(local: stage.ports[0])
        #expect(watches.count == 1 && watches.allSatisfy { !$0.isOn && $0.patience == 0 })
        await stage.server.stop(deadline: .zero)
    }
}
