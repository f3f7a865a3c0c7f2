import Balancing
import Engine
import Model

/// What a snapshot asks of one L4 node, worked out as far as it can be without the endpoint table: the balancing tables
/// are built, the bytes of refusals written.
struct ForwardingPlan: Sendable {
    let snapshot: Snapshot
    let node: NodeID
    let entrances: [EntrancePlan]

    init(_ snapshot: Snapshot, node: NodeID) {
        self.snapshot = snapshot
        self.node = node
        entrances = snapshot.tcp.listeners.map { EntrancePlan($0, in: snapshot, node: snapshot[node]) }
    }

    /// Where this node listens.
    var addresses: [SocketAddress] { entrances.map(\.address) }

    /// The same with how clients are watched there.
    var places: [(address: SocketAddress, keepalive: Keepalive)] { entrances.map { ($0.address, $0.keepalive) } }
}

/// One listener and the endpoints behind it: those of its pool in the node's region.
struct EntrancePlan: Sendable {
    let name: String
    let address: SocketAddress
    let role: Role
    /// Client connections per worker.
    let connections: Int
    let pool: Pool
    let region: String
    let identifiers: [EndpointID]
    let endpoints: [Endpoint]
    let policy: Policy
    /// What a PostgreSQL client is told when no endpoint can be used; nil for pools of other protocols.
    let refusal: [UInt8]?
    /// The same for a node that has no descriptor left.
    let exhaustion: [UInt8]?
    /// What a PostgreSQL session is told when the node stops.
    let farewell: [UInt8]?
    /// How clients are watched.
    let keepalive: Keepalive
    /// Whether the primary stands in for replicas that are down or late.
    let fallsBackToPrimary: Bool

    init(_ listener: TCPListener, in snapshot: Snapshot, node: Node) {
        name = listener.name
        address = SocketAddress(node.address, port: listener.port)
        role = listener.role
        connections = listener.connections
        pool = snapshot[listener.pool]
        region = snapshot[node.region].name
        identifiers = snapshot.endpoints(of: listener.pool, in: node.region)
        endpoints = identifiers.map { snapshot[$0] }
        policy = Policy(pool.balance, endpoints: endpoints)
        keepalive = listener.keepalive
        fallsBackToPrimary = listener.fallsBackToPrimary
        exhaustion = Refusal.exhausted(pool: pool)
        farewell = Refusal.stopping(pool: pool)
        refusal = Refusal.message(pool: pool, role: role, region: region)
    }
}

/// A listener with its endpoints' places in the endpoint table: what an accepted connection follows, for as long as it
/// lasts, whatever a reload brings.
final class Route: Sendable {
    let plan: EntrancePlan
    let table: EndpointTable
    /// By position in `plan.endpoints`.
    let slots: [Int]
    /// Nanoseconds.
    let connectTimeout: UInt64
    let idleTimeout: UInt64
    /// The listener's name in UTF-8, for access lines.
    let label: [UInt8]
    /// The pool's.
    let poolLabel: [UInt8]

    init(_ plan: EntrancePlan, table: EndpointTable, slots: [Int]) {
        self.plan = plan
        self.table = table
        self.slots = plan.identifiers.map { slots[$0.index] }
        connectTimeout = UInt64(clamping: plan.pool.timeouts.connect.nanoseconds)
        idleTimeout = UInt64(clamping: plan.pool.timeouts.idle.nanoseconds)
        label = Array(plan.name.utf8)
        poolLabel = Array(plan.pool.name.utf8)
    }

    /// Whether established connections to the endpoint at `position` may stay.
    func stands(_ position: Int) -> Bool {
        let state = table.state(slots[position])
        guard state.contains(.up), !state.contains(.fenced) else { return false }
        return state.holds(plan.role) || plan.fallsBackToPrimary && state.contains(.primary)
    }
}
