import Model
import TestKit

/// Addresses and prefixes crowded into little space, so that they nest, touch and repeat.
enum RandomAddresses {
    static func entries(using generator: inout SeededGenerator) -> [(prefix: IPPrefix, value: UInt32)] {
        let count = Int.random(in: 0...60, using: &generator)
        return (0..<count).map { _ in
            (prefix(using: &generator), UInt32.random(in: 0...5, using: &generator))
        }
    }

    static func prefix(using generator: inout SeededGenerator) -> IPPrefix {
        let address = address(using: &generator)
        return IPPrefix(address, length: Int.random(in: 0...address.family.bits, using: &generator))
    }

    static func address(using generator: inout SeededGenerator) -> IPAddress {
        let few: [UInt8] = [0, 0, 1, 10, 127, 128, 255]
        var high: UInt64 = 0
        var low: UInt64 = 0
        for _ in 0..<8 {
            high = high << 8 | UInt64(few.randomElement(using: &generator) ?? 0)
            low = low << 8 | UInt64(few.randomElement(using: &generator) ?? 0)
        }
        return Bool.random(using: &generator)
            ? IPAddress(v4: UInt32(truncatingIfNeeded: high)) : IPAddress(v6: high, low)
    }

    /// Any address of `prefix`.
    static func address(in prefix: IPPrefix, using generator: inout SeededGenerator) -> IPAddress {
        let noise = IPAddress(
            family: prefix.address.family, high: generator.next(), low: generator.next())
        let masked = IPPrefix(noise, length: prefix.length).address
        let width: UInt64 = prefix.address.family == .v4 ? 0xffff_ffff << 32 : .max
        return IPAddress(
            family: prefix.address.family, high: (prefix.address.high | (noise.high ^ masked.high)) & width,
            low: prefix.address.family == .v4 ? 0 : prefix.address.low | (noise.low ^ masked.low))
    }

    /// The first and the last address of `prefix` and those just outside it.
    static func edges(of prefix: IPPrefix) -> [IPAddress] {
        let family = prefix.address.family
        let bits = UInt128(prefix.address.high) << 64 | UInt128(prefix.address.low)
        let host = prefix.length == 0 ? UInt128.max : ~(UInt128.max << (128 - prefix.length))
        let one: UInt128 = family == .v4 ? 1 << 96 : 1
        let (first, last) = (bits, family == .v4 ? (bits | host) & (UInt128.max << 96) : bits | host)
        return [first, last, first &- one, last &+ one].map {
            IPAddress(family: family, high: UInt64(truncatingIfNeeded: $0 >> 64), low: UInt64(truncatingIfNeeded: $0))
        }
    }

    /// Addresses in, at the edges of and far from `prefixes`.
    static func probes(_ prefixes: [IPPrefix], using generator: inout SeededGenerator) -> [IPAddress] {
        var probes = prefixes.flatMap(edges)
        for prefix in prefixes { probes.append(address(in: prefix, using: &generator)) }
        for _ in 0..<40 { probes.append(address(using: &generator)) }
        return probes
    }
}
