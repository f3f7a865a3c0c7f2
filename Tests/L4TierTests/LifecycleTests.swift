import ControlPlane
import Engine
import Foundation
import L4Tier
import Model
import TestKit
import Testing

@Suite struct LifecycleTests {
    @Test func aReloadKeepsConnectionsAndMovesListeners() async throws {
        let (old, new) = (try Backend(), try Backend { Backend.write($0, Array("new".utf8)) })
        let stage = try Stage([old.address], listeners: 2)
        let client = try Client(stage.address())
        client.send("x")
        #expect(client.text(1) == "x")

        let added = try Stage.freePort()
        try stage.reload([new.address], ports: [stage.ports[0], added])
        #expect(await stage.eventually { (try? Client(stage.address(1))) == nil })
        #expect(try Client(stage.address()).text(3) == "new")
        #expect(try Client(SocketAddress(IPAddress(v4: 0x7f00_0001), port: added)).text(3) == "new")
        client.send("y")
        #expect(client.text(1) == "y")
        #expect(stage.counter("connections_total") >= 3)
        await stage.server.stop(deadline: .zero)
    }

    @Test func aReloadThatCannotBindChangesNothing() async throws {
        let backend = try Backend()
        let stage = try Stage([backend.address])
        // No SO_REUSEPORT: nobody else can have the port.
        let taken = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { Socket.close(taken) }
        let port = try Stage.freePort()
        let bound = unsafe Socket.withSockaddr(SocketAddress(IPAddress(v4: 0x7f00_0001), port: port)) {
            unsafe bind(taken, $0, $1)
        }
        #expect(bound == 0)
        #expect(throws: (any Error).self) { try stage.reload([backend.address], ports: [stage.ports[0], port]) }
        let client = try Client(stage.address())
        client.send("x")
        #expect(client.text(1) == "x")
        await stage.server.stop(deadline: .zero)
    }

    @Test func aGracefulStopLetsConnectionsFinish() async throws {
        let backend = try Backend()
        let stage = try Stage([backend.address])
        let client = try Client(stage.address())
        client.send("x")
        #expect(client.text(1) == "x")
        stage.server.stopAccepting()
        #expect(await stage.eventually { (try? Client(stage.address())) == nil })
        client.send("y")
        #expect(client.text(1) == "y")
        let start = ContinuousClock.now
        async let stopped: Void = stage.server.stop(deadline: .seconds(10))
        try await Task.sleep(for: .milliseconds(60))
        client.close()
        await stopped
        #expect((Duration.milliseconds(50) ... .seconds(3)).contains(start.duration(to: .now)))
    }

    @Test func nobodyIsLetInBeforeTheNodeOpens() async throws {
        let backend = try Backend()
        let stage = try Stage([backend.address], opens: false)
        #expect(throws: SocketError.self) { try Client(stage.address()) }
        try stage.server.open()
        let client = try Client(stage.address())
        client.send("x")
        #expect(client.text(1) == "x")
        await stage.server.stop(deadline: .zero)
    }

    /// The new process listens on the ports of the old one, which then goes.
    @Test func anOverlappedRestartLosesNobody() async throws {
        let backend = try Backend()
        var options = Stage.Options()
        options.workers = 2
        var stage = try Stage([backend.address], options)
        let ports = stage.ports
        let address = stage.address()
        let users = Crowd(4) {
            guard let client = try? Client(address), client.send("hello") else { return false }
            return client.text(5) == "hello"
        }
        for _ in 1...6 {
            let next = try Stage([backend.address], options, ports: ports)
            try await Task.sleep(for: .milliseconds(30))
            stage.server.stopAccepting()
            await stage.server.stop(deadline: .seconds(5))
            stage = next
        }
        let (served, lost) = await users.stop()
        #expect(served > 20 && lost == 0, "\(lost) of \(served + lost) lost")
        await stage.server.stop(deadline: .zero)
    }

    @Test func theDeadlineEndsWhatIsLeft() async throws {
        let backend = try Backend()
        let stage = try Stage([backend.address])
        let client = try Client(stage.address())
        client.send("x")
        #expect(client.text(1) == "x")
        await stage.server.stop(deadline: .milliseconds(80))
        #expect(client.receive() == .reset)
    }

