import Engine
import Foundation
import L4Tier
import Model
import Testing

/// What a stop does to sessions of PostgreSQL pools: none is cut off in the middle.
@Suite struct DrainTests {
    /// As much of a server as a balancer can see: each message is answered, at the end with ReadyForQuery.
    ///
    /// `unasked` is what it says thereafter, each piece by itself.
    private static func server(unasked: [[UInt8]] = []) throws -> Backend {
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
                for piece in [Array("done".utf8) + [0x5a, 0, 0], [0, 5, state]] + unasked {
                    Backend.write(descriptor, piece)
                    usleep(20_000)
                }
                if !text.contains("half") { continue }
                usleep(700_000)
                Backend.write(descriptor, Self.notification.suffix(9))
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

    private static func message(_ kind: Unicode.Scalar, _ body: String) -> [UInt8] {
        [UInt8(ascii: kind), 0, 0, 0, UInt8(body.utf8.count + 4)] + Array(body.utf8)
    }

    private static let notification = message("A", "\0\0\u{4}Dchannel\0five Z\0")
    private static let notice = message("N", "SWARNING\0C01000\0Mmind\0\0")
    private static let parameter = message("S", "TimeZone\0UTC\0")

    /// In pieces as networks have them.
    private static let unasked: [[[UInt8]]] = {
        let all: [UInt8] = notice + notification + parameter
        var cases: [[[UInt8]]] = [[notification], [notice], [parameter], [all]]
        for cut in [1, 5, notice.count + 3, notice.count + notification.count + 9] {
            cases.append([Array(all[..<cut]), Array(all[cut...])])
        }
        cases.append(notice.map { [$0] })
        return cases
    }()

    /// LISTEN, a reload of the server's settings, a warning: words that nobody asked for.
    @Test(arguments: unasked)
    func anIdleSessionThatWasToldSomethingIsIdle(unasked: [[UInt8]]) async throws {
        let backend = try Self.server(unasked: unasked)
        let stage = try Self.stage(backend)
        let client = try Client(stage.address())
        client.send("login")
        #expect(client.receive(exactly: 10 + unasked.joined().count).count == 10 + unasked.joined().count)
        await stage.server.stop(deadline: .seconds(3))
        let (bytes, ending) = client.receiveAll()
        #expect(String(decoding: bytes, as: UTF8.self).contains("C57P01\0") && ending == .end)
    }

    @Test func aTransactionThatWasToldSomethingIsToldAtTheDeadline() async throws {
        let backend = try Self.server(unasked: [Self.notice])
        let stage = try Self.stage(backend)
        let client = try Client(stage.address())
        client.send("begin")
        #expect(client.receive(exactly: 10 + Self.notice.count).last == 0)
        await stage.server.stop(deadline: .milliseconds(600))
        let (bytes, ending) = client.receiveAll()
        #expect(String(decoding: bytes, as: UTF8.self).contains("C57P01\0") && ending == .end)
    }

    /// Half a message more words would be read as the rest of.
    @Test func nothingIsSaidInTheMiddleOfAMessage() async throws {
        let first = Self.notification.dropLast(9)
        let backend = try Self.server(unasked: [Array(first)])
        let stage = try Self.stage(backend)
        let client = try Client(stage.address())
        client.send("half")
        #expect(client.receive(exactly: 10 + first.count).count == 10 + first.count)
        await stage.server.stop(deadline: .seconds(20))
        let (bytes, ending) = client.receiveAll()
        #expect(bytes.starts(with: Self.notification.suffix(9)), "\(bytes)")
        #expect(String(decoding: bytes, as: UTF8.self).contains("C57P01\0") && ending == .end)
    }

    private static let nonsense: [[UInt8]] = [
        [0x41, 0, 0, 0, 3], [0x4e, 0xff, 0xff, 0xff, 0xff], [0x53, 0x80, 0, 0, 4], [0x41, 0x7f, 0xff, 0xff, 0xff],
        [0x54, 0, 0, 0, 4],
    ]

    /// Lengths that no message has, and messages that are never whole.
    @Test(arguments: nonsense)
    func whatIsNoMessageIsNotIdle(octets: [UInt8]) async throws {
        let backend = try Self.server(unasked: [octets])
        let stage = try Self.stage(backend)
        let client = try Client(stage.address())
        client.send("login")
        #expect(client.receive(exactly: 10 + octets.count).count == 10 + octets.count)
        await stage.server.stop(deadline: .milliseconds(600))
        #expect(client.receive() == .reset)
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
