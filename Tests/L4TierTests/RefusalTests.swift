import Engine
import Foundation
import L4Tier
import Model
import Testing

@Suite struct RefusalTests {
    private let startup: [UInt8] = [0, 0, 0, 16, 0, 3, 0, 0] + Array("user\0u\0\0".utf8).prefix(8)
    private let encryption: [UInt8] = [0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]

    private func stage() throws -> Stage {
        var options = Stage.Options()
        options.role = .primary
        options.check = Stage.postgresql
        return try Stage([SocketAddress(IPAddress(v4: 0x7f00_0001), port: 1)], options)
    }

    @Test func aPostgreSQLClientIsToldWhy() async throws {
        let stage = try stage()
        let client = try Client(stage.address())
        client.send(encryption)
        #expect(client.receive() == .bytes([0x4e]))
        client.send(startup)
        let (bytes, ending) = client.receiveAll()
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.hasPrefix("E"))
        #expect(text.contains("SFATAL\0"))
        #expect(text.contains("C57P03\0Mno primary of orders is available in here\0"))
        #expect(ending == .end)
        client.close()
        #expect(await stage.eventually { stage.counter("connections_finished_total") == 1 })
        #expect(stage.counter("connections_refused_total") == 1)
        await stage.server.stop(deadline: .zero)
    }

    @Test func packetsMayComeInPieces() async throws {
        let stage = try stage()
        let client = try Client(stage.address())
        for byte in encryption {
            client.send([byte])
            usleep(2_000)
        }
        #expect(client.receive() == .bytes([0x4e]))
        for byte in startup {
            client.send([byte])
            usleep(2_000)
        }
        guard case .bytes(let answer) = client.receive() else {
            Issue.record("no answer")
            return
        }
        #expect(answer.first == 0x45)
        await stage.server.stop(deadline: .zero)
    }

    @Test func othersAreReset() async throws {
        let stage = try stage()
        let client = try Client(stage.address())
        client.send("GET / HTTP/1.1\r\n\r\n")
        #expect(client.receive() == .reset)
        await stage.server.stop(deadline: .zero)
    }
}
