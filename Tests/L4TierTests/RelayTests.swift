import Engine
import Foundation
import L4Tier
import Model
import Testing

@Suite struct RelayTests {
    @Test func bytesGoBothWaysAndAreCounted() async throws {
        let backend = try Backend()
        let stage = try Stage([backend.address])
        let client = try Client(stage.address())
        for round in 0..<50 {
            let message = "message \(round)"
            client.send(message)
            #expect(client.text(message.utf8.count) == message)
        }
        #expect(stage.inFlight(0) == 1)
        client.close()
        #expect(await stage.eventually { stage.counter("connections_finished_total") == 1 })
        #expect(stage.inFlight(0) == 0)
        #expect(stage.counter("received_bytes_total") == 490 + 0)
        #expect(stage.counter("sent_bytes_total") == stage.counter("received_bytes_total"))
        await stage.server.stop(deadline: .zero)
    }

    @Test func theServerMaySpeakFirst() async throws {
        let backend = try Backend { descriptor in
            Backend.write(descriptor, Array("220 hello\r\n".utf8))
            _ = Backend.readAll(descriptor)
        }
        let stage = try Stage([backend.address])
        let client = try Client(stage.address())
        #expect(client.text(11) == "220 hello\r\n")
        client.close()
        await stage.server.stop(deadline: .seconds(1))
    }

    /// A client that is done asking still gets its answer.
    @Test func aHalfClosedConnectionGoesOnInTheOtherDirection() async throws {
        let backend = try Backend { descriptor in
            let total = Backend.readAll(descriptor)
            usleep(50_000)
            Backend.write(descriptor, Array("got \(total)".utf8))
        }
        let stage = try Stage([backend.address])
        let client = try Client(stage.address())
        client.send([UInt8](repeating: 1, count: 300_000))
        client.finishWriting()
        let (bytes, ending) = client.receiveAll()
        #expect(String(decoding: bytes, as: UTF8.self) == "got 300000")
        #expect(ending == .end)
        #expect(await stage.eventually { stage.counter("connections_finished_total") == 1 })
        #expect(stage.counter("connections_reset_total") == 0)
        await stage.server.stop(deadline: .zero)
    }

    /// The other way around, with the request and its end in one segment.
    @Test func anEndpointThatIsDoneStillListens() async throws {
        let backend = try Backend { descriptor in
            Backend.write(descriptor, Array("bye".utf8))
            shutdown(descriptor, CInt(SHUT_WR))
            let total = Backend.readAll(descriptor)
            #expect(total == 5)
        }
        let stage = try Stage([backend.address])
        let client = try Client(stage.address())
        let (bytes, ending) = client.receiveAll()
        #expect(String(decoding: bytes, as: UTF8.self) == "bye")
        #expect(ending == .end)
        #expect(client.send("later"))
        client.close()
        #expect(await stage.eventually { stage.counter("connections_finished_total") == 1 })
        #expect(stage.counter("received_bytes_total") == 5)
        await stage.server.stop(deadline: .zero)
    }

    /// 32 MB each way against a reader that starts late: nothing is lost, and no more than a block is kept per side.
    @Test(.timeLimit(.minutes(1))) func backPressureKeepsMemoryBounded() async throws {
        let size = 32 << 20
        let backend = try Backend { descriptor in
            usleep(200_000)
            Backend.echo(descriptor)
        }
        let stage = try Stage([backend.address])
        let client = try Client(stage.address(), receiveBuffer: 32_768)
        let descriptor = client.descriptor
        try Thread.start(name: "writer") {
            var chunk = [UInt8](repeating: 0, count: 65_536)
            for index in 0..<(size / chunk.count) {
                chunk[0] = UInt8(truncatingIfNeeded: index)
                chunk[65_535] = UInt8(truncatingIfNeeded: index &* 7)
                Backend.write(descriptor, chunk)
            }
            shutdown(descriptor, CInt(SHUT_WR))
        }
        var intact = true
        for index in 0..<(size / 65_536) {
            let chunk = client.receive(exactly: 65_536)
            intact =
                intact && chunk.count == 65_536 && chunk[0] == UInt8(truncatingIfNeeded: index)
                && chunk[65_535] == UInt8(truncatingIfNeeded: index &* 7)
            if index == 3 { usleep(200_000) }
        }
        #expect(intact)
        #expect(client.receive() == .end)
        #expect(await stage.eventually { stage.counter("connections_finished_total") == 1 })
        #expect(stage.counter("received_bytes_total") == UInt64(size))
        await stage.server.stop(deadline: .zero)
    }

    @Test func aResetIsPassedOn() async throws {
        let backend = try Backend { descriptor in
            var byte: UInt8 = 0
            _ = unsafe read(descriptor, &byte, 1)
            Socket.resetOnClose(descriptor)
        }
        let stage = try Stage([backend.address])
        let client = try Client(stage.address())
        client.send("x")
        #expect(client.receive() == .reset)
        #expect(stage.counter("connections_reset_total") == 1)
        await stage.server.stop(deadline: .zero)
    }

    @Test func silenceEndsAnIdleConnection() async throws {
        var options = Stage.Options()
        options.idle = .milliseconds(150)
        let backend = try Backend()
        let stage = try Stage([backend.address], options)
        let client = try Client(stage.address())
        for _ in 0..<4 {
            usleep(80_000)
            client.send("x")
            #expect(client.text(1) == "x")
        }
        let start = ContinuousClock.now
        #expect(client.receive() == .reset)
        #expect(start.duration(to: .now) > .milliseconds(100))
        #expect(stage.counter("connections_idle_total") == 1)
        await stage.server.stop(deadline: .zero)
    }

    @Test func manyConnectionsOverSeveralWorkers() async throws {
        var options = Stage.Options()
        options.workers = 3
        options.balance = .leastConnections
        let backends = try (0..<3).map { _ in try Backend() }
        let stage = try Stage(backends.map(\.address), options)
        let clients = try (0..<90).map { _ in try Client(stage.address()) }
        for (index, client) in clients.enumerated() { client.send("hello \(index)") }
        for (index, client) in clients.enumerated() {
            #expect(client.text("hello \(index)".utf8.count) == "hello \(index)")
        }
        // The workers share the counts; two that choose at the same moment may differ by one each.
        for position in 0..<3 { #expect((26...34).contains(stage.inFlight(position))) }
        for client in clients { client.close() }
        #expect(await stage.eventually { (0..<3).allSatisfy { stage.inFlight($0) == 0 } })
        await stage.server.stop(deadline: .zero)
    }
}
