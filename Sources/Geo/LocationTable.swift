package import Model

/// Client prefix → place.
///
/// What a steering step asks of it is nearly always coarser than what it holds: `classes(by:)` cuts the address space by the
/// part that matters (a country, the order of regions by distance) and asks for it once for each distinct place.
package struct LocationTable: Sendable {
    /// Values are positions in `places`.
    package let prefixes: PrefixTable
    /// Distinct; the first one is `Place.unknown`. Their `asn` is 0: it stands in `networks`.
    package let places: [Place]
    /// By `Place.city`; the first one is empty. Names that several cities share stand here once.
    package let cityNames: [String]
    /// Values are AS numbers, 0 where unknown.
    package let networks: PrefixTable

    package init(
        prefixes: PrefixTable, places: [Place], cityNames: [String] = [""],
        networks: PrefixTable = PrefixTable(everywhere: 0)
    ) {
        self.prefixes = prefixes
        self.places = places
        self.cityNames = cityNames
        self.networks = networks
    }

    /// Whether it knows no client's place.
    package var isEmpty: Bool { places.count <= 1 }

    /// The place of `address` and the width of the widest prefix around it that lies in that one place and network.
    package func place(of address: IPAddress) -> (place: Place, width: Int) {
        let match = prefixes.lookup(address)
        let network = networks.lookup(address)
        return (places[Int(match.value)].announced(by: network.value), max(match.width, network.width))
    }

    /// The name of the place's city, in English.
    package func cityName(of place: Place) -> String? {
        guard place.city != 0, place.city < cityNames.count else { return nil }
        return cityNames[Int(place.city)]
    }

    /// Cuts the address space by what `key` says of places.
    ///
    /// ```swift
    /// let byCountry = locations.classes { $0.country }
    /// let country = byCountry.keys[Int(byCountry.table.lookup(client).value)]
    /// ```
    /// Clients whose places have equal keys are one class, so that the table has as few ranges as the question allows and
    /// its widths are as wide as they may be.
    ///
    /// - Parameters:
    ///   - asksNetworks: whether `key` looks at `asn`. Without it, networks do not cut the address space.
    ///   - key: a function of its argument; called once for each distinct one.
    /// - Returns: a table whose values are positions in `keys`, which are distinct.
    package func classes<Key: Hashable>(
        asksNetworks: Bool = false, by key: (Place) -> Key
    ) -> (table: PrefixTable, keys: [Key]) {
        var interner = KeyInterner<Key>()
        guard asksNetworks else {
            var known = [UInt32?](repeating: nil, count: places.count)
            let table = prefixes.mapped { position in
                if let value = known[Int(position)] { return value }
                let value = interner.position(of: key(places[Int(position)]))
                known[Int(position)] = value
                return value
            }
            return (table, interner.keys)
        }
        var known: [UInt64: UInt32] = [:]
        let table = prefixes.combined(with: networks) { position, asn in
            let pair = UInt64(position) << 32 | UInt64(asn)
            if let value = known[pair] { return value }
            let value = interner.position(of: key(places[Int(position)].announced(by: asn)))
            known[pair] = value
            return value
        }
        return (table, interner.keys)
    }
}

/// Gives each distinct key its position.
struct KeyInterner<Key: Hashable> {
    private(set) var keys: [Key] = []
    private var positions: [Key: UInt32] = [:]

    /// `first`: gets position 0.
    init(first: Key...) {
        for key in first { _ = position(of: key) }
    }

    mutating func position(of key: Key) -> UInt32 {
        if let known = positions[key] { return known }
        let position = UInt32(keys.count)
        keys.append(key)
        positions[key] = position
        return position
    }
}
