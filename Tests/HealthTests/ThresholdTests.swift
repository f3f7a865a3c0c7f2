import Health
import Model
import Testing

@Suite("Check thresholds")
struct ThresholdTests {
    @Test("The first result decides", arguments: [true, false])
    func first(passed: Bool) {
        var threshold = Threshold(rise: 3, fall: 2)
        #expect(threshold.up == nil)
        #expect(threshold.record(passed: passed) == (passed ? .rose : .fell))
        #expect(threshold.up == passed)
    }

    @Test("Fall takes down, rise brings up, and one contrary result starts the count anew")
    func counts() {
        var threshold = Threshold(rise: 3, fall: 2)
        let results: [(Bool, Threshold.Change?)] = [
            (true, .rose), (false, nil), (true, nil), (false, nil), (false, .fell), (false, nil), (true, nil),
            (true, nil), (false, nil), (true, nil), (true, nil), (true, .rose),
        ]
        for (index, (passed, change)) in results.enumerated() {
            #expect(threshold.record(passed: passed) == change, "result \(index)")
        }
    }
}
