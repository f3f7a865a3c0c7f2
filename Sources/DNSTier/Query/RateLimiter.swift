import DNSWire
package import Model

/// Limits how many alike replies go to one neighbourhood of clients, so that a server whose clients' addresses are forged
/// does not flood the true owners of those addresses (the scheme of BIND, NSD and Knot, "DNS Response Rate Limiting",
/// Vixie and Schryver, 2012).
///
/// One belongs to each worker: a table of fixed size without allocation. Replies are alike when they go to the same
/// prefix and are of the same kind; answers with data also have to begin with the same data, so that one busy resolver may
/// ask for many names, while all names of a wildcard count as one.
@safe
package struct RateLimiter {
    package enum Decision: Sendable, Hashable {
        case send
        /// Send the truncated form.
        case slip
        case drop
    }

    /// 16 octets: four share a cache line.
    private struct Entry {
        var tag: UInt32 = 0
        /// Milliseconds of the last reply.
        var time: UInt32 = 0
        /// Thousandths of replies that may still be sent; below zero, the client is over its rate.
        var balance: Int32 = 0
        /// Replies held back since the last one that was let slip.
        var held: UInt32 = 0
    }

    private static let ways = 4

    package let settings: DNSConduct.RateLimit
    private let entries: UnsafeMutablePointer<Entry>
    /// Number of sets less one.
    private let mask: UInt64
    private let seed: UInt64

    /// `seed`: keeps strangers from aiming at an entry. Call `deallocate` at the end.
    package init(_ settings: DNSConduct.RateLimit, seed: UInt64) {
        self.settings = settings
        self.seed = seed
        var size = Self.ways
        while size < settings.tableSize { size *= 2 }
        mask = UInt64(size / Self.ways - 1)
        unsafe entries = .allocate(capacity: size)
        unsafe entries.initialize(repeating: Entry(), count: size)
    }

    package func deallocate() { unsafe entries.deallocate() }

    /// What is to become of `reply`, which has at least a header.
    ///
    /// `now`: monotonic nanoseconds.
    package func decide(_ reply: UnsafeRawBufferPointer, to client: IPAddress, now: UInt64) -> Decision {
        let (kind, rate, detail) = unsafe classify(reply)
        let address = client.canonical
        let length = address.family == .v4 ? settings.v4Length : settings.v6Length
        let prefix = IPPrefix(address, length: length).address
        var hash = FoldedName.mix(seed, prefix.high)
        hash = FoldedName.mix(hash, prefix.low ^ UInt64(address.family.rawValue))
        hash = FoldedName.mix(FoldedName.mix(hash, detail), UInt64(kind))
        let time = UInt32(truncatingIfNeeded: now / 1_000_000)
        let entry = unsafe find(hash, time: time, rate: rate)
        let elapsed = unsafe UInt64(time &- entry.pointee.time)
        let full = Int64(rate) * 1000
        var balance = unsafe min(full, Int64(entry.pointee.balance) + Int64(min(elapsed, 60_000)) * Int64(rate))
        balance = max(balance - 1000, -full * Int64(settings.window))
        unsafe entry.pointee.time = time
        unsafe entry.pointee.balance = Int32(truncatingIfNeeded: balance)
        guard balance < 0, !settings.exempt.contains(where: { $0.contains(address) }) else {
            return .send
        }
        unsafe entry.pointee.held &+= 1
        guard settings.slip > 0, unsafe entry.pointee.held >= UInt32(settings.slip) else { return .drop }
        unsafe entry.pointee.held = 0
        return .slip
    }

    /// The entry with `hash`; the oldest of its set makes way for a new one.
    private func find(_ hash: UInt64, time: UInt32, rate: Int) -> UnsafeMutablePointer<Entry> {
        let set = unsafe entries + Int(hash & mask) * Self.ways
        let tag = UInt32(truncatingIfNeeded: hash >> 32) | 1
        var oldest = unsafe set
        for way in 0..<Self.ways {
            let entry = unsafe set + way
            if unsafe entry.pointee.tag == tag { return unsafe entry }
            if unsafe time &- entry.pointee.time > time &- oldest.pointee.time { unsafe oldest = unsafe entry }
            if unsafe entry.pointee.tag == 0 {
                unsafe oldest = unsafe entry
                break
            }
        }
        unsafe oldest.pointee = Entry(tag: tag, time: time, balance: Int32(rate * 1000), held: 0)
        return unsafe oldest
    }

    private func classify(_ reply: UnsafeRawBufferPointer) -> (kind: UInt8, rate: Int, detail: UInt64) {
        let code = unsafe reply[3] & 15
        let answers = unsafe UInt16(reply[6]) << 8 | UInt16(reply[7])
        if code == 0, answers > 0 { return (0, settings.responses, unsafe firstData(reply)) }
        if code == 3 { return (1, settings.negatives, 0) }
        guard code == 0 else { return (2, settings.errors, 0) }
        // Neither data nor AA: a referral.
        return unsafe reply[2] & 4 == 0 ? (3, settings.responses, 0) : (4, settings.negatives, 0)
    }

    /// The type of the first record behind the question, and the first octets of its data and of all others of that type, in
    /// whatever order they come.
    private func firstData(_ reply: UnsafeRawBufferPointer) -> UInt64 {
        var position = messageHeaderSize
        while position < reply.count, unsafe reply[position] != 0 { position += unsafe Int(reply[position]) + 1 }
        position += 5
        var detail: UInt64 = 0
        var first: UInt16?
        for _ in 0..<(unsafe UInt16(reply[6]) << 8 | UInt16(reply[7])) {
            // An owner is a pointer, or a name that ends with one or with the root.
            while position < reply.count, case let length = unsafe reply[position], length & 0xc0 == 0, length > 0 {
                position += Int(length) + 1
            }
            guard position < reply.count else { break }
            position += unsafe reply[position] == 0 ? 1 : 2
            guard position + 10 <= reply.count else { break }
            let type = unsafe UInt16(reply[position]) << 8 | UInt16(reply[position + 1])
            let length = unsafe Int(reply[position + 8]) << 8 | Int(reply[position + 9])
            position += 10
            first = first ?? type
            if type == first {
                var data = UInt64(type & 0xff)
                for index in position..<min(position + min(length, 7), reply.count) {
                    data = unsafe data << 8 | UInt64(reply[index])
                }
                detail ^= FoldedName.mix(0, data)
            }
            position += length
        }
        return detail
    }
}
