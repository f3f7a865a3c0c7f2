import L4Tier
import Model
import TestKit
import Testing

/// Each kind of deadline with one silent connection, alone on its worker: nothing else wakes it.
@Suite("L4 deadlines on a quiet worker", .timeLimit(.minutes(2))) struct DeadlineTests {
    private func silence(_ stage: Stage, says text: String = "") async -> Silence? {
        let address = stage.address()
        return await onThread {
            guard let client = try? RawClient(address, timeout: 30) else { return nil }
            try? client.send(text)
            return client.outwait()
        }
    }

    @Test("A connection without a byte ends when it has been idle for long enough")
    func idle() async throws {
        var options = Stage.Options()
        options.idle = .seconds(3)
        let backend = try Backend()
        let stage = try Stage([backend.address], options)
        let silence = await silence(stage)
        #expect(silence?.ending == .reset && silence?.seconds ?? 0 > 2.9, "\(String(describing: silence))")
        #expect(stage.counter("connections_idle_total") == 1)
        await stage.server.stop(deadline: .zero)
    }

    @Test("An endpoint that does not answer is given up in time")
    func connect() async throws {
        var options = Stage.Options()
        options.connect = .seconds(3)
        let deaf = try DeafListener()
        let stage = try Stage([deaf.address], options)
        let silence = await silence(stage)
        #expect(silence?.ending == .reset && silence?.seconds ?? 0 > 2.9, "\(String(describing: silence))")
        #expect(stage.counter("connects_failed_total") == 1)
        await stage.server.stop(deadline: .zero)
    }

    @Test("A client that does not log in is not waited for")
    func refusal() async throws {
        var options = Stage.Options()
        options.role = .primary
        options.check = Stage.postgresql
        let stage = try Stage([SocketAddress(IPAddress(v4: 0x7f00_0001), port: 1)], options)
        let silence = await silence(stage, says: "\0\0")
        #expect(silence?.ending == .reset && silence?.seconds ?? 0 > 4.9, "\(String(describing: silence))")
        await stage.server.stop(deadline: .zero)
    }
}
