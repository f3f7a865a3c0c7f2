import Engine
import Model
import Synchronization

/// What one worker counts of one pool: cells of a `CounterBlock`.
enum PoolCounter {
    static let requests = 0
    /// Failures by the pool's fault: 502, 503 and 504 of our own making, and broken responses.
    static let failures = 1
    static let retries = 2
    static let connects = 3
    static let reuses = 4
    static let bytesIn = 5
    static let bytesOut = 6
    /// Nanoseconds from a request's head to the end of its response, all together.
    static let nanoseconds = 7
    /// Responses by their status's first digit: 1xx at `status`, 5xx at `status + 4`.
    static let status = 8
    /// Requests that this node had no descriptor, memory or port for.
    static let exhausted = 13
    static let firstBucket = 14
    static let count = firstBucket + LatencyBuckets.count
}

/// A histogram of durations with four buckets to each power of two, from 65 µs to 34 s: an error of 19 % at most.
enum LatencyBuckets {
    /// 2^16 ns.
    private static let firstExponent = 16
    private static let octaves = 19
    /// One below and one above the rest.
    static let count = octaves * 4 + 2

    static func index(_ nanoseconds: UInt64) -> Int {
        guard nanoseconds >= 1 << UInt64(firstExponent) else { return 0 }
        let exponent = 63 &- nanoseconds.leadingZeroBitCount
        guard exponent < firstExponent + octaves else { return count - 1 }
        let quarter = Int(truncatingIfNeeded: nanoseconds >> UInt64(exponent &- 2)) & 3
        return (exponent &- firstExponent) &* 4 &+ quarter &+ 1
    }

    /// The upper bound of a bucket in seconds; infinite for the last.
    static func upperBound(_ index: Int) -> Double {
        if index == 0 { return Double(UInt64(1) << UInt64(firstExponent)) / 1e9 }
        if index >= count - 1 { return .infinity }
        let octave = (index - 1) / 4
        let base = Double(UInt64(1) << UInt64(firstExponent + octave))
        return base * (1 + Double((index - 1) % 4 + 1) / 4) / 1e9
    }

    /// The bound below which `share` (0 ... 1) of the observations lie, in milliseconds; 0 when there are none.
    static func quantile(_ share: Double, of counts: [UInt64]) -> Double {
        let total = counts.reduce(0, +)
        guard total > 0 else { return 0 }
        let wanted = UInt64((Double(total) * share).rounded(.up))
        var seen: UInt64 = 0
        for (index, count) in counts.enumerated() {
            seen += count
            if seen >= wanted { return min(upperBound(index), upperBound(Self.count - 2)) * 1_000 }
        }
        return upperBound(Self.count - 2) * 1_000
    }
}

/// What one worker counts of one route: requests by the first digit of the status that they got, 0 for none.
enum RouteCounter {
    static let count = 6

    static func cell(status: Int) -> Int { status >= 100 ? min(status / 100, 5) : 0 }
}

/// The counter blocks of every pool and route that this process ever served, by name, so that they go on over reloads.
final class TrafficBook: Sendable {
    private struct Blocks {
        var pools: [String: [CounterBlock]] = [:]
        var routes: [String: [CounterBlock]] = [:]
    }

    private let workers: Int
    private let blocks = Mutex(Blocks())

    init(workers: Int) { self.workers = workers }

    /// One block per worker.
    func blocks(of pool: String) -> [CounterBlock] {
        blocks.withLock { blocks($0.pools[pool], PoolCounter.count, &$0.pools[pool]) }
    }

    /// One block per worker.
    func blocks(ofRoute route: String) -> [CounterBlock] {
        blocks.withLock { blocks($0.routes[route], RouteCounter.count, &$0.routes[route]) }
    }

    private func blocks(_ known: [CounterBlock]?, _ count: Int, _ place: inout [CounterBlock]?) -> [CounterBlock] {
        if let known { return known }
        let fresh = (0..<workers).map { _ in CounterBlock(count: count) }
        place = fresh
        return fresh
    }

    func total(route: String, _ counter: Int) -> UInt64 {
        blocks(ofRoute: route).reduce(0) { $0 &+ $1.read(counter) }
    }

    func total(_ pool: String, _ counter: Int) -> UInt64 {
        blocks(of: pool).reduce(0) { $0 &+ $1.read(counter) }
    }

    func latencies(of pool: String) -> [UInt64] {
        let blocks = blocks(of: pool)
        return (0..<LatencyBuckets.count).map { bucket in
            blocks.reduce(0) { $0 &+ $1.read(PoolCounter.firstBucket + bucket) }
        }
    }
}

/// What a worker counts of its listeners: cells of the worker's own block.
enum WorkerCounter {
    static let connections = 0
    static let closed = 1
    static let requests = 2
    /// Requests that were refused, by the client's fault.
    static let refused = 3
    static let unrouted = 4
    static let aborted = 5
    /// Connections over the listener's limit.
    static let rejected = 6
    static let bytesIn = 7
    static let bytesOut = 8
    /// Responses by their status's first digit: 1xx at `status`, 5xx at `status + 4`.
    static let status = 9
    /// Connections refused because there are too few descriptors left.
    static let unwelcome = status + 5
    /// Requests that were checks of our own nodes. They are in none of the other counts of requests.
    static let checks = unwelcome + 1
    static let count = checks + 1
}
