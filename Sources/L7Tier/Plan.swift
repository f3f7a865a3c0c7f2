package import Balancing
import Engine
import HTTPWire
package import Model

/// What one node does under one configuration: compiled, immutable, shared by its workers.
package final class Plan: Sendable {
    package struct Pool: Sendable {
        package let name: String
        package let service: String?
        /// In the node's region, in the order of the policy's positions.
        package let endpoints: [Endpoint]
        package let policy: Policy
        /// Nanoseconds.
        package let connectTimeout: UInt64
        package let responseTimeout: UInt64
        package let idleTimeout: UInt64
        /// Idle connections per worker.
        package let keepalive: Int
        /// How connections on which nothing moves are watched.
        package let watch: Keepalive
        /// Failures in a row at which the control plane is told to look; 0 is never.
        package let ejectionFailures: Int
        /// What counts as one.
        package let ejectionCauses: TrafficFailures
        package let retry: RetryPolicy
    }

    package struct Endpoint: Sendable {
        package let id: EndpointID
        package let address: SocketAddress
        package let weight: Int
    }

    package let snapshot: Snapshot
    package let node: Node
    package let nodeID: NodeID
    package let listeners: [HTTPListener]
    package let routes: [HTTPRoute]
    package let table: RouteTable
    /// By route index: the index in `pools`.
    package let poolOfRoute: [Int]
    /// By route index: the protocols that clients may change to.
    private let upgrades: [[[UInt8]]]
    /// The pools that routes use.
    package let pools: [Pool]

    package init(_ snapshot: Snapshot, node: NodeID) {
        self.snapshot = snapshot
        nodeID = node
        self.node = snapshot[node]
        listeners = snapshot.http.listeners
        routes = snapshot.http.routes
        table = RouteTable(snapshot.http.routes)
        upgrades = snapshot.http.routes.map { $0.upgrades.map { Array($0.utf8) } }
        var indexOf: [PoolID: Int] = [:]
        var pools: [Pool] = []
        let region = snapshot[node].region
        poolOfRoute = snapshot.http.routes.map { route in
            if let index = indexOf[route.pool] { return index }
            indexOf[route.pool] = pools.count
            pools.append(Self.pool(route.pool, in: region, snapshot))
            return pools.count - 1
        }
        self.pools = pools
    }

    private static func pool(_ id: PoolID, in region: RegionID, _ snapshot: Snapshot) -> Pool {
        let pool = snapshot[id]
        let ids = snapshot.endpoints(of: id, in: region)
        return Pool(
            name: pool.name, service: pool.service.map { snapshot[$0].name },
            endpoints: ids.map {
                Endpoint(id: $0, address: snapshot[$0].address, weight: snapshot[$0].weight)
            },
            policy: Policy(pool.balance, endpoints: ids.map { snapshot[$0] }),
            connectTimeout: nanoseconds(pool.timeouts.connect), responseTimeout: nanoseconds(pool.timeouts.response),
            idleTimeout: nanoseconds(pool.timeouts.idle), keepalive: pool.keepalive, watch: pool.watch,
            ejectionFailures: pool.ejection?.failures ?? 0, ejectionCauses: pool.ejection?.on ?? .noAnswer,
            retry: pool.retry)
    }

    private static func nanoseconds(_ duration: Duration) -> UInt64 { UInt64(max(0, duration.nanoseconds)) }

    /// Whether any name is steered by measured latency.
    package var measuresRoundTrips: Bool { snapshot.dns.measuresLatency }

    /// Whether a route lets a client ask for the protocol at `name` of `head`: always by its exact name, alone.
    func allowsUpgrade(_ head: RawSpan, _ name: Slice, ofRoute route: Int) -> Bool {
        let wanted = head.extracting(name.start..<name.end)
        for allowed in upgrades[route] {
            let isSame = unsafe allowed.withUnsafeBytes { unsafe wanted.equals($0.bytes, ignoringCase: true) }
            if isSame { return true }
        }
        return false
    }

    /// The addresses to listen on, by listener index.
    package var addresses: [SocketAddress] { listeners.map { SocketAddress(node.address, port: $0.port) } }

    /// Where checks of our own nodes arrive: at the listeners, under the node's address and those by which DNS names answer
    /// with its region.
    var checkedAddresses: [SocketAddress] {
        let ports = Set(listeners.map(\.port))
        let answers = snapshot.dns.zones.flatMap(\.names).flatMap(\.lookedAt)
            .filter { $0.region == node.region && ports.contains($0.address.port) }.map(\.address)
        return Array(Set(addresses + answers).sorted { ($0.address, $0.port) < ($1.address, $1.port) }.prefix(256))
    }

    /// The same with how clients are watched there.
    var places: [(address: SocketAddress, keepalive: Keepalive)] {
        listeners.map { (SocketAddress(node.address, port: $0.port), $0.keepalive) }
    }
}

/// A plan with the endpoints' places in the process's table of health and load.
final class ActivePlan: Sendable {
    let plan: Plan
    /// By `EndpointID.index`.
    let slots: [Int]

    init(_ plan: Plan, slots: [Int]) {
        self.plan = plan
        self.slots = slots
    }
}

/// A plan with its new listeners bound. Dropping it closes those that nobody took.
package struct PreparedPlan: Sendable {
    let plan: Plan
    let sockets: BoundListeners
}
