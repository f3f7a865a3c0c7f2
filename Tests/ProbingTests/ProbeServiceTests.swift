import ControlPlane
import Engine
import Model
import Synchronization
import Testing

/// Collects reports and lets a test wait for them.
final class Reports: Sendable {
    private let all = Mutex<[ProbeReport]>([])

    func add(_ report: ProbeReport) { all.withLock { $0.append(report) } }
    var list: [ProbeReport] { all.withLock { $0 } }

    /// Waits up to five seconds for a report that passes.
    func first(after seen: Int = 0, where passes: (ProbeReport) -> Bool) async throws -> ProbeReport {
        for _ in 0..<500 {
            if let found = list.dropFirst(seen).first(where: passes) { return found }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw Missing(list: list)
    }

    struct Missing: Error {
        let list: [ProbeReport]
    }
}

@Suite struct ProbeServiceTests {
    private let client = HTTPClient()
    private let waiter: SocketWaiter
    private let reports = Reports()
    private let service: ProbeService<String>

    init() throws {
        waiter = try SocketWaiter()
        let reports = reports
        service = ProbeService(client: client, waiter: waiter, secret: { _ in nil }) { _, report in reports.add(report)
        }
    }

    private func check(_ probe: HealthCheck.Probe, rise: Int = 3, fall: Int = 2) -> HealthCheck {
        HealthCheck(probe: probe, interval: .milliseconds(40), timeout: .milliseconds(300), rise: rise, fall: fall)
    }

    private func http(contains: String? = nil) -> HealthCheck.Probe {
        .http(HTTPProbe(path: "/healthz", host: "shop.test", statuses: [200...299], contains: contains, port: nil))
    }

    @Test func theFirstSuccessBringsATargetIn() async throws {
        let server = try ScriptedServer { _ in }
        defer { server.stop() }
        service.update([ProbeTarget(id: "a", address: server.address, check: check(.tcp))])
        let report = try await reports.first { _ in true }
        #expect(report.up && report.changed && report.outcome.up)
        #expect(report.outcome.reason == "accepts")
        await service.stop()
    }

    @Test func refusalTakesItOutAfterFallAndSaysWhy() async throws {
        let server = try ScriptedServer { _ in }
        service.update([ProbeTarget(id: "a", address: server.address, check: check(.tcp, fall: 3))])
        _ = try await reports.first { $0.up }
        server.stop()
        let down = try await reports.first { !$0.up }
        #expect(down.changed)
        #expect(down.outcome.reason == "connection refused")
        #expect(reports.list.count { !$0.outcome.up } == 3)
        await service.stop()
    }

    @Test func httpLooksAtStatusAndBody() async throws {
        let healthy = Tally()
        let server = try ScriptedServer { peer in
            let request = peer.read(until: "\r\n\r\n")
            let good = request.contains("GET /healthz ") && request.contains("Host: shop.test") && healthy.value > 0
            let (status, body) = good ? ("200 OK", "all well") : ("503 No", "all well")
            peer.write("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
        defer { server.stop() }
        service.update([ProbeTarget(id: "a", address: server.address, check: check(http(contains: "well")))])
        let first = try await reports.first { _ in true }
        #expect(!first.up && first.outcome.reason == "HTTP 503")
        healthy.add()
        let risen = try await reports.first { $0.up }
        #expect(risen.changed && risen.outcome.reason == "HTTP 200")
        // Down by its first result, so it takes `rise` successes.
        #expect(reports.list.prefix { !$0.up }.count { $0.outcome.up } == 2)

        let seen = reports.list.count
        service.update([ProbeTarget(id: "a", address: server.address, check: check(http(contains: "missing")))])
        let missing = try await reports.first(after: seen) { !$0.up }
        #expect(missing.outcome.reason == "HTTP 200 without \"missing\"")
        await service.stop()
    }

    /// What a server says cannot be a shortage of ours: it would stay up for ever.
    @Test(arguments: [
        "HTTP/1.1 500 Broken\r\nX-Trace: " + String(repeating: "b", count: 200_000) + "\r\n",
        "HTTP/1.1 500 " + String(repeating: "b", count: 200_000) + "\r\n",
        String(repeating: "b", count: 200_000) + "\r\n",
        "HTTP/1.1 200 OK\r\n" + String(repeating: "X-Trace: 0123456789abcdef\r\n", count: 1000),
        String(repeating: "HTTP/1.1 100 Continue\r\nX-Trace: 0123456789abcdef\r\n\r\n", count: 1000)
            + "HTTP/1.1 200 OK\r\n",
    ])
    func anEndlessHeaderIsAFailure(head: String) async throws {
        let isBroken = Tally()
        let server = try ScriptedServer { peer in
            _ = peer.read(until: "\r\n\r\n")
            peer.write((isBroken.value > 0 ? head : "HTTP/1.1 200 OK\r\n") + "Content-Length: 0\r\n\r\n")
        }
        defer { server.stop() }
        service.update([ProbeTarget(id: "a", address: server.address, check: check(http()))])
        _ = try await reports.first { $0.up }
        isBroken.add()
        let down = try await reports.first { !$0.up }
        #expect(down.changed)
        await service.stop()
    }

    @Test func aSlowServerTimesOut() async throws {
        let server = try ScriptedServer { peer in _ = peer.read(until: "never") }
        defer { server.stop() }
        service.update([ProbeTarget(id: "a", address: server.address, check: check(http()))])
        let report = try await reports.first { _ in true }
        #expect(!report.up && report.outcome.reason == "timed out")
        #expect(report.outcome.latency >= .milliseconds(290))
        await service.stop()
    }

    @Test func aTargetThatLeftIsProbedNoMore() async throws {
        let server = try ScriptedServer { _ in }
        defer { server.stop() }
        service.update([ProbeTarget(id: "a", address: server.address, check: check(.tcp))])
        _ = try await reports.first { _ in true }
        service.update([])
        try await Task.sleep(for: .milliseconds(50))
        let accepted = server.accepted
        try await Task.sleep(for: .milliseconds(150))
        #expect(server.accepted == accepted)
    }

    @Test func anUnchangedTargetKeepsItsHistory() async throws {
        let server = try ScriptedServer { _ in }
        defer { server.stop() }
        let target = ProbeTarget(id: "a", address: server.address, check: check(.tcp))
        service.update([target])
        _ = try await reports.first { _ in true }
        service.update([target])
        try await Task.sleep(for: .milliseconds(200))
        #expect(reports.list.count { $0.changed } == 1)
        await service.stop()
    }
}
