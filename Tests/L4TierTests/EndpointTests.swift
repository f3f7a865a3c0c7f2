import Engine
import Foundation
import L4Tier
import Model
import Testing

@Suite struct EndpointTests {
    private func deadAddress() throws -> SocketAddress {
        SocketAddress(IPAddress(v4: 0x7f00_0001), port: try Stage.freePort())
    }

    @Test func aRefusedConnectIsTriedElsewhere() async throws {
        let backend = try Backend()
        let stage = try Stage([try deadAddress(), try deadAddress(), backend.address])
        for _ in 0..<6 {
            let client = try Client(stage.address())
            client.send("ping")
            #expect(client.text(4) == "ping")
        }
        #expect(stage.counter("connects_retried_total") > 0)
        #expect(stage.counter("connections_refused_total") == 0)
        await stage.server.stop(deadline: .zero)
    }

    @Test func nothingReachableIsAReset() async throws {
        let stage = try Stage([try deadAddress()])
        let client = try Client(stage.address())
        #expect(client.receive() == .reset)
        #expect(stage.counter("connections_refused_total") == 1)
        #expect(stage.counter("connects_failed_total") == 1)
        #expect(stage.inFlight(0) == 0)
        await stage.server.stop(deadline: .zero)
    }

    @Test func onlyEndpointsInTheRoleAreUsed() async throws {
        var options = Stage.Options()
        options.role = .primary
        options.check = Stage.postgresql
        let backends = try (0..<3).map { index in
            try Backend { Backend.write($0, [UInt8(index)]) }
        }
        let stage = try Stage(backends.map(\.address), options)
        stage.set(0, [.up, .replica])
        stage.set(1, [.up, .primary])
        stage.set(2, [.primary])
        for _ in 0..<5 { #expect(try Client(stage.address()).receive() == .bytes([1])) }
        // A promotion, and the old primary comes back as a replica.
        stage.set(1, [.up, .replica])
        stage.set(0, [.up, .primary])
        for _ in 0..<5 { #expect(try Client(stage.address()).receive() == .bytes([0])) }
        await stage.server.stop(deadline: .zero)
    }

    @Test(arguments: [EndpointState([]), EndpointState([.up, .replica]), EndpointState([.primary])])
    func lossOfHealthOrRoleEndsConnections(state: EndpointState) async throws {
        var options = Stage.Options()
        options.role = .primary
        options.check = Stage.postgresql
        let (first, second) = (try Backend(), try Backend())
        let stage = try Stage([first.address, second.address], options)
        stage.set(0, [.up, .primary])
        let client = try Client(stage.address())
        client.send("x")
        #expect(client.text(1) == "x")
        stage.set(1, [.up, .primary])
        let other = try Client(stage.address())
        other.send("y")
        #expect(other.text(1) == "y")
        let ownerOfOther = second.accepted == 1 ? 1 : 0
        stage.set(0, state)
        #expect(client.receive() == .reset)
        #expect(stage.counter("connections_closed_on_down_total") >= 1)
        if ownerOfOther == 1 {
            other.send("z")
            #expect(other.text(1) == "z")
        }
        await stage.server.stop(deadline: .zero)
    }

    @Test func drainingKeepsConnectionsAndTakesNoMore() async throws {
        let (first, second) = (try Backend(), try Backend())
        let stage = try Stage([first.address, second.address])
        let clients = try (0..<2).map { _ in try Client(stage.address()) }
        for client in clients {
            client.send("x")
            #expect(client.text(1) == "x")
        }
        stage.set(0, [.up, .draining])
        for client in clients {
            client.send("y")
            #expect(client.text(1) == "y")
        }
        for _ in 0..<4 {
            let client = try Client(stage.address())
            client.send("x")
            #expect(client.text(1) == "x")
        }
        #expect(first.accepted == 1)
        await stage.server.stop(deadline: .zero)
    }

    @Test func withoutCloseOnDownConnectionsStay() async throws {
        var options = Stage.Options()
        options.closeOnDown = false
        let backend = try Backend()
        let stage = try Stage([backend.address], options)
        let client = try Client(stage.address())
        client.send("x")
        #expect(client.text(1) == "x")
        stage.set(0, [])
        client.send("y")
        #expect(client.text(1) == "y")
        #expect(try Client(stage.address()).receive() == .reset)
        await stage.server.stop(deadline: .zero)
    }

    @Test func sourceHashKeepsAClientOnItsEndpoint() async throws {
        var options = Stage.Options()
        options.balance = .sourceHash
        let backends = try (0..<3).map { index in try Backend { Backend.write($0, [UInt8(index)]) } }
        let stage = try Stage(backends.map(\.address), options)
        let first = try Client(stage.address()).receive()
        for _ in 0..<8 { #expect(try Client(stage.address()).receive() == first) }
        await stage.server.stop(deadline: .zero)
    }

    @Test func aFullListenerClosesTheNextOne() async throws {
        var options = Stage.Options()
        options.connections = 2
        let backend = try Backend()
        let stage = try Stage([backend.address], options)
        let clients = try (0..<2).map { _ in try Client(stage.address()) }
        for client in clients {
            client.send("x")
            #expect(client.text(1) == "x")
        }
        #expect(try Client(stage.address()).receive() == .reset)
        #expect(stage.counter("connections_over_limit_total") == 1)
        clients[0].close()
        #expect(await stage.eventually { stage.counter("connections_finished_total") == 2 })
        let next = try Client(stage.address())
        next.send("z")
        #expect(next.text(1) == "z")
        // An optimised build would otherwise close the second client after its last use above.
        withExtendedLifetime(clients) {}
        await stage.server.stop(deadline: .zero)
    }
}
