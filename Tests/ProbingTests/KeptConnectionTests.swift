import ControlPlane
import Engine
import Glibc
import Model
import Synchronization
import Testing

/// Checks of addresses that may be far away keep their connection, and lose nothing by it.
@Suite struct KeptConnectionTests {
    private final class Outcomes: Sendable {
        private let seen = Mutex<[ProbeOutcome]>([])
        func add(_ outcome: ProbeOutcome) { seen.withLock { $0.append(outcome) } }
        var all: [ProbeOutcome] { seen.withLock { $0 } }
    }

    /// Checks `server` until there are `count` outcomes.
    private static func outcomes(
        _ count: Int, of server: ScriptedServer, timeout: Duration, interval: Duration = .milliseconds(100)
    ) async throws -> [ProbeOutcome] {
        let outcomes = Outcomes()
        let service = ProbeService<Int>(
            client: HTTPClient(), waiter: try SocketWaiter(), secret: { _ in nil }, manner: .far
        ) { outcomes.add($1.outcome) }
        let probe = HTTPProbe(path: "/", host: nil, statuses: [200...200], contains: nil, port: nil)
        service.update([
            ProbeTarget(
                id: 1, address: server.address,
                check: HealthCheck(probe: .http(probe), interval: interval, timeout: timeout, rise: 1, fall: 1))
        ])
        for _ in 0..<1_000 where outcomes.all.count < count { try await Task.sleep(for: .milliseconds(10)) }
        await service.stop()
        return Array(outcomes.all.prefix(count))
    }

    private static let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    @Test(.timeLimit(.minutes(1)))
    func fiveChecksShareAConnection() async throws {
        let server = try ScriptedServer { peer in
            while peer.read(until: "\r\n\r\n").hasSuffix("\r\n\r\n") { peer.write(Self.answer) }
        }
        defer { server.stop() }
        let outcomes = try await Self.outcomes(10, of: server, timeout: .seconds(5))
        #expect(outcomes.filter { !$0.up }.isEmpty, "\(outcomes)")
        #expect(outcomes.map(\.connects) == [true, false, false, false, false, true, false, false, false, false])
        // One more may have begun.
        #expect((2...3).contains(server.accepted))
    }

    /// A connection that the server closed, or that leads nowhere any more, between two checks.
    @Test(.timeLimit(.minutes(1)), arguments: [false, true])
    func aLostConnectionFailsNoCheck(isBlackHole: Bool) async throws {
        let server = try ScriptedServer { peer in
            _ = peer.read(until: "\r\n\r\n")
            peer.write(Self.answer)
            // The next question is taken and not answered; the server serves others meanwhile only when this one has gone.
            if isBlackHole { _ = peer.read(until: "nothing") }
        }
        defer { server.stop() }
        let outcomes = try await Self.outcomes(6, of: server, timeout: .seconds(2))
        #expect(outcomes.filter { !$0.up }.isEmpty, "\(outcomes)")
    }

    @Test(.timeLimit(.minutes(1)))
    func aListenerThatDiedIsFoundSoon() async throws {
        let server = try ScriptedServer { peer in
            while peer.read(until: "\r\n\r\n").hasSuffix("\r\n\r\n") { peer.write(Self.answer) }
        }
        let stopping = Task {
            while server.accepted == 0 { try await Task.sleep(for: .milliseconds(1)) }
            server.stop()
        }
        let outcomes = try await Self.outcomes(6, of: server, timeout: .seconds(5))
        try await stopping.value
        #expect(outcomes.map(\.up).prefix(5).contains(true))
        #expect(outcomes.last?.up == false)
        #expect(outcomes.last?.reason == "connection refused")
    }
}
