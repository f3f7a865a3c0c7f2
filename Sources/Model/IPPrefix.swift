/// An address range: the first `length` bits of `address`, the rest of which are zero.
package struct IPPrefix: Hashable, Sendable, CustomStringConvertible {
    package let address: IPAddress
    /// 0 ... 32 or 128.
    package let length: Int

    /// Clears the host bits of `address`; `length` is clamped to the family's width.
    package init(_ address: IPAddress, length: Int) {
        let length = min(max(length, 0), address.family.bits)
        self.length = length
        let high = length >= 64 ? UInt64.max : length == 0 ? 0 : UInt64.max << UInt64(64 - length)
        let low = length <= 64 ? 0 : UInt64.max << UInt64(128 - length)
        self.address = IPAddress(family: address.family, high: address.high & high, low: address.low & low)
    }

    /// Reads `10.0.0.0/8`, `2001:db8::/32` or a bare address (its full width).
    /// Nil when it is neither or has bits set behind its length.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let head = parts.first, let address = IPAddress(head) else { return nil }
        guard parts.count == 2 else {
            self.init(address, length: address.family.bits)
            return
        }
        guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let length = Int(parts[1]), length <= address.family.bits
        else { return nil }
        self.init(address, length: length)
        guard self.address == address else { return nil }
    }

    package func contains(_ other: IPAddress) -> Bool {
        other.family == address.family && IPPrefix(other, length: length).address == address
    }

    package var description: String { "\(address)/\(length)" }
}
