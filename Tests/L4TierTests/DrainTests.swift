import Engine
import Foundation
import L4Tier
import Model
import Testing

/// What a stop does to sessions of PostgreSQL pools: none is cut off in the middle.
@Suite struct DrainTests {
    /// As much of a server as a balancer can see: each message is answered, at the end with ReadyForQuery.
    private static func server() throws -> Backend {
        try Backend { descriptor in
            var bytes = [UInt8](repeating: 0, count: 65_536)
            var state = UInt8(ascii: "I")
            while true {
                let count = unsafe read(descriptor, &bytes, bytes.count)
                let text = String(decoding: bytes[..<max(0, count)], as: UTF8.self)
                guard count > 0, !text.hasPrefix("X") else { return }
                if text.contains("begin") { state = UInt8(ascii: "T") }
                if text.contains("fail") { state = UInt8(ascii: "E") }
                if text.contains("commit") { state = UInt8(ascii: "I") }
                if text.contains("slow") {
                    Backend.write(descriptor, Array("rows".utf8))
                    usleep(500_000)
                }
                // In pieces, as a network may deliver it.
                for piece in [Array("done".utf8) + [0x5a, 0, 0], [0, 5, state]] {
                    Backend.write(descriptor, piece)
                    usleep(2_000)
                }
            }
        }
    }

    private static func stage(_ backend: Backend) throws -> Stage {
        var options = Stage.Options()
        options.check = Stage.postgresql
        let stage = try Stage([backend.address], options)
        stage.set(0, [.up, .primary, .checked])
        return stage
    }

    private static func session(_ stage: Stage) throws -> Client {
        let client = try Client(stage.address())
        ask(client, "login")
        return client
    }

    @discardableResult
    private static func ask(_ client: Client, _ words: String) -> [UInt8] {
        client.send(words)
        return client.receive(exactly: words == "slow" ? 14 : 10)
    }

    @Test func anIdleSessionIsToldAtOnce() async throws {
        let backend = try Self.server()
        let stage = try Self.stage(backend)
        let (one, other) = (try Self.session(stage), try Self.session(stage))
        Self.ask(other, "begin")
        Self.ask(other, "commit")
        let start = ContinuousClock.now
        await stage.server.stop(deadline: .seconds(20))
        #expect(start.duration(to: .now) < .seconds(10))
        for client in [one, other] {
            let (bytes, ending) = client.receiveAll()
            #expect(String(decoding: bytes, as: UTF8.self).contains("C57P01\0") && ending == .end)
        }
    }

    @Test func aQueryIsAnsweredBeforeItsSessionEnds() async throws {
        let backend = try Self.server()
        let stage = try Self.stage(backend)
        let client = try Self.session(stage)
        client.send("slow")
        let server = stage.server
        async let stopped: Void = server.stop(deadline: .seconds(20))
        let (bytes, ending) = client.receiveAll()
        await stopped
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.hasPrefix("rowsdoneZ\0\0\0\u{5}I") && text.contains("C57P01\0") && ending == .end, "\(text)")
    }

    @Test(arguments: ["begin", "begin fail"])
    func aTransactionGoesOnUntilItsEnd(words: String) async throws {
        let backend = try Self.server()
        let stage = try Self.stage(backend)
        let client = try Self.session(stage)
        Self.ask(client, words)
        let server = stage.server
        async let stopped: Void = server.stop(deadline: .seconds(20))
        try await Task.sleep(for: .milliseconds(400))
        #expect(Self.ask(client, "insert").count == 10)
        #expect(Self.ask(client, "commit").suffix(6) == [0x5a, 0, 0, 0, 5, UInt8(ascii: "I")])
        #expect(String(decoding: client.receiveAll().bytes, as: UTF8.self).contains("C57P01\0"))
        await stopped
    }

    @Test func whoIsLeftAtTheDeadlineIsTold() async throws {
        let backend = try Self.server()
        let stage = try Self.stage(backend)
        let client = try Self.session(stage)
        Self.ask(client, "begin")
        await stage.server.stop(deadline: .milliseconds(600))
        let (bytes, ending) = client.receiveAll()
        #expect(String(decoding: bytes, as: UTF8.self).contains("C57P01\0") && ending == .end)
    }

    /// Nobody knows where other protocols stand.
    @Test func otherSessionsLastUntilTheDeadline() async throws {
        let backend = try Self.server()
        let stage = try Stage([backend.address])
        let client = try Self.session(stage)
        let server = stage.server
        async let stopped: Void = server.stop(deadline: .seconds(2))
        try await Task.sleep(for: .milliseconds(700))
        #expect(Self.ask(client, "again").count == 10)
        #expect(client.receive() == .reset)
        await stopped
    }
}
