import Model

/// Rates of growing totals over the last few seconds.
struct RateMeter {
    private struct Sample {
        let at: Timestamp
        let operations: UInt64
        let failures: UInt64
    }

    /// Five seconds of one sample each: smooth enough to read, short enough to act upon.
    private static let window = 5
    /// Between two samples at most: longer means that the process did not run, and nothing could be counted.
    private static let patience = Duration.seconds(3)
    private var samples: [Sample] = []
    /// What was known before a standstill, until there are two samples again.
    private var before = 0.0

    /// Adds a sample unless the last one is less than a second old.
    mutating func record(operations: UInt64, failures: UInt64 = 0, at: Timestamp) {
        if let last = samples.last {
            if at - last.at < .seconds(1) { return }
            if at - last.at > Self.patience {
                before = perSecond
                samples = []
            }
        }
        samples.append(Sample(at: at, operations: operations, failures: failures))
        if samples.count > Self.window + 1 { samples.removeFirst() }
    }

    var perSecond: Double {
        guard let first = samples.first, let last = samples.last, last.at > first.at else { return before }
        return Double(last.operations &- first.operations) * 1e9 / Double((last.at - first.at).nanoseconds)
    }

    /// 0 ... 1.
    var errorRate: Double {
        guard let first = samples.first, let last = samples.last, last.operations > first.operations else { return 0 }
        return min(1, Double(last.failures &- first.failures) / Double(last.operations - first.operations))
    }
}
