import Model

/// The sessions of clients that have not proved who they are, in order of arrival, as a whole and by source.
struct Strangers {
    private var order: [UInt64] = []
    /// Entries before this are gone.
    private var head = 0
    private var bySource: [IPAddress: [UInt64]] = [:]
    private var sources: [UInt64: IPAddress] = [:]

    /// What counts as one source: an IPv4 address, or the /64 that one IPv6 customer has.
    static func source(_ address: IPAddress) -> IPAddress {
        let canonical = address.canonical
        return canonical.family == .v4 ? canonical : IPPrefix(canonical, length: 64).address
    }

    mutating func add(_ session: UInt64, from source: IPAddress) {
        order.append(session)
        sources[session] = source
        bySource[source, default: []].append(session)
    }

    /// It is gone, or a stranger no more. A second call does nothing.
    mutating func remove(_ session: UInt64) {
        guard let source = sources.removeValue(forKey: session) else { return }
        bySource[source]?.removeAll { $0 == session }
        if bySource[source]?.isEmpty == true { bySource[source] = nil }
        while head < order.count, sources[order[head]] == nil { head += 1 }
        // Those that left from the middle stay until it is worth moving the others.
        if order.count - head > 2 * sources.count + 64 || head > 1024 {
            order = order[head...].filter { sources[$0] != nil }
            head = 0
        }
    }

    func count(of source: IPAddress) -> Int { bySource[source]?.count ?? 0 }

    /// The one that has been here longest, of those of `source` or of all, and that `mayGo`.
    func oldest(of source: IPAddress, _ mayGo: (UInt64) -> Bool) -> UInt64? { bySource[source]?.first(where: mayGo) }

    func oldest(_ mayGo: (UInt64) -> Bool) -> UInt64? { order[head...].first { sources[$0] != nil && mayGo($0) } }
}
