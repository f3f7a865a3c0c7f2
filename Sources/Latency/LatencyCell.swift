package import Model

/// What is known of the round-trip times between one client prefix and one region: 56 octets.
///
/// A histogram over `RoundTripBuckets` that holds 96 samples at most: when more come, what is there is halved first. So it
/// forgets by half for each 48 to 96 samples, however fast they come, and follows a path that changes.
package struct LatencyCell: Sendable {
    /// Samples held at most. The median of half of them is off by an eighth of their scatter, which is less than what the
    /// buckets leave open.
    package static let capacity = 96

    private var counts: InlineArray<48, UInt8> = InlineArray(repeating: 0)
    /// The sum of `counts`.
    private var sum: UInt16 = 0
    /// Seconds, on the clock of whoever adds, of the latest sample.
    package private(set) var updated: UInt32 = 0

    package init() {}

    package var samples: Int { Int(sum) }
    package var isEmpty: Bool { sum == 0 }

    /// Adds samples that were seen until `seconds`. Of more than half the capacity, as many in the same proportions.
    package mutating func add(_ added: [PrefixRoundTrips.BucketCount], at seconds: UInt32) {
        let valid = added.filter { (0..<RoundTripBuckets.count).contains($0.bucket) && $0.samples > 0 }
        let total = valid.reduce(0) { $0 + min($1.samples, 65_535) }
        if total == 0 { return }
        let room = Self.capacity / 2
        // Rounding what lies below each bucket keeps the sum exact and the order of buckets out of it.
        var below = 0
        var taken = 0
        var scaled: [(bucket: Int, samples: Int)] = []
        for entry in valid {
            below += min(entry.samples, 65_535)
            let upTo = total <= room ? below : (below * room + total / 2) / total
            if upTo > taken { scaled.append((entry.bucket, upTo - taken)) }
            taken = upTo
        }
        while samples + taken > Self.capacity { halve() }
        for (bucket, samples) in scaled { counts[bucket] += UInt8(samples) }
        sum += UInt16(taken)
        updated = max(updated, seconds)
    }

    /// Halves what is known, so that what comes next weighs more.
    private mutating func halve() {
        sum = 0
        // Every other one of the samples in their order: rounding each bucket would lose what lies scattered.
        var below = 0
        var kept = 0
        for bucket in 0..<RoundTripBuckets.count where counts[bucket] > 0 {
            below += Int(counts[bucket])
            counts[bucket] = UInt8((below + 1) / 2 - kept)
            kept = (below + 1) / 2
        }
        sum = UInt16(kept)
    }

    /// Half of what is known is forgotten for each half-life that passed without a sample. One sample always stays.
    package mutating func fade(to seconds: UInt32, halfLife: UInt32) {
        guard seconds > updated, halfLife > 0 else { return }
        var passed = (seconds - updated) / halfLife
        while passed > 0, sum > 1 {
            halve()
            passed -= 1
        }
    }

    /// Where `part` (0 ... 1) of the samples lie below, in buckets: samples lie evenly in theirs. Nil without samples.
    package func position(of part: Double) -> Double? {
        if sum == 0 { return nil }
        let wanted = part * Double(sum)
        var below = 0.0
        var last = 0
        for bucket in 0..<RoundTripBuckets.count where counts[bucket] > 0 {
            let count = Double(counts[bucket])
            if below + count >= wanted { return Double(bucket) + (wanted - below) / count }
            below += count
            last = bucket
        }
        return Double(last + 1)
    }

    /// How far samples scatter around their median, in buckets (each a factor of 1.19): half of what lies between the
    /// quarters. At least one bucket: a few samples that agree prove little.
    package var scatter: Double {
        guard let low = position(of: 0.25), let high = position(of: 0.75) else { return 1 }
        return max(1, (high - low) / 2)
    }
}

extension RoundTripBuckets {
    /// The round-trip time at a place between buckets, in microseconds.
    package static func microseconds(at position: Double) -> UInt32 {
        let position = min(max(position, 0), Double(count))
        let bucket = min(Int(position), count - 1)
        let (low, high) = (Double(edges[bucket]), Double(edges[bucket + 1]))
        return UInt32(low + (high - low) * (position - Double(bucket)))
    }
}
