import Engine

/// Tells when this process has run out of something: once when it begins, then once in half a minute while it lasts,
/// however often it happens.
struct ShortageWatch {
    /// Between two looks.
    private static let interval = Duration.seconds(1)
    /// Between two events of one kind.
    private static let rest = Duration.seconds(30)

    let node: String
    let events: EventLog

    func run() async {
        var told = Shortage.allCases.map { ShortageCounts.process[$0] }
        var quietUntil = [ContinuousClock.Instant?](repeating: nil, count: told.count)
        while !Task.isCancelled {
            for (index, shortage) in Shortage.allCases.enumerated() {
                let count = ShortageCounts.process[shortage]
                guard count > told[index], quietUntil[index].map({ $0 <= .now }) ?? true else { continue }
                let more = count - told[index]
                told[index] = count
                quietUntil[index] = .now + Self.rest
                events.record(
                    .node, node,
                    "out of \(shortage.label), \(more) times since this was last told: \(shortage.cure)",
                    severity: .error)
            }
            try? await Task.sleep(for: Self.interval)
        }
    }
}
