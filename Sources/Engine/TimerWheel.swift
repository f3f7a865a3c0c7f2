/// Deadlines of one worker's channels in a hashed wheel (Varghese and Lauck, 1987) of 4,096 slots of 16 ms: 65 s around.
///
/// Timeouts on data paths almost never fire and are moved with every request, so a deadline that moves later leaves its
/// entry where it is; the wheel looks at the real deadline when it comes by.
@safe
package struct TimerWheel {
    private static let slots = 4096
    /// 2^24 ns = 16.8 ms: far below the shortest timeout that makes sense on a network.
    private static let shift: UInt64 = 24

    private let heads: UnsafeMutablePointer<Unmanaged<Channel>?>
    private var occupied: [UInt64]
    /// The last tick that was served.
    private var tick: UInt64

    package init(now: UInt64) {
        unsafe heads = .allocate(capacity: Self.slots)
        unsafe heads.initialize(repeating: nil, count: Self.slots)
        occupied = Array(repeating: 0, count: Self.slots / 64)
        tick = now >> Self.shift
    }

    /// Lets every channel go and frees the memory.
    package mutating func tearDown() {
        for slot in 0..<Self.slots {
            while let head = unsafe heads[slot] { unsafe head._withUnsafeGuaranteedRef { disarm($0) } }
        }
        unsafe heads.deallocate()
    }

    /// Makes sure that the wheel meets `channel` no later than its deadline.
    package mutating func arm(_ channel: Channel) {
        let due = (channel.deadline >> Self.shift) &+ 1
        let reach = min(max(due, tick &+ 1), tick &+ UInt64(Self.slots - 1))
        let slot = Int(reach) & (Self.slots - 1)
        if channel.slot >= 0 {
            // Distance from the current tick, around the wheel.
            let standing = (channel.slot &- Int(truncatingIfNeeded: tick)) & (Self.slots - 1)
            let wanted = (slot &- Int(truncatingIfNeeded: tick)) & (Self.slots - 1)
            if standing <= wanted { return }
            disarm(channel)
        }
        link(channel, slot)
    }

    private mutating func link(_ channel: Channel, _ slot: Int) {
        let entry = unsafe Unmanaged.passRetained(channel)
        channel.slot = slot
        unsafe channel.previousInSlot = nil
        unsafe channel.nextInSlot = heads[slot]
        if let next = unsafe heads[slot] { unsafe next._withUnsafeGuaranteedRef { unsafe $0.previousInSlot = entry } }
        unsafe heads[slot] = entry
        occupied[slot >> 6] |= 1 << UInt64(slot & 63)
    }

    package mutating func disarm(_ channel: Channel) {
        let slot = channel.slot
        guard slot >= 0 else { return }
        let next = unsafe channel.nextInSlot
        let previous = unsafe channel.previousInSlot
        if let next = unsafe next { unsafe next._withUnsafeGuaranteedRef { unsafe $0.previousInSlot = previous } }
        if let previous = unsafe previous {
            unsafe previous._withUnsafeGuaranteedRef { unsafe $0.nextInSlot = next }
        } else {
            unsafe heads[slot] = next
            if unsafe next == nil { occupied[slot >> 6] &= ~(1 << UInt64(slot & 63)) }
        }
        unsafe channel.nextInSlot = nil
        unsafe channel.previousInSlot = nil
        channel.slot = -1
        unsafe Unmanaged.passUnretained(channel).release()
    }

    /// Takes one channel whose slot has come out of the wheel, or returns nil when time is served up to `now`.
    /// The caller decides by `deadline` whether it is due or goes back in.
    package mutating func next(now: UInt64) -> Channel? {
        let target = now >> Self.shift
        while tick < target {
            let slot = Int(tick &+ 1) & (Self.slots - 1)
            if let head = unsafe heads[slot] {
                let channel = unsafe head.takeUnretainedValue()
                disarm(channel)
                return channel
            }
            tick &+= 1
        }
        return nil
    }

    /// Milliseconds until the next occupied slot; -1 when none of the next 64 (1.07 s) is: the heartbeat, once a second, has
    /// the worker ask again before it can be late.
    package func timeout(now: UInt64) -> CInt {
        // The next 64 slots as one word, the nearest in the lowest bit.
        let first = Int(truncatingIfNeeded: tick &+ 1) & (Self.slots - 1)
        let (word, shift) = (first >> 6, UInt64(first & 63))
        let words = Self.slots / 64
        var near = occupied[word] >> shift
        if shift > 0 { near |= occupied[(word + 1) & (words - 1)] << (64 - shift) }
        guard near == 0 else {
            let due = (tick &+ 1 &+ UInt64(near.trailingZeroBitCount)) << Self.shift
            return due <= now ? 0 : CInt(min((due &- now) / 1_000_000 + 1, 1_000))
        }
        return -1
    }
}
