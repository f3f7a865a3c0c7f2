import ControlPlane
import HTTPWire
import Model

/// The marks that checks of our own nodes may have at this moment, as one worker knows them. Made anew once in half a
/// minute, when the first request that claims to be a check comes.
struct KnownChecks {
    private let mark: CheckMark
    private var known: Set<[UInt8]> = []
    private var period: Int64 = -1
    private var generation: UInt64 = 0

    init(_ mark: CheckMark) { self.mark = mark }

    /// Whether the octets of `bytes` at `slice` are one. `addresses` belong to `generation` of the plan.
    mutating func contains(
        _ bytes: RawSpan, _ slice: Slice, at addresses: @autoclosure () -> [SocketAddress], generation: UInt64,
        now: Timestamp
    ) -> Bool {
        // Other lengths are none; the octets need no comparison in constant time, since a guess is right once in 2^128.
        guard slice.count == 32 else { return false }
        let period = CheckMark.period(of: now)
        if period != self.period || generation != self.generation {
            known = mark.values(at: addresses(), period: period)
            (self.period, self.generation) = (period, generation)
        }
        var octets: [UInt8] = []
        for index in slice.start..<slice.end { octets.append(bytes.octet(index)) }
        return known.contains(octets)
    }
}
