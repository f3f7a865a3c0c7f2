import DNSWire
import Model
import Steering

extension DynamicTable.View {
    /// The answer of slot `slot` of name `name` for `client`.
    ///
    /// `client`: canonical.
    /// `draw`: 64 random bits.
    /// Returns the answer's index, and the width of the client's prefix that decided (0 ... 32 or 128).
    @inline(__always)
    func choose(name: UInt32, slot: UInt32, client: IPAddress, draw: UInt64) -> (answer: UInt32, scope: UInt8) {
        let entry = unsafe names + Int(name)
        var position = unsafe Int(entry.pointee.choices) &+ Int(slot)
        var scope: UInt8 = 0
        if unsafe entry.pointee.isUniform == 0 {
            let plan = unsafe Unmanaged<SteeringPlan>.fromOpaque(entry.pointee.plan)
            let found = unsafe plan._withUnsafeGuaranteedRef { $0.classify(client) }
            scope = UInt8(truncatingIfNeeded: found.scope)
            position &+= unsafe Int(found.index) &* Int(entry.pointee.slotCount)
        }
        let choice = unsafe choices + position
        var variant = unsafe variants + Int(choice.pointee.variants)
        if unsafe choice.pointee.count > 1 {
            // The upper half of draw × total is even over 0 ..< total to one part in 2^32.
            let ball = unsafe UInt32(truncatingIfNeeded: ((draw >> 32) &* UInt64(choice.pointee.total)) >> 32)
            while unsafe variant.pointee.cumulative <= ball { unsafe variant += 1 }
        }
        return unsafe (variant.pointee.answer, scope)
    }
}
