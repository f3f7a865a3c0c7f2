/// An IPv4 or IPv6 address. IPv4 sits in the upper 32 bits of `high`, so that a prefix of either family counts its bits
/// from the same end.
package struct IPAddress: Hashable, Sendable, Comparable {
    package enum Family: UInt8, Sendable, Hashable, CaseIterable {
        case v4 = 4
        case v6 = 6

        /// Bits in an address of this family: 32 or 128.
        package var bits: Int { self == .v4 ? 32 : 128 }
    }

    package let family: Family
    package let high: UInt64
    package let low: UInt64

    package init(family: Family, high: UInt64, low: UInt64) {
        self.family = family
        self.high = high
        self.low = low
    }

    /// - Parameter v4: the address in host byte order, `127.0.0.1` being `0x7f000001`.
    package init(v4: UInt32) {
        self.init(family: .v4, high: UInt64(v4) << 32, low: 0)
    }

    package init(v6 high: UInt64, _ low: UInt64) {
        self.init(family: .v6, high: high, low: low)
    }

    /// The IPv4 address in host byte order; only meaningful when `family` is `.v4`.
    package var v4: UInt32 { UInt32(truncatingIfNeeded: high >> 32) }

    /// The IPv4 address inside `::ffff:0:0/96` (RFC 4291 section 2.5.5.2) as itself, everything else unchanged.
    package var canonical: IPAddress {
        guard family == .v6, high == 0, low >> 32 == 0xffff else { return self }
        return IPAddress(v4: UInt32(truncatingIfNeeded: low))
    }

    /// `0.0.0.0` or `::`.
    package var isUnspecified: Bool { high == 0 && low == 0 }

    /// `127.0.0.0/8` or `::1`, also in the IPv4-mapped form.
    package var isLoopback: Bool {
        let address = canonical
        return address.family == .v4 ? address.v4 >> 24 == 127 : address.high == 0 && address.low == 1
    }

    /// The bytes in network order: 4 or 16 of them.
    package var bytes: [UInt8] {
        let count = family.bits / 8
        return (0..<count).map { byte(at: $0) }
    }

    /// Byte `index` (0 ..< 4 or 16) in network order.
    package func byte(at index: Int) -> UInt8 {
        let word = index < 8 ? high : low
        return UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * (index & 7)))
    }

    /// Bit `index` counted from the most significant: 0 ..< 32 or 128.
    package func bit(at index: Int) -> Bool {
        let word = index < 64 ? high : low
        return word >> UInt64(63 - (index & 63)) & 1 == 1
    }

    package static func < (left: Self, right: Self) -> Bool {
        if left.family != right.family { return left.family == .v4 }
        return left.high != right.high ? left.high < right.high : left.low < right.low
    }
}

/// An address and a port: where something listens.
package struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    package let address: IPAddress
    package let port: UInt16

    package init(_ address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    /// Reads `127.0.0.1:80` or `[::1]:80`. Nil when `text` is neither.
    package init?(_ text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.first == "[", host.last == "]" {
            host = host.dropFirst().dropLast()
            guard let address = IPAddress(host), address.family == .v6 else { return nil }
            self.init(address, port: port)
        } else {
            guard let address = IPAddress(host), address.family == .v4 else { return nil }
            self.init(address, port: port)
        }
    }

    package var description: String {
        address.family == .v4 ? "\(address):\(port)" : "[\(address)]:\(port)"
    }
}
