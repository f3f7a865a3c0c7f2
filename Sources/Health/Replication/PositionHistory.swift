package import Model

/// When a log was first seen to end beyond each position: turns a distance in octets into a time.
package struct PositionHistory: Sendable, Hashable {
    /// Samples kept. When there are more, those go whose absence moves a time by no more than a sixteenth of its age: a week
    /// of samples each tenth of a second then takes some 220.
    package static let capacity = 256

    private struct Sample: Hashable {
        let at: Timestamp
        let position: UInt64
    }

    private var samples: [Sample] = []

    package init() {}

    /// The last known end; nil before the first sample.
    package var end: UInt64? { samples.last?.position }

    /// The log ended at `position` at `at`; times do not go back. A log that is shorter than it was is another one.
    package mutating func record(_ position: UInt64, at: Timestamp) {
        if let end, position < end { samples = [] }
        guard end != position else { return }
        samples.append(Sample(at: at, position: position))
        if samples.count > Self.capacity { thin(at) }
    }

    private mutating func thin(_ now: Timestamp) {
        var kept = [samples[0]]
        for index in 1..<(samples.count - 1) {
            let (gap, age) = (samples[index + 1].at - kept[kept.count - 1].at, now - samples[index + 1].at)
            if gap > age / 16 { kept.append(samples[index]) }
        }
        kept.append(samples[samples.count - 1])
        samples = kept.suffix(Self.capacity)
    }

    /// For how long the log has been known to reach beyond `position`; zero when it does not. It has for up to one
    /// interval between samples and a sixteenth longer.
    package func sinceBeyond(_ position: UInt64, now: Timestamp) -> Duration {
        guard let first = samples.first(where: { $0.position > position }) else { return .zero }
        return max(.zero, now - first.at)
    }
}
