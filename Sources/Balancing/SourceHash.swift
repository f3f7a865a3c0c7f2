package import Model

/// A client keeps its endpoint: consistent hashing of the client's address with Maglev's lookup table (Eisenbud et al.,
/// "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016, section 3.4), weighted as Envoy does it.
///
/// Nodes with the same endpoints build the same table, whatever the order in which they list them. An endpoint that is
/// down leaves the table as it is: its clients, and only they, go on to the next usable entry, which is spread over the
/// others; they return with it. A change of membership moves the clients of the changed endpoint and few others.
package struct SourceHash: Sendable, Hashable {
    /// Entries of the table, a prime. With 100 entries per endpoint shares err by about 1%, so this serves 655 endpoints;
    /// the size is the same for every pool since a different one would move every client.
    package static let size = 65537

    /// Positions of endpoints; empty when no endpoint has a weight.
    package let table: [UInt16]
    private let keys: [UInt64]

    private struct Member {
        let position: Int
        let weight: Int
        let skip: Int
        var next: Int
        var target = 0
    }

    /// - Parameters:
    ///   - keys: what identifies each endpoint on every node, usually `key(of:)` its address. They should be distinct.
    ///   - weights: 0 ... 65535, as many as `keys`.
    package init(keys: [UInt64], weights: [Int]) {
        self.init(keys: keys, weights: weights, size: Self.size)
    }

    /// `size` is a prime: smaller ones are for tests.
    init(keys: [UInt64], weights: [Int], size: Int) {
        self.keys = keys
        let order = keys.indices.filter { weights[$0] > 0 }.sorted { keys[$0] < keys[$1] }
        guard let heaviest = order.map({ weights[$0] }).max() else {
            table = []
            return
        }
        var members = order.map { position in
            Member(
                position: position, weight: weights[position],
                skip: Int(truncatingIfNeeded: Self.mixed(keys[position] ^ Self.skipSeed) % UInt64(size - 1)) + 1,
                next: Int(truncatingIfNeeded: Self.mixed(keys[position] ^ Self.offsetSeed) % UInt64(size)))
        }
        let vacant = UInt16.max
        var table = Array(repeating: vacant, count: size)
        var filled = 0
        var round = 0
        while filled < size {
            round += 1
            // An endpoint with half of the heaviest weight takes an entry every second round.
            for index in members.indices where round * members[index].weight >= members[index].target {
                members[index].target += heaviest
                var entry = members[index].next
                while table[entry] != vacant { entry = Self.step(entry, members[index].skip, size) }
                table[entry] = UInt16(truncatingIfNeeded: members[index].position)
                members[index].next = Self.step(entry, members[index].skip, size)
                filled += 1
                if filled == size { break }
            }
        }
        self.table = table
    }

    /// The position of the endpoint that `source` belongs to, or of the one that stands in for it; nil when none is
    /// usable.
    package func pick(among view: some EndpointView, source: UInt64) -> Int? {
        guard !table.isEmpty else { return nil }
        let home = Int(truncatingIfNeeded: source % UInt64(truncatingIfNeeded: table.count))
        var entry = home
        // Neighbouring entries belong to independent endpoints: 64 of them miss only when hardly any is usable.
        for _ in 0..<min(64, table.count) {
            let position = Int(table[entry])
            if view.usable(position) { return position }
            entry += 1
            if entry == table.count { entry = 0 }
        }
        return fallback(among: view, source: source)
    }

    /// Highest random weight over the usable endpoints (Thaler and Ravishankar, 1998), for a pool that is nearly gone.
    private func fallback(among view: some EndpointView, source: UInt64) -> Int? {
        var best: (position: Int, score: UInt64)?
        for position in 0..<view.count where view.usable(position) && view.weight(position) > 0 {
            let score = Self.mixed(source ^ keys[position])
            if score >= best?.score ?? 0 { best = (position, score) }
        }
        return best?.position
    }

    /// A number for a client: equal addresses have equal numbers on every node and after every restart.
    package static func source(_ address: IPAddress) -> UInt64 {
        let canonical = address.canonical
        return mixed(canonical.high ^ mixed(canonical.low &+ UInt64(canonical.family.rawValue)))
    }

    /// A number for an endpoint: equal addresses have equal numbers on every node and after every restart.
    package static func key(of address: SocketAddress) -> UInt64 {
        mixed(source(address.address) ^ UInt64(address.port))
    }

    private static let offsetSeed: UInt64 = 0x8f5c_28f5_c28f_5c29
    private static let skipSeed: UInt64 = 0x51eb_851e_b851_eb85

    private static func step(_ entry: Int, _ skip: Int, _ size: Int) -> Int {
        let next = entry + skip
        return next >= size ? next - size : next
    }

    /// The finaliser of SplitMix64: every input bit reaches every output bit.
    private static func mixed(_ value: UInt64) -> UInt64 {
        var mixed = value &+ 0x9e37_79b9_7f4a_7c15
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
