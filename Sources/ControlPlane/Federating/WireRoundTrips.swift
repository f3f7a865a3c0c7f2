import Model

/// A window of round trips in a report: a line for each prefix, such as `10.1.2.0/24 21:3 22:1`, with samples by bucket.
/// As objects they would be four times as long.
struct WireRoundTrips: Codable {
    let window: UInt64
    let prefixes: [String]

    init(_ roundTrips: RoundTripWindow) {
        window = roundTrips.number
        prefixes = roundTrips.prefixes.map { entry in
            ([entry.prefix.description] + entry.counts.map { "\($0.bucket):\($0.samples)" }).joined(separator: " ")
        }
    }

    /// Nil when a line is not written like that.
    var roundTrips: RoundTripWindow? {
        let entries = prefixes.map(Self.entry)
        guard !entries.contains(nil) else { return nil }
        return RoundTripWindow(number: window, prefixes: entries.compactMap { $0 })
    }

    private static func entry(_ line: String) -> PrefixRoundTrips? {
        let words = line.split(separator: " ", maxSplits: RoundTripBuckets.count + 1)
        guard let first = words.first, let prefix = IPPrefix(first) else { return nil }
        var counts: [PrefixRoundTrips.BucketCount] = []
        for word in words.dropFirst() {
            let parts = word.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let bucket = UInt16(parts[0]), let samples = UInt16(parts[1]) else { return nil }
            counts.append(.init(bucket: Int(bucket), samples: Int(samples)))
        }
        return PrefixRoundTrips(prefix: prefix, counts: counts)
    }
}
