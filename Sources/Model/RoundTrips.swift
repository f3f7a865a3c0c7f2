/// Round-trip times of real clients that a node of one region saw within one window of time, by client prefix.
package struct RoundTripWindow: Sendable, Hashable {
    /// Windows of one incarnation of a node count up from 1, so that each is taken once, however often it is heard.
    package var number: UInt64
    package var prefixes: [PrefixRoundTrips]

    package init(number: UInt64, prefixes: [PrefixRoundTrips]) {
        self.number = number
        self.prefixes = prefixes
    }

    /// Prefixes in one window at most: with three buckets each they are some 20 kB of a report.
    package static let maximumPrefixes = 512
}

/// The round-trip times of one client prefix.
package struct PrefixRoundTrips: Sendable, Hashable {
    /// A /24 or a /48.
    package var prefix: IPPrefix
    /// By bucket, ascending; none is empty.
    package var counts: [BucketCount]

    package init(prefix: IPPrefix, counts: [BucketCount]) {
        self.prefix = prefix
        self.counts = counts
    }

    package struct BucketCount: Sendable, Hashable {
        /// 0 ..< `RoundTripBuckets.count`.
        package var bucket: Int
        /// 1 ... 65535.
        package var samples: Int

        package init(bucket: Int, samples: Int) {
            self.bucket = bucket
            self.samples = samples
        }
    }

    package var samples: Int { counts.reduce(0) { $0 + $1.samples } }
}

/// The buckets that round-trip times are counted in: four for each doubling from 0.5 ms to 2048 ms, so that each is a fifth
/// wider than the one before and a median read from them is off by less than a tenth. Faster ones fall into the first, slower
/// ones into the last.
package enum RoundTripBuckets {
    package static let count = 48

    /// Lower edges in microseconds; the edge behind the last one too.
    package static let edges: [UInt32] = (0...count).map { index in
        // 2^(1/4) to the powers 0 ... 3, in 65536ths.
        let steps: [UInt64] = [65_536, 77_936, 92_682, 110_218]
        return UInt32((500 * steps[index % 4] << UInt64(index / 4)) >> 16)
    }

    /// The bucket of a round-trip time.
    package static func index(microseconds: UInt32) -> Int {
        var low = 0
        var step = 32
        while step > 0 {
            let probe = low + step
            if probe < count, edges[probe] <= microseconds { low = probe }
            step >>= 1
        }
        return low
    }

    /// The prefix that a client's round-trip times are gathered by: its /24 or /48.
    package static func prefix(of client: IPAddress) -> IPPrefix {
        let client = client.canonical
        return IPPrefix(client, length: client.family == .v4 ? 24 : 48)
    }
}

/// A window with where it came from.
package struct HeardRoundTrips: Sendable, Hashable {
    package var node: String
    /// The region that the clients' packets went to.
    package var region: String
    package var incarnation: UInt64
    package var window: RoundTripWindow

    package init(node: String, region: String, incarnation: UInt64, window: RoundTripWindow) {
        self.node = node
        self.region = region
        self.incarnation = incarnation
        self.window = window
    }
}
