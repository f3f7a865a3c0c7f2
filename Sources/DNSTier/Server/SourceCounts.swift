import Model

/// How many connections each source has: an IPv4 address, or an IPv6 /64, which is one customer. Confined to a worker; no
/// larger than the number of its connections.
struct SourceCounts {
    private var counts: [IPAddress: Int] = [:]

    private static func source(_ address: IPAddress) -> IPAddress {
        let address = address.canonical
        return address.family == .v4 ? address : IPPrefix(address, length: 64).address
    }

    /// Counts one more from `address`. False when there are `limit` already.
    mutating func add(_ address: IPAddress, limit: Int) -> Bool {
        let source = Self.source(address)
        let count = counts[source] ?? 0
        guard count < limit else { return false }
        counts[source] = count + 1
        return true
    }

    mutating func remove(_ address: IPAddress) {
        let source = Self.source(address)
        let count = counts[source] ?? 0
        counts[source] = count > 1 ? count - 1 : nil
    }

    var isEmpty: Bool { counts.isEmpty }
}
