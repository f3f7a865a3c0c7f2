import Geo
import Model

/// A `geo` or `prefix` step with the maps it consults.
struct GeoQuestion: Sendable {
    /// The candidates to try for one kind of client, the nearest first: the longest prefix, the prefixes around it, the
    /// network, the city, the subdivision, the country, the continent, the default. The first list of which anybody is
    /// left decides.
    typealias Preference = [[Int]]

    /// Client → position in `preferences`.
    let table: PrefixTable
    /// The same for clients known by a prefix only, without the rules that are longer than each of the bounds.
    let coarse: [PrefixTable]
    let preferences: [Preference]
    let fence: SteeringStep.Fence
    private let step: SteeringStep.GeoStep
    private let locations: LocationTable?
    /// Client → position in `chains`.
    private let prefixes: PrefixTable
    /// Prefixes that hold a client, the longest first. The first chain is empty.
    private let chains: [[IPPrefix]]

    init(step: SteeringStep.GeoStep, locations: LocationTable?, bounds: [SourceBound]) {
        self.step = step
        fence = step.fence
        // A step that asks for no place would only be cut into finer pieces by them.
        self.locations = step.asksPlaces ? locations : nil
        (prefixes, chains) = Self.chains(of: step.prefixes.keys)
        let rules =
            [(prefixes, chains)]
            + bounds.map { bound in Self.chains(of: step.prefixes.keys.filter(bound.holds)) }
        var interner = Interner<Preference>()
        guard let locations, step.asksPlaces else {
            let tables = rules.map { prefixes, chains in
                prefixes.mapped { chain in
                    interner.position(of: Self.lists(step, chain: chains[Int(chain)], around: []).map(\.candidates))
                }
            }
            table = tables[0]
            coarse = Array(tables.dropFirst())
            preferences = interner.values
            return
        }
        // Millions of ranges lie in some hundred regions that the step knows: each pair is worked out once.
        let (places, regions) = locations.classes(asksNetworks: !step.networks.isEmpty) { place in
            Self.regions(of: place, in: locations, step)
        }
        let tables = rules.map { prefixes, chains in
            var known: [UInt64: UInt32] = [:]
            return prefixes.combined(with: places) { chain, place in
                let pair = UInt64(chain) << 32 | UInt64(place)
                if let position = known[pair] { return position }
                let lists = Self.lists(step, chain: chains[Int(chain)], around: regions[Int(place)])
                let position = interner.position(of: lists.map(\.candidates))
                known[pair] = position
                return position
            }
        }
        table = tables[0]
        coarse = Array(tables.dropFirst())
        preferences = interner.values
    }

    init(step: SteeringStep.PrefixStep, bounds: [SourceBound] = []) {
        self.init(
            step: SteeringStep.GeoStep(
                prefixes: step.prefixes, countries: [:], continents: [:], otherwise: step.otherwise,
                fence: step.fence),
            locations: nil, bounds: bounds)
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

    /// What a list of candidates stands for.
    private enum Region: Hashable {
        case prefix(IPPrefix)
        case network(UInt32)
        case city(String)
        case subdivision(String)
        case country(String)
        case continent(String)
        case otherwise
    }

    /// The regions around a place that the step knows, the smallest first.
    private static func regions(
        of place: Place, in locations: LocationTable, _ step: SteeringStep.GeoStep
    ) -> [Region] {
        var regions: [Region] = []
        if place.asn != 0, step.networks[place.asn] != nil { regions.append(.network(place.asn)) }
        let subdivisions = place.subdivisions
        if !step.cities.isEmpty, let city = locations.cityName(of: place) {
            for around in subdivisions + [place.country].compactMap(\.self)
            where step.cities["\(around)/\(city)"] != nil {
                regions.append(.city("\(around)/\(city)"))
            }
        }
        for code in subdivisions where step.subdivisions[code] != nil { regions.append(.subdivision(code)) }
        if let country = place.country, step.countries[country] != nil { regions.append(.country(country)) }
        if let continent = place.continent, step.continents[continent] != nil { regions.append(.continent(continent)) }
        return regions
    }

    /// The lists to try, the nearest first, each with what it stands for.
    private static func lists(
        _ step: SteeringStep.GeoStep, chain: [IPPrefix], around regions: [Region]
    ) -> [(candidates: [Int], region: Region)] {
        var lists = chain.map { (step.prefixes[$0] ?? [], Region.prefix($0)) }
        for region in regions {
            let candidates =
                switch region {
                case .network(let number): step.networks[number]
                case .city(let city): step.cities[city]
                case .subdivision(let code): step.subdivisions[code]
                case .country(let code): step.countries[code]
                case .continent(let code): step.continents[code]
                case .prefix, .otherwise: [Int]?.none
                }
            if let candidates { lists.append((candidates, region)) }
        }
        if !step.otherwise.isEmpty { lists.append((step.otherwise, .otherwise)) }
        return lists
    }

    /// Which of its lists the step took for `client`, in words. `list` is the position in the client's preference that
    /// decided, nil when none did; `isLast` when it did for want of anybody who is left.
    ///
    /// `source`: bits of the client's address that are known.
    func fact(for client: IPAddress, source: Int, list: Int?, isLast: Bool) -> String {
        let chain = chains[Int(prefixes.lookup(client).value)].filter { $0.length <= source }
        var whereabouts = ""
        var regions: [Region] = []
        if let locations {
            let (place, width) = locations.place(of: client)
            let text = place.text(city: locations.cityName(of: place))
            whereabouts =
                text.isEmpty
                ? "; the place of \(client) is unknown" : "; \(IPPrefix(client, length: width)) is in \(text)"
            regions = Self.regions(of: place, in: locations, step)
        }
        let lists = Self.lists(step, chain: chain, around: regions)
        guard let list else {
            let why = lists.isEmpty ? "nothing matches the client" : "no matching candidate is left"
            return why + (fence == .absent ? "" : ", and the default is none") + whereabouts
        }
        let rule =
            switch lists[list].region {
            case .prefix(let prefix): "prefix \(prefix)"
            case .network(let number): "network AS\(number)"
            case .city(let city): "city \(city)"
            case .subdivision(let code): "subdivision \(code)"
            case .country(let country): "country \(country)"
            case .continent(let continent): "continent \(continent)"
            case .otherwise: "default"
            }
        return rule + (isLast ? ", since nobody of any list is left" : "") + whereabouts
    }
}
