import Balancing
import Engine
import Model

/// One pool as one worker sees it. Lives as long as the process once it was used, so that exchanges may refer to it
/// without counting references; a reload gives it a new plan.
final class WorkerPool {
    let name: String
    let counters: CounterBlock
    let table: EndpointTable
    // The plan's parts apart, since to read one out of the whole is to copy the whole.
    private(set) var policy: Policy
    private(set) var weights: [Int]
    /// Places in `table`, by position.
    private(set) var slots: [Int]
    private(set) var endpoints: [WorkerEndpoint]
    private(set) var connectTimeout: UInt64
    private(set) var responseTimeout: UInt64
    private(set) var idleTimeout: UInt64
    private(set) var keepalive: Int
    private(set) var watch: Keepalive
    private(set) var ejectionFailures: Int
    private(set) var ejectionCauses: TrafficFailures
    private(set) var retry: RetryPolicy
    private var cursor: PickCursor
    /// The name as the access log writes it.
    let logName: [UInt8]

    init(
        _ plan: Plan.Pool, endpoints: [WorkerEndpoint], counters: CounterBlock, table: EndpointTable, start: UInt64
    ) {
        name = plan.name
        logName = Array(plan.name.utf8)
        policy = plan.policy
        weights = plan.endpoints.map(\.weight)
        slots = endpoints.map(\.slot)
        connectTimeout = plan.connectTimeout
        responseTimeout = plan.responseTimeout
        idleTimeout = plan.idleTimeout
        keepalive = plan.keepalive
        watch = plan.watch
        ejectionFailures = plan.ejectionFailures
        ejectionCauses = plan.ejectionCauses
        retry = plan.retry
        self.endpoints = endpoints
        self.counters = counters
        self.table = table
        cursor = PickCursor(startingAt: start)
    }

    func adopt(_ plan: Plan.Pool, endpoints: [WorkerEndpoint]) {
        policy = plan.policy
        weights = plan.endpoints.map(\.weight)
        slots = endpoints.map(\.slot)
        connectTimeout = plan.connectTimeout
        responseTimeout = plan.responseTimeout
        idleTimeout = plan.idleTimeout
        keepalive = plan.keepalive
        watch = plan.watch
        ejectionFailures = plan.ejectionFailures
        ejectionCauses = plan.ejectionCauses
        retry = plan.retry
        self.endpoints = endpoints
    }

    /// The position of the endpoint for the next attempt; nil when none is usable. Bit n of `tried` says that position n was
    /// tried for this request (positions above 63 share a bit).
    func pick(tried: UInt64, source: UInt64, random: inout WorkerRandom) -> Int? {
        policy.pick(
            among: PoolView(pool: self, tried: tried), source: source, cursor: &cursor, using: &random)
    }
}

/// A pool's endpoints for one pick.
@safe
private struct PoolView: EndpointView {
    private unowned(unsafe) let pool: WorkerPool
    private let tried: UInt64

    init(pool: WorkerPool, tried: UInt64) {
        unsafe self.pool = pool
        self.tried = tried
    }

    var count: Int { unsafe pool.endpoints.count }

    func weight(_ position: Int) -> Int { unsafe pool.weights[position] }

    func usable(_ position: Int) -> Bool {
        guard tried & (1 << UInt64(position & 63)) == 0 else { return false }
        return unsafe pool.table.state(pool.slots[position]).isUsable
    }

    func inFlight(_ position: Int) -> Int { unsafe pool.table.inFlight(pool.slots[position]) }
}

/// One endpoint as one worker sees it, with its idle connections; the one used last is used first, so that the others
/// can time out. Lives as long as the process, as pools do.
final class WorkerEndpoint {
    let slot: Int
    let address: SocketAddress
    /// `127.0.0.1:80`, for Host and the access log.
    let text: [UInt8]
    /// The worker keeps its connections until they are closed, and those leave the list then.
    private unowned(unsafe) var idle: UpstreamConnection?
    private(set) var idleCount = 0

    init(slot: Int, address: SocketAddress) {
        self.slot = slot
        self.address = address
        text = Array(address.description.utf8)
    }

    func popIdle() -> UpstreamConnection? {
        guard let connection = unsafe idle else { return nil }
        unsafe idle = unsafe connection.nextIdle
        unsafe connection.nextIdle = nil
        connection.isIdle = false
        idleCount &-= 1
        return connection
    }

    func pushIdle(_ connection: UpstreamConnection) {
        unsafe connection.nextIdle = unsafe idle
        connection.isIdle = true
        unsafe idle = connection
        idleCount &+= 1
    }

    /// Takes out a connection that its server closed or that waited too long. Walks the list: at most `keepalive` steps.
    func removeIdle(_ connection: UpstreamConnection) {
        guard connection.isIdle else { return }
        connection.isIdle = false
        idleCount &-= 1
        if unsafe idle === connection {
            unsafe idle = unsafe connection.nextIdle
        } else {
            var current = unsafe idle
            while let place = current {
                if unsafe place.nextIdle === connection {
                    unsafe place.nextIdle = unsafe connection.nextIdle
                    break
                }
                current = unsafe place.nextIdle
            }
        }
        unsafe connection.nextIdle = nil
    }

    func closeIdle() {
        while let connection = popIdle() { connection.close() }
    }
}
