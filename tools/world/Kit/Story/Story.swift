import ControlPlane
import Model

/// The failover story of the quickstart world, played with `dig`, `curl`, `psql` and signals. Each observation has a limit;
/// the first one that is not made ends the story.
package struct Story: Sendable {
    package struct NotObserved: Error, CustomStringConvertible {
        package let description: String
    }

    package let world: World
    package let timeline: Timeline
    let users: Users

    /// What the topology's checks promise: failing checks are found within interval × fall, and one second for the rest.
    let detection: Duration
    /// Coming back takes interval × rise, one interval more when a check just missed the start, and one second for the rest.
    let recovery: Duration
    /// A goodbye is heard at once.
    let goodbye = Duration.milliseconds(500)

    /// - Parameters:
    ///   - world: Started.
    ///   - timeline: Takes what is observed.
    /// - Throws: `NotObserved` when the world is not the quickstart's.
    package init(_ world: World, timeline: Timeline) async throws {
        self.world = world
        self.timeline = timeline
        let snapshot = world.snapshot
        guard let resolver = snapshot.nodes.first(where: { $0.tier == .dns }),
            let name = snapshot.dns.zones.first?.names.first, let check = name.check
        else { throw NotObserved(description: "the topology has no DNS node with a checked name") }
        users = Users(folder: world.folder, resolver: SocketAddress(resolver.address, port: snapshot.dns.port))
        detection = check.interval * check.fall + .seconds(1)
        recovery = check.interval * (check.rise + 1) + .seconds(1)
    }

    /// Plays all six chapters.
    ///
    /// - Throws: `NotObserved` at the first observation that is not made.
    package func play() async throws {
        try await everyoneIsServedAtHome()
        try await oneBackendDies()
        try await oneRegionDiesAndReturns()
        try await oneDatabaseLosesItsPrimary()
        try await everyRegionDies()
    }

    // MARK: Observing

    /// Asks until the answer is yes.
    ///
    /// - Parameters:
    ///   - step: The chapter.
    ///   - text: What is to be observed.
    ///   - limit: Not later than this.
    ///   - start: Counted from here; now by default.
    ///   - condition: Asked again and again.
    /// - Returns: How long it took.
    /// - Throws: `NotObserved`, or what `condition` throws.
    @discardableResult
    func observe(
        _ step: Int, _ text: String, within limit: Duration, since start: ContinuousClock.Instant = .now,
        _ condition: () async throws -> Bool
    ) async throws -> Duration {
        while true {
            let holds = try await condition()
            // Counted until the answer is here, the time of dig or curl included.
            let took = ContinuousClock.now - start
            if holds, took <= limit {
                timeline.note(step, text, took: took, limit: limit)
                return took
            }
            if took > limit {
                timeline.note(step, text, took: took, limit: limit, passed: false)
                throw NotObserved(description: text)
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// One question whose answer must be yes now.
    func expect(_ step: Int, _ text: String, _ holds: Bool) throws {
        timeline.note(step, text, passed: holds)
        if !holds { throw NotObserved(description: text) }
    }

    // MARK: The places of the quickstart

    struct Place: Sendable {
        let region: String
        /// Clients here belong to the region by `locations.csv`; the third octet is free.
        let network: String
        let address: IPAddress

        /// One of 128 client networks of the place: 0 ... 127.
        func subnet(_ index: Int = 0) -> String { "\(network).\(index).0/24" }

        /// A client address.
        var client: String { "\(network).0.1" }
    }

    func place(_ region: String) throws -> Place {
        let networks = ["us-east": "10.1", "eu-west": "10.2", "ap-south": "10.3"]
        let snapshot = world.snapshot
        guard let network = networks[region], let id = snapshot.region(named: region),
            let address = snapshot[id].address
        else { throw NotObserved(description: "the topology has no region \(region)") }
        return Place(region: region, network: network, address: address)
    }

    var places: [Place] {
        get throws { try world.snapshot.regions.map { try place($0.name) } }
    }

    /// Where `www.shop.test` sends a client of `place`.
    func home(of place: Place, subnet index: Int = 0) async throws -> [String] {
        try await users.dig("www.shop.test", subnet: place.subnet(index))
    }

    var http: UInt16 { world.snapshot.http.listeners.first?.port ?? 8080 }

    func tcp(_ role: Role) -> UInt16 { world.snapshot.tcp.listeners.first { $0.role == role }?.port ?? 0 }

    func node(_ tier: Tier, in region: String) -> String {
        world.snapshot.nodes.first { $0.tier == tier && world.snapshot[$0.region].name == region }?.name ?? ""
    }

    var resolver: String { world.snapshot.nodes.first { $0.tier == .dns }?.name ?? "" }

    /// The first endpoint of a pool in a region: for databases it is the primary.
    func endpoint(_ pool: String, in region: String) throws -> SocketAddress {
        let snapshot = world.snapshot
        guard let index = snapshot.pools.firstIndex(where: { $0.name == pool }),
            let id = snapshot.region(named: region),
            let endpoint = snapshot.endpoints(of: PoolID(index), in: id).first
        else { throw NotObserved(description: "the topology has no \(pool) in \(region)") }
        return snapshot[endpoint].address
    }

    /// What a node says of its own pool.
    func pool(_ name: String, at node: String) async -> StatusValue {
        await world.status(of: node)?["pools"].array.first { $0["pool"].string == name } ?? .null
    }
}
