import Engine
import Glibc
import Model
import Synchronization
import TestKit
import Testing

@Suite("Workers that did not run for a while", .timeLimit(.minutes(1)))
struct StandstillTests {
    /// Waits for nothing and tells when its deadline came.
    private final class Patient: Channel {
        private let told: @Sendable () -> Void

        init(worker: Worker, told: @escaping @Sendable () -> Void) throws(SocketError) {
            self.told = told
            let nobody = SocketAddress(IPAddress(v4: 0x7f00_0001), port: 0)
            super.init(worker: worker, descriptor: try Socket.datagram(nobody))
        }

        override func deadlineReached() { told() }
    }

    @Test("A deadline does not pass in a time in which nobody could meet it")
    func deadlines() async throws {
        let patience: UInt64 = 2_500_000_000
        let passed = Mutex<ContinuousClock.Instant?>(nil)
        let standstills = Mutex<UInt64>(0)
        let group = try WorkerGroup(count: 1, name: "test", counters: 0) { worker in
            let patient = try Patient(worker: worker) { passed.withLock { $0 = .now } }
            patient.register()
            patient.setDeadline(after: patience)
        }
        // As long as a stopped process, or a suspended machine, as far as this worker can tell.
        group.broadcast { _ in usleep(4_000_000) }
        try await Task.sleep(for: .milliseconds(4500))
        let resumed = ContinuousClock.now
        #expect(passed.withLock { $0 } == nil, "it passed while the worker stood still")
        for _ in 0..<2000 where passed.withLock({ $0 }) == nil { try await Task.sleep(for: .milliseconds(5)) }
        let reached = try #require(passed.withLock { $0 }, "it never passed")
        #expect(reached - resumed > .milliseconds(500))
        group.broadcast { worker in standstills.withLock { $0 = worker.standstills } }
        await group.stop()
        #expect(standstills.withLock { $0 } >= 1)
    }
}
