import Geo
import Model

/// A `geo` step with the maps it consults.
struct GeoQuestion: Sendable {
    /// The candidates to try for one kind of client, the nearest first: the longest prefix, the prefixes around it, the
    /// country, the continent, the default. The first list of which anybody is left decides.
    typealias Preference = [[Int]]

    /// Client → position in `preferences`.
    let table: PrefixTable
    let preferences: [Preference]
    private let step: SteeringStep.GeoStep
    private let locations: LocationTable?
    /// Client → position in `chains`.
    private let prefixes: PrefixTable
    /// Prefixes that hold a client, the longest first. The first chain is empty.
    private let chains: [[IPPrefix]]

    init(step: SteeringStep.GeoStep, locations: LocationTable?) {
        self.step = step
        // Without countries and continents, places would only cut the address space into finer pieces.
        let asksPlaces = !step.countries.isEmpty || !step.continents.isEmpty
        self.locations = asksPlaces ? locations : nil
        (prefixes, chains) = Self.chains(of: step.prefixes.keys)
        var interner = Interner<Preference>()
        guard let locations, asksPlaces else {
            let chains = chains
            table = prefixes.mapped { chain in
                interner.position(of: Self.lists(step, chain: chains[Int(chain)], place: .unknown).map(\.candidates))
            }
            preferences = interner.values
            return
        }
        // Millions of ranges lie in some hundred places: each pair is worked out once.
        var known: [UInt64: UInt32] = [:]
        let chains = chains
        table = prefixes.combined(with: locations.prefixes) { chain, place in
            let pair = UInt64(chain) << 32 | UInt64(place)
            if let position = known[pair] { return position }
            let lists = Self.lists(step, chain: chains[Int(chain)], place: locations.places[Int(place)])
            let position = interner.position(of: lists.map(\.candidates))
            known[pair] = position
            return position
        }
        preferences = interner.values
    }

    /// For each way in which prefixes nest, the chain of those that hold a client.
    private static func chains(of prefixes: some Sequence<IPPrefix>) -> (PrefixTable, [[IPPrefix]]) {
        let sorted = prefixes.sorted {
            $0.address != $1.address ? $0.address < $1.address : $0.length < $1.length
        }
        var chains: [[IPPrefix]] = [[]]
        var entries: [(prefix: IPPrefix, value: UInt32)] = []
        var open: [IPPrefix] = []
        for prefix in sorted {
            while let last = open.last, !last.contains(prefix.address) { open.removeLast() }
            open.append(prefix)
            entries.append((prefix, UInt32(chains.count)))
            chains.append(open.reversed())
        }
        return (PrefixTable(entries, otherwise: 0), chains)
    }

    /// The lists to try, the nearest first, each with the fact it stands for.
    private static func lists(
        _ step: SteeringStep.GeoStep, chain: [IPPrefix], place: Place
    ) -> [(candidates: [Int], fact: Fact)] {
        var lists: [(candidates: [Int], fact: Fact)] = []
        for prefix in chain {
            if let candidates = step.prefixes[prefix] { lists.append((candidates, .prefix(prefix))) }
        }
        if let country = place.country, let candidates = step.countries[country] {
            lists.append((candidates, .country(country)))
        }
        if let continent = place.continent, let candidates = step.continents[continent] {
            lists.append((candidates, .continent(continent)))
        }
        if !step.otherwise.isEmpty { lists.append((step.otherwise, .otherwise)) }
        return lists
    }

    private enum Fact {
        case prefix(IPPrefix)
        case country(String)
        case continent(String)
        case otherwise
    }

    /// Which of its lists the step took for `client`, in words. `list` is the position in the client's preference that
    /// decided, nil when none did.
    func fact(for client: IPAddress, list: Int?) -> String {
        let chain = chains[Int(prefixes.lookup(client).value)]
        let located = locations?.place(of: client)
        let whereabouts: String
        if let (place, width) = located, place != .unknown {
            let parts = [place.country, place.continent].compactMap { $0 }.joined(separator: " in ")
            whereabouts = "\(IPPrefix(client, length: width)) is in \(parts)"
        } else {
            whereabouts = locations == nil ? "" : "the place of \(client) is unknown"
        }
        let lists = Self.lists(step, chain: chain, place: located?.place ?? .unknown)
        guard let list else {
            let why = lists.isEmpty ? "nothing matches the client" : "no matching candidate is left"
            return whereabouts.isEmpty ? why : "\(why); \(whereabouts)"
        }
        let rule =
            switch lists[list].fact {
            case .prefix(let prefix): "prefix \(prefix)"
            case .country(let country): "country \(country)"
            case .continent(let continent): "continent \(continent)"
            case .otherwise: "default"
            }
        return whereabouts.isEmpty ? rule : "\(rule); \(whereabouts)"
    }
}
