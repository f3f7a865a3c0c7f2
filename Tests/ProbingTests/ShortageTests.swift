import ControlPlane
import Engine
import Glibc
import HTTPExchange
import Model
import Synchronization
import TestKit
import Testing

@Suite("Probes of a process that can open nothing", .serialized, .timeLimit(.minutes(1)))
struct ShortageTests {
    @Test("A look that we lack a descriptor for tells nothing of its target")
    func tellsNothing() async throws {
        let loopback = SocketAddress(IPAddress(v4: 0x7f00_0001), port: 0)
        let server = try HTTPServer(addresses: [loopback]) { _, reply in reply(.init(status: 200)) }
        let outcomes = Mutex<[Int: [ProbeOutcome]]>([:])
        let service = ProbeService<Int>(
            client: HTTPClient(), waiter: try SocketWaiter(), secret: { _ in nil }
        ) { id, report in outcomes.withLock { $0[id, default: []].append(report.outcome) } }
        let http = HTTPProbe(path: "/", host: nil, statuses: [200...200], contains: nil, port: nil)
        func target(_ id: Int, _ probe: HealthCheck.Probe) -> ProbeTarget<Int> {
            ProbeTarget(
                id: id, address: server.addresses[0],
                check: HealthCheck(
                    probe: probe, interval: .milliseconds(100), timeout: .milliseconds(100), rise: 1, fall: 1))
        }
        let login = PostgreSQLProbe(user: "u", database: "d", password: nil, maximumLag: nil)
        service.update([target(0, .tcp), target(1, .http(http))])
        func looks() -> [Int] { outcomes.withLock { all in (0..<2).map { all[$0]?.count ?? 0 } } }
        for _ in 0..<500 where looks().contains(0) { try await Task.sleep(for: .milliseconds(10)) }
        #expect(!looks().contains(0))

        let missed = ShortageCounts.process[.descriptors]
        try await withoutDescriptors {
            // Its first look comes when there is nothing left.
            service.update([target(0, .tcp), target(1, .http(http)), target(2, .postgresql(login))])
            for _ in 0..<500 where ShortageCounts.process[.descriptors] < missed + 9 {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        #expect(ShortageCounts.process[.descriptors] >= missed + 9, "all kept trying")
        #expect(outcomes.withLock { $0[2] } == nil, "nothing is known of a server that was never asked")
        service.update([target(0, .tcp), target(1, .http(http))])
        let after = looks()
        for _ in 0..<500 where zip(looks(), after).contains(where: { $0 <= $1 }) {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(zip(looks(), after).allSatisfy { $0 > $1 }, "and go on when there are descriptors again")
        // A slow machine may miss a deadline; nothing else fails.
        let failures = outcomes.withLock { all in
            [0, 1].compactMap { all[$0] }.joined().filter { !$0.up && !$0.reason.contains("timed out") }.map(\.reason)
        }
        #expect(failures == [])
        await service.stop()
        await server.stop()
    }

    @Test("What the errno of a call tells of us, and what of the other side")
    func classification() {
        #expect([EMFILE, ENFILE].map { Shortage($0) } == [.descriptors, .descriptors])
        #expect([ENOBUFS, ENOMEM, ENOSPC].map { Shortage($0) } == [.memory, .memory, .memory])
        #expect(Shortage(EADDRNOTAVAIL) == .ports)
        #expect([ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ECONNRESET, 0].allSatisfy { Shortage($0) == nil })
    }
}
