import Health
import Model
import Testing

@Suite("Passive ejection")
struct EjectionTests {
    private let policy = EjectionPolicy(failures: 3, base: .seconds(10), maximum: .seconds(35), maximumShare: 50)
    private let start = Timestamp(milliseconds: 1_000_000)
    private let pair = Ejection.PoolSize(endpoints: 2, ejected: 0)

    @Test("A run of failures ejects for base, then twice as long, up to the maximum")
    func grows() {
        var ejection = Ejection(policy)
        var now = start
        for seconds in [10, 20, 35, 35] {
            #expect(ejection.failed(consecutive: 2, causes: .timeout, in: pair, now: now) == nil)
            let until = now + .seconds(seconds)
            #expect(ejection.failed(consecutive: 3, causes: .timeout, in: pair, now: now) == .eject(until: until))
            #expect(ejection.failed(consecutive: 4, causes: .timeout, in: pair, now: now) == nil, "it is out already")
            #expect(ejection.tick(now: until - .milliseconds(1)) == nil)
            #expect(ejection.tick(now: until) == .readmit)
            #expect(ejection.ejectedUntil == nil)
            now = until + .seconds(1)
        }
    }

    @Test("Time in the pool forgives")
    func forgives() {
        var ejection = Ejection(policy)
        #expect(
            ejection.failed(consecutive: 3, causes: .timeout, in: pair, now: start)
                == .eject(until: start + .seconds(10)))
        #expect(ejection.tick(now: start + .seconds(10)) == .readmit)
        let later = start + .seconds(21)
        #expect(
            ejection.failed(consecutive: 3, causes: .timeout, in: pair, now: later)
                == .eject(until: later + .seconds(10)))
    }

    @Test("A check that connects ends it when connects alone had failed")
    func check() {
        var ejection = Ejection(policy)
        #expect(ejection.checkConnected(now: start) == nil)
        _ = ejection.failed(consecutive: 3, causes: .connect, in: pair, now: start)
        #expect(ejection.checkConnected(now: start + .seconds(1)) == .readmit)
        #expect(ejection.tick(now: start + .seconds(60)) == nil)
    }

    @Test(
        "No check ends it when other things had failed",
        arguments: [.timeout, .reset, .gateway, [.connect, .timeout]] as [TrafficFailures])
    func otherCauses(causes: TrafficFailures) {
        var ejection = Ejection(policy)
        _ = ejection.failed(consecutive: 3, causes: causes, in: pair, now: start)
        #expect(ejection.checkConnected(now: start + .seconds(9)) == nil)
        #expect(ejection.tick(now: start + .seconds(10)) == .readmit)
    }

    @Test(
        "The pool keeps its share",
        arguments: [(1, 0, false), (2, 0, true), (2, 1, false), (4, 1, true), (4, 2, false), (3, 1, false)])
    func share(endpoints: Int, ejected: Int, allowed: Bool) {
        var ejection = Ejection(policy)
        let action = ejection.failed(
            consecutive: 9, causes: .timeout, in: Ejection.PoolSize(endpoints: endpoints, ejected: ejected), now: start)
        #expect((action != nil) == allowed)
    }
}
