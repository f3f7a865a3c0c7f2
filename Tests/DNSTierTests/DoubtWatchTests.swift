import Testing

@testable import DNSTier

@Suite("Workers that stood still")
struct DoubtWatchTests {
    private func isWaiting(_ watch: inout DoubtWatch, _ standstills: UInt64, _ doubts: UInt64) -> Bool {
        watch.isWaiting(standstills: standstills, doubts: doubts)
    }

    @Test("A worker waits for a table that knows of the standstill, and for no other")
    func waits() {
        var watch = DoubtWatch()
        #expect(!isWaiting(&watch, 0, 0))
        #expect(isWaiting(&watch, 1, 0))
        #expect(isWaiting(&watch, 1, 0), "whatever was published meanwhile")
        #expect(!isWaiting(&watch, 1, 1))
        #expect(!isWaiting(&watch, 1, 1))
        #expect(isWaiting(&watch, 2, 1), "the next one has to be known too")
        #expect(!isWaiting(&watch, 2, 2))
    }

    @Test("The table may know first, and the process may have stood still where the worker saw nothing of it")
    func orders() {
        var watch = DoubtWatch()
        #expect(!isWaiting(&watch, 1, 1), "the table was made before the worker woke up")
        #expect(!isWaiting(&watch, 1, 2))
        #expect(isWaiting(&watch, 2, 2))
    }

    @Test("A worker that stood still alone waits once")
    func alone() {
        var watch = DoubtWatch()
        #expect(isWaiting(&watch, 1, 0))
        watch.giveUp(standstills: 1)
        #expect(!isWaiting(&watch, 1, 0))
    }
}
