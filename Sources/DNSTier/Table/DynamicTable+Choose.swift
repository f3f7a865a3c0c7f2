import DNSWire
import Model
import Steering

extension DynamicTable.View {
    /// The answer of slot `slot` of name `name` for `client`.
    ///
    /// `client`: canonical.
    /// `source`: bits of it that are known, 0 ... 32 or 128; more where it is known as a whole.
    /// `random`: the state of the draws among weighted answers; moves on when there is one.
    /// Returns the answer, the width of the client's prefix that decided (0 ... 32 or 128), and what it is counted by.
    @inline(__always)
    @unsafe
    func choose(
        name: UInt32, slot: UInt32, client: IPAddress, source: UInt8 = .max, random: inout UInt64
    ) -> (answer: UnsafeMutablePointer<FlatAnswer>, scope: UInt8, kind: UInt32) {
        let entry = unsafe names + Int(name)
        // A and AAAA have the first two slots, and a view each; whatever comes behind them shares the third.
        var choice = unsafe entry.pointee.choices + Int(min(slot, 2) &* entry.pointee.viewStride)
        var scope: UInt8 = 0
        if unsafe entry.pointee.isUniform == 0 {
            let plan = unsafe Unmanaged<SteeringPlan>.fromOpaque(entry.pointee.plan)
            let found = unsafe plan._withUnsafeGuaranteedRef { $0.classify(client, source: Int(source)) }
            scope = UInt8(truncatingIfNeeded: found.scope)
            unsafe choice += Int(found.index)
        }
        var variant = unsafe entry.pointee.variants + Int(choice.pointee.variants)
        if unsafe choice.pointee.count > 1 {
            if unsafe choice.pointee.total == 0 {
                unsafe variant += Self.rendezvous(variant, count: choice.pointee.count, client, &scope)
            } else {
                random ^= random >> 12
                random ^= random << 25
                random ^= random >> 27
                let ball = unsafe Self.ball(random, total: choice.pointee.total)
                while unsafe variant.pointee.cumulative <= ball { unsafe variant += 1 }
            }
        }
        let row = unsafe Int(variant.pointee.row)
        let position = unsafe row &* Int(entry.pointee.slotCount) &+ Int(slot)
        return unsafe (entry.pointee.answers + position, scope, entry.pointee.kinds[row])
    }

    /// What the state of the draws picks out of 0 ..< `total`: the upper half of draw × total is even to one part in 2^32.
    @inline(__always)
    static func ball(_ random: UInt64, total: UInt32) -> UInt32 {
        let draw = (random &* 0x2545_f491_4f6c_dd1d) >> 32
        return UInt32(truncatingIfNeeded: (draw &* UInt64(total)) >> 32)
    }

    /// The variant that the client's prefix has. What decides is that prefix, however wide the class is.
    @inline(never)
    @unsafe
    private static func rendezvous(
        _ variants: UnsafeMutablePointer<FlatVariant>, count: UInt32, _ client: IPAddress, _ scope: inout UInt8
    ) -> Int {
        scope = max(
            scope,
            UInt8(truncatingIfNeeded: client.family == .v4 ? RendezvousHash.v4Width : RendezvousHash.v6Width))
        let number = RendezvousHash.number(of: client)
        var best = 0
        var lowest = Float.infinity
        for index in 0..<Int(count) {
            let score = unsafe RendezvousHash.score(
                client: number, key: variants[index].cumulative, inverseWeight: variants[index].inverseWeight)
            if score < lowest {
                lowest = score
                best = index
            }
        }
        return best
    }
}
