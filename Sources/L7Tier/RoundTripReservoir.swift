import Model

/// Round-trip times of clients that one worker measured since it was last emptied: an even sample of them, however many
/// there were, in memory that never grows (reservoir sampling, Vitter 1985, algorithm R).
///
/// Confined to its worker.
@safe
final class RoundTripReservoir {
    struct Sample: Sendable {
        let client: IPAddress
        let microseconds: UInt32
    }

    /// 128 kB for each worker; in ten seconds as many as a report has room for.
    static let capacity = 4096

    private var samples: [Sample] = []
    /// How many were measured, kept or not.
    private var seen: UInt64 = 0

    init() { samples.reserveCapacity(Self.capacity) }

    /// `random`: 64 random bits.
    func add(_ client: IPAddress, microseconds: UInt32, random: UInt64) {
        seen &+= 1
        if samples.count < Self.capacity {
            samples.append(Sample(client: client, microseconds: microseconds))
            return
        }
        let place = random.multipliedFullWidth(by: seen).high
        if place < UInt64(Self.capacity) {
            samples[Int(place)] = Sample(client: client, microseconds: microseconds)
        }
    }

    /// Hands out what there is and begins anew.
    func take() -> [Sample] {
        defer {
            samples.removeAll(keepingCapacity: true)
            seen = 0
        }
        return Array(samples)
    }
}