    /// Every way in which a connection can end gives its descriptors back.
    @Test func noPathLeaksDescriptors() async throws {
        var options = Stage.Options()
        options.idle = .milliseconds(100)
        let backend = try Backend()
        let resetting = try Backend { Socket.resetOnClose($0) }
        let dead = try Stage.freePort()
        let stage = try Stage(
            [backend.address, resetting.address, SocketAddress(IPAddress(v4: 0x7f00_0001), port: dead)], options)
        let ports: Set<UInt16> = [stage.ports[0], backend.address.port, resetting.address.port, dead]
        let before = openSockets(touching: ports)
        // Two test listeners and the node's own.
        #expect(before == 3)
        for round in 0..<60 {
            let client = try Client(stage.address())
            switch round % 5 {
            case 0: client.send("abc")
            case 1:
                client.send("abc")
                _ = client.receive()
            case 2: Socket.resetOnClose(client.descriptor)
            case 3: client.finishWriting()
            default: _ = client.receive()
            }
            client.close()
        }
        #expect(
            await stage.eventually {
                stage.counter("connections_finished_total") == stage.counter("connections_total")
                    && openSockets(touching: ports) == before
            })
        #expect((0..<3).allSatisfy { stage.inFlight($0) == 0 })
        await stage.server.stop(deadline: .zero)
        #expect(await stage.eventually { openSockets(touching: [stage.ports[0]]) == 0 })
    }

    @Test(arguments: [LogSettings.Format.json, .text]) func eachConnectionHasALine(format: LogSettings.Format)
        async throws
    {
        let path = NSTemporaryDirectory() + "meridian-l4-\(UInt64.random(in: 0 ... .max)).log"
        defer { try? FileManager.default.removeItem(atPath: path) }
        var options = Stage.Options()
        options.log = LogSettings(format: format, access: path)
        let backend = try Backend()
        let stage = try Stage([backend.address], options)
        let client = try Client(stage.address())
        client.send("hello")
        #expect(client.text(5) == "hello")
        client.close()
        #expect(await stage.eventually { stage.counter("connections_finished_total") == 1 })
        await stage.server.stop(deadline: .zero)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.hasSuffix("\n") && text.filter { $0 == "\n" }.count == 1)
        if format == .json {
            let line = try #require(StatusValue(json: Array(text.utf8)))
            #expect(
                Set(line.object.keys) == [
                    "time", "tier", "node", "listener", "client", "pool", "endpoint", "attempts", "bytes_in",
                    "bytes_out",
                    "duration_ms", "upstream_connect_ms", "reason",
                ])
            #expect(line["tier"] == "l4" && line["node"] == "l4-here")
            #expect(line["listener"] == "orders-0" && line["pool"] == "orders")
            #expect(line["endpoint"].string == backend.address.description)
            #expect(line["bytes_in"].int == 5 && line["bytes_out"].int == 5 && line["attempts"].int == 1)
            #expect(line["reason"] == "client-closed")
        } else {
            #expect(text.contains(" tier=l4 node=l4-here listener=orders-0 client=127.0.0.1:"))
            #expect(
                text.contains(" pool=orders endpoint=\(backend.address) attempts=1 bytes_in=5 bytes_out=5 duration_ms=")
            )
            #expect(text.hasSuffix(" reason=client-closed\n"))
        }
    }

    @Test func statusAndExplainTellWhy() async throws {
        let backend = try Backend()
        var options = Stage.Options()
        options.role = .primary
        options.check = Stage.postgresql
        let stage = try Stage([backend.address, SocketAddress(IPAddress(v4: 0x7f00_0001), port: 1)], options)
        stage.set(0, [.up, .primary, .checked])
        let listener = stage.server.status()["listeners"].array.first ?? nil
        #expect(listener["endpoints"].array.map { $0["usable"].bool } == [true, false])
        let answer = stage.server.explain(["kind": "tcp", "name": "orders-0", "client": "10.0.0.1"]) ?? nil
        #expect(answer["chosen"].string == backend.address.description)
        #expect(answer["endpoints"].array.last?["objections"].array == ["not checked yet", "not primary"])
        #expect(stage.server.explain(["kind": "dns"]) == nil)
        #expect(stage.server.facts().pools.first?.pool == "orders")
        await stage.server.stop(deadline: .zero)
    }
}
