import Glibc
import Model
import Synchronization
import Testing

@testable import ControlPlane

@Suite("Checks and the time in which nobody ran")
struct StandstillTests {
    private final class Time: Sendable {
        private let offset = Mutex(Duration.zero)
        private let steady = SteadyClock()
        var clock: SteadyClock { SteadyClock { self.steady.now + self.offset.withLock { $0 } } }
        func jump(_ duration: Duration) { offset.withLock { $0 += duration } }
    }

    private let client = HTTPClient()
    private let waiter: SocketWaiter
    private let reports = Reports()
    private let time = Time()
    private let service: ProbeService<String>

    init() throws {
        waiter = try SocketWaiter()
        let standstills = Standstills(clock: time.clock)
        try standstills.watch()
        let reports = reports
        service = ProbeService(
            client: client, waiter: waiter, secret: { _ in nil }, standstills: standstills
        ) { _, report in reports.add(report) }
    }

    private func check(_ probe: HealthCheck.Probe, interval: Duration) -> HealthCheck {
        HealthCheck(probe: probe, interval: interval, timeout: .milliseconds(300), rise: 1, fall: 1)
    }

    @Test("All is looked at at once, however far the next look was, and what is as it was is no news")
    func atOnce() async throws {
        let server = try ScriptedServer { _ in }
        defer { server.stop() }
        service.update([ProbeTarget(id: "a", address: server.address, check: check(.tcp, interval: .seconds(600)))])
        _ = try await reports.first { $0.up }
        let seen = reports.list.count
        time.jump(.seconds(10))
        service.lookAgain()
        let again = try await reports.first(after: seen) { _ in true }
        #expect(again.up && !again.changed)
        await service.stop()
    }

    @Test("A look that a standstill came between is not believed")
    func voids() async throws {
        let (silent, time) = (Tally(), time)
        let isSilent = Mutex(false)
        let server = try ScriptedServer { peer in
            _ = peer.read(until: "\r\n\r\n")
            guard isSilent.withLock({ $0 }) else {
                peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                return
            }
            silent.add()
            if silent.value == 1 { time.jump(.seconds(10)) }
            // Until the check has given up.
            _ = peer.read(until: "never")
        }
        defer { server.stop() }
        let probe = HTTPProbe(path: "/", host: nil, statuses: [200...299], contains: nil, port: nil)
        service.update([
            ProbeTarget(id: "a", address: server.address, check: check(.http(probe), interval: .milliseconds(500)))
        ])
        _ = try await reports.first { $0.up }
        isSilent.withLock { $0 = true }
        let down = try await reports.first { !$0.outcome.up }
        #expect(!down.up && down.outcome.reason == "timed out")
        #expect(silent.value >= 2, "the first time-out was nobody's fault")
        await service.stop()
    }
}
