/// SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash of 64 bits for short messages.
package struct SipHash {
    private var v0: UInt64
    private var v1: UInt64
    private var v2: UInt64
    private var v3: UInt64
    private var length: UInt64 = 0

    package init(_ key: SipKey) {
        v0 = key.low ^ 0x736f_6d65_7073_6575
        v1 = key.high ^ 0x646f_7261_6e64_6f6d
        v2 = key.low ^ 0x6c79_6765_6e65_7261
        v3 = key.high ^ 0x7465_6462_7974_6573
    }

    /// Takes eight octets, the first in the lowest bits. Whole words come before `finish`.
    package mutating func add(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
        length &+= 8
    }

    /// The hash, with the last `count` octets (0 ... 7) of the message in the low bits of `rest`, the others zero.
    package mutating func finish(_ rest: UInt64, count: UInt64) -> UInt64 {
        let last = (length &+ count) << 56 | rest
        v3 ^= last
        round()
        round()
        v0 ^= last
        v2 ^= 0xff
        for _ in 0..<4 { round() }
        return v0 ^ v1 ^ v2 ^ v3
    }

    private mutating func round() {
        v0 = v0 &+ v1
        v1 = (v1 << 13 | v1 >> 51) ^ v0
        v0 = v0 << 32 | v0 >> 32
        v2 = v2 &+ v3
        v3 = (v3 << 16 | v3 >> 48) ^ v2
        v0 = v0 &+ v3
        v3 = (v3 << 21 | v3 >> 43) ^ v0
        v2 = v2 &+ v1
        v1 = (v1 << 17 | v1 >> 47) ^ v2
        v2 = v2 << 32 | v2 >> 32
    }
}

/// A key of 128 bits.
package struct SipKey: Sendable, Hashable {
    package let low: UInt64
    package let high: UInt64

    package init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// Reads 32 hexadecimal digits, as BIND, Knot and NSD write cookie secrets. Nil for anything else.
    package init?(hex: some StringProtocol) {
        guard hex.utf8.count == 32 else { return nil }
        var octets: [UInt64] = []
        var digits = Array(hex.utf8)[...]
        while let text = String(bytes: digits.prefix(2)), !digits.isEmpty {
            guard text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
                let octet = UInt64(text, radix: 16)
            else { return nil }
            octets.append(octet)
            digits = digits.dropFirst(2)
        }
        low = octets[..<8].reversed().reduce(0) { $0 << 8 | $1 }
        high = octets[8...].reversed().reduce(0) { $0 << 8 | $1 }
    }
}

extension String {
    fileprivate init?(bytes: ArraySlice<UInt8>) { self.init(validating: bytes, as: UTF8.self) }
}
