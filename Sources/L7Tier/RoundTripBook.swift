import Model
import Synchronization

/// What the workers' samples of round trips come to: a window every ten seconds, for the node's report. Any thread.
final class RoundTripBook: Sendable {
    private struct State {
        var counts: [IPPrefix: [Int: Int]] = [:]
        var window: RoundTripWindow?
        var number: UInt64 = 0
        /// Monotonic, of the last window's end.
        var endedAt: UInt64?
        var samples: UInt64 = 0
    }

    /// Nanoseconds. A resolver caches an answer for longer than this.
    private static let length: UInt64 = 10_000_000_000
    /// Prefixes that one window is made from: the narrow ones of as many clients as the workers keep samples of.
    private static let capacity = 65_536

    private let state = Mutex(State())

    /// Samples taken since the start.
    var samples: UInt64 { state.withLock { $0.samples } }

    /// The latest window; nil before the first, and when nobody came in its time.
    var window: RoundTripWindow? { state.withLock { $0.window } }

    func add(_ samples: [RoundTripReservoir.Sample]) {
        state.withLock { state in
            for sample in samples {
                let prefix = RoundTripBuckets.prefix(of: sample.client)
                guard state.counts[prefix] != nil || state.counts.count < Self.capacity else { continue }
                state.counts[prefix, default: [:]][
                    RoundTripBuckets.index(microseconds: sample.microseconds), default: 0] += 1
            }
            state.samples += UInt64(samples.count)
        }
    }

    /// Ends the window when its time is up.
    ///
    /// - Parameter now: monotonic nanoseconds.
    /// - Returns: whether it ended, and the workers should hand in what they have for the next one.
    func turn(now: UInt64) -> Bool {
        state.withLock { state in
            guard let endedAt = state.endedAt else {
                state.endedAt = now
                return false
            }
            guard now &- endedAt >= Self.length else { return false }
            state.endedAt = now
            state.window = nil
            guard !state.counts.isEmpty else { return true }
            state.number += 1
            state.window = RoundTripWindow(number: state.number, prefixes: Self.heaviest(state.counts))
            state.counts = [:]
            return true
        }
    }

    /// The prefixes with the most samples, as many as a report has room for.
    private static func heaviest(_ counts: [IPPrefix: [Int: Int]]) -> [PrefixRoundTrips] {
        let all = counts.map { prefix, buckets in
            PrefixRoundTrips(
                prefix: prefix,
                counts: buckets.sorted { $0.key < $1.key }.map { .init(bucket: $0.key, samples: min($0.value, 65_535)) }
            )
        }
        return all.map { (entry: $0, samples: $0.samples) }
            .sorted {
                $0.samples != $1.samples ? $0.samples > $1.samples : $0.entry.prefix.address < $1.entry.prefix.address
            }
            .prefix(RoundTripWindow.maximumPrefixes).map(\.entry)
    }
}
