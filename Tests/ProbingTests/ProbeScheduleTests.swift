import Model
import TestKit
import Testing

@testable import ControlPlane

@Suite struct ProbeScheduleTests {
    @Test func firstProbesAreSpreadButSoon() {
        var generator = SeededGenerator(seed: 3)
        let delays = (0..<1000).map { _ in ProbeSchedule.delay(interval: .seconds(1), using: &generator) }
        #expect(delays.allSatisfy { $0 >= .zero && $0 <= .milliseconds(200) })
        #expect(delays.contains { $0 < .milliseconds(20) } && delays.contains { $0 > .milliseconds(180) })
        #expect(ProbeSchedule.delay(interval: .milliseconds(50), using: &generator) <= .milliseconds(10))
    }

    @Test func laterProbesKeepTheIntervalOnAverage() {
        var generator = SeededGenerator(seed: 4)
        let start = ContinuousClock.now
        var due = start
        for _ in 0..<1000 {
            let next = ProbeSchedule.next(after: due, interval: .seconds(1), now: due, using: &generator)
            #expect((Duration.milliseconds(950)...Duration.milliseconds(1050)).contains(due.duration(to: next)))
            due = next
        }
        #expect((990...1010).contains(start.duration(to: due).components.seconds))
    }

    @Test func aLateProbeIsFollowedAtOnce() {
        var generator = SeededGenerator(seed: 5)
        let now = ContinuousClock.now
        #expect(ProbeSchedule.next(after: now - .seconds(9), interval: .seconds(1), now: now, using: &generator) == now)
    }

    @Test func theBodyIsSearched() {
        let probe = HTTPProbe(path: "/", host: nil, statuses: [200...299, 404...404], contains: "lov", port: nil)
        func reason(_ status: Int, _ body: String) -> String? {
            let timing = HTTPClientTiming(
                resolved: .zero, connected: .zero, encrypted: .zero, firstByte: .zero, total: .zero)
            let response = HTTPClientResponse(status: status, headers: [], body: Array(body.utf8), timing: timing)
            return HTTPProber.failure(of: response, probe)
        }
        #expect(reason(200, "I lollove you") == nil)
        #expect(reason(404, "lov") == nil)
        #expect(reason(301, "lov") == "HTTP 301")
        #expect(reason(200, "lo") == "HTTP 200 without \"lov\"")
        #expect(reason(200, "") == "HTTP 200 without \"lov\"")
    }

    @Test func requestsGoToThePortOfTheCheck() {
        let address = SocketAddress(IPAddress(v6: 0, 1), port: 9)
        let probe = HTTPProbe(path: "/h", host: "a.test", statuses: [], contains: nil, port: 81)
        let request = HTTPProber.request(address, probe, timeout: .seconds(1))
        #expect(request.url == "http://[::1]:81/h")
        #expect(request.headers.contains { $0 == ("Host", "a.test") })
        #expect(request.connection == .fresh)
    }
}
