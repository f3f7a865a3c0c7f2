import ControlPlane
import Engine
import HTTPExchange
import HTTPWire
import Model

/// All that one worker needs to serve HTTP: its listeners, sessions, pools and the tables of the plan in force.
///
/// Sendable by confinement: others hold a reference and only use it in messages to the worker.
@safe
final class ProxyWorker: @unchecked Sendable {
    let worker: Worker
    let context: SessionContext
    /// The response head that was parsed last; valid until the next one is.
    let response = ResponseHead()
    let health: HealthBoard
    let table: EndpointTable
    private let traffic: TrafficBook
    private let published: Published<ActivePlan>
    private var generation: UInt64 = 0
    private(set) var plan: Plan
    /// By index in the plan's pools.
    private var pools: [WorkerPool] = []
    /// By index in the plan's routes.
    private var routes: [WorkerRoute] = []
    // Kept for the life of the process: exchanges refer to them without owning.
    private var knownRoutes: [String: WorkerRoute] = [:]
    private var knownPools: [String: WorkerPool] = [:]
    private var knownEndpoints: [Int: WorkerEndpoint] = [:]
    private var listeners: [SocketAddress: Listener] = [:]
    private var doors: [SocketAddress: Doorway] = [:]
    private let sockets: BoundListeners
    private var isAccepting = false
    /// Where the normal form of the path stands, of the request that was parsed last.
    private var path = PathPlace.root
    private var date: DateText
    private let record: AccessRecord?
    private let roundTrips = RoundTripReservoir()
    private var checkMarks: KnownChecks
    /// Whether any name is steered by what clients' round trips are.
    private(set) var measuresRoundTrips = false

    init(
        worker: Worker, published: Published<ActivePlan>, health: HealthBoard, traffic: TrafficBook, log: AccessLog?,
        sockets: BoundListeners
    ) {
        self.worker = worker
        self.published = published
        self.health = health
        table = health.endpoints
        self.traffic = traffic
        self.sockets = sockets
        context = SessionContext(worker: worker)
        checkMarks = KnownChecks(health.checkMark)
        let active = published.load()
        plan = active.plan
        let node = active.plan.node
        record = log.map { AccessRecord($0.ring(worker.index), node.log, of: node) }
        unsafe date = unsafe DateText()
    }

    // MARK: - Configuration

    /// Adopts the published plan when it changed. Called at the end of each turn.
    func refresh() {
        guard published.generation != generation else { return }
        generation = published.generation
        let active = published.load()
        plan = active.plan
        measuresRoundTrips = plan.measuresRoundTrips
        pools = plan.pools.map { pool(for: $0, active) }
        routes = plan.routes.indices.map { route(at: $0) }
        if isAccepting { openListeners() }
    }

    private func pool(for plan: Plan.Pool, _ active: ActivePlan) -> WorkerPool {
        let endpoints = plan.endpoints.map { endpoint in
            let slot = active.slots[endpoint.id.index]
            if let known = knownEndpoints[slot] { return known }
            let fresh = WorkerEndpoint(slot: slot, address: endpoint.address)
            knownEndpoints[slot] = fresh
            return fresh
        }
        if let known = knownPools[plan.name] {
            for endpoint in known.endpoints where !endpoints.contains(where: { $0 === endpoint }) {
                endpoint.closeIdle()
            }
            known.adopt(plan, endpoints: endpoints)
            return known
        }
        let pool = WorkerPool(
            plan, endpoints: endpoints, counters: traffic.blocks(of: plan.name)[worker.index], table: health.endpoints,
            start: worker.random.next())
        knownPools[plan.name] = pool
        return pool
    }

    private func route(at index: Int) -> WorkerRoute {
        let (name, pool) = (plan.routes[index].name, pools[plan.poolOfRoute[index]])
        if let known = knownRoutes[name] {
            known.adopt(pool)
            return known
        }
        let route = WorkerRoute(
            name: name, counters: traffic.blocks(ofRoute: name)[worker.index], pool: pool)
        knownRoutes[name] = route
        return route
    }

    /// The route at `index` in the plan.
    func route(_ index: Int) -> WorkerRoute { routes[index] }

    // MARK: - Listeners

    /// Users may come: the listeners listen.
    func open() {
        isAccepting = true
        openListeners()
    }

    private func openListeners() {
        let wanted = Set(plan.addresses)
        for (address, listener) in listeners where !wanted.contains(address) {
            listener.retire()
            listeners[address] = nil
        }
        for index in plan.listeners.indices {
            let address = plan.addresses[index]
            let door = doors[address] ?? Doorway(Doorway.Rules(plan.listeners[index]))
            doors[address] = door
            // There is one for an address that is open already when it went and came back within a moment.
            guard let descriptor = sockets.take(address, worker: worker.index) else { continue }
            listeners[address]?.retire()
            listeners[address] = Listener(worker: worker, adopting: descriptor, address: address, home: sockets) {
                [unowned self] descriptor, peer in accept(descriptor, peer, through: door)
            }
        }
        for index in plan.listeners.indices {
            listeners[plan.addresses[index]]?.keepAlive(plan.listeners[index].keepalive)
            doors[plan.addresses[index]]?.rules = Doorway.Rules(plan.listeners[index])
        }
    }

    private func accept(_ descriptor: CInt, _ peer: SocketAddress, through door: Doorway) {
        guard DescriptorShares.welcomes(descriptor) else {
            count(WorkerCounter.unwelcome)
            Unwelcome.refuse(descriptor)
            return
        }
        let isFull = door.isFull
        let session = ClientSession(proxy: self, door: door, descriptor: descriptor, peer: peer)
        if isFull {
            count(WorkerCounter.rejected)
            session.close()
            return
        }
        session.register()
    }

    func stopAccepting() {
        isAccepting = false
        for listener in listeners.values { listener.retire() }
        listeners = [:]
    }

    /// Closes idle connections, and lets the others close after their response.
    func drain() {
        stopAccepting()
        context.drain()
    }

    func closeAll() {
        stopAccepting()
        context.closeAll()
        for endpoint in knownEndpoints.values { endpoint.closeIdle() }
    }

    // MARK: - Requests

    /// Finds the normal form of the path of the request that was parsed last, whose head starts `bytes`. False when it is
    /// refused.
    func normalisePath(_ bytes: RawSpan) -> Bool {
        let head = context.request
        if head.isAsterisk {
            path = .asterisk
        } else if head.path.isEmpty {
            path = .root
        } else if head.pathNeedsNormalising {
            let raw = bytes.extracting(head.path.start..<head.path.end)
            guard let count = unsafe PathNormaliser.normalise(raw, into: context.pathScratch) else { return false }
            path = .written(count)
        } else {
            path = .received(head.path)
        }
        return true
    }

    /// Calls `body` with the normal form, found by `normalisePath` for the same `bytes`.
    @inline(__always)
    private func withPath<Result>(_ bytes: RawSpan, _ body: (RawSpan) -> Result) -> Result {
        switch path {
        case .received(let slice): body(bytes.extracting(slice.start..<slice.end))
        case .written(let count): unsafe body(UnsafeRawBufferPointer(rebasing: context.pathScratch[..<count]).bytes)
        case .root: body(Self.span("/"))
        case .asterisk: body(Self.span("*"))
        }
    }

    @_lifetime(immortal)
    private static func span(_ text: StaticString) -> RawSpan {
        let bytes = unsafe UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        return unsafe _overrideLifetime(bytes.bytes, copying: ())
    }

    /// The route of the request that was parsed last, or nil.
    func route(_ bytes: RawSpan) -> Int? {
        let host = context.request.host
        return withPath(bytes) { path in
            plan.table.route(host: bytes.extracting(host.start..<host.end), path: path)
        }
    }

    func appendPath(_ bytes: RawSpan, to writer: inout HeadWriter) {
        withPath(bytes) { writer.append($0) }
    }

    /// `Date: …` and its line end, worked out once a second.
    func appendDate(to writer: inout HeadWriter) {
        unsafe date.refresh(worker)
        unsafe writer.append(date.line)
    }

    // MARK: - Checks

    /// Whether `mark` of `bytes` is that of a check by one of our own nodes.
    func isCheck(_ bytes: RawSpan, _ mark: Slice) -> Bool {
        checkMarks.contains(bytes, mark, at: plan.checkedAddresses, generation: generation, now: worker.wallClock)
    }

    // MARK: - Round trips

    func measure(_ session: ClientSession) {
        guard let time = Socket.roundTripTime(session.descriptor) else { return }
        roundTrips.add(session.peer.address, microseconds: time, random: worker.random.next())
    }

    /// Hands in what was measured.
    func report(to book: RoundTripBook) {
        let samples = roundTrips.take()
        if !samples.isEmpty { book.add(samples) }
    }

    // MARK: - Counting

    func count(_ counter: Int, _ amount: UInt64 = 1) { worker.counters.add(counter, amount) }

    func countStatus(_ status: Int) {
        if status >= 100 { count(WorkerCounter.status &+ min(status / 100, 5) &- 1) }
    }

    var logs: Bool { record != nil }

    /// One line, unless the sample leaves it out.
    func log(_ exchange: Exchange, elapsed: UInt64) {
        guard let record, record.begin(at: worker.wallClock) else { return }
        AccessLine.add(exchange, elapsed: elapsed, to: record)
        record.end()
    }
}

/// Where the normal form of a path stands. An offset or a count, never an address: octets move.
private enum PathPlace {
    /// In the head, as it came.
    case received(Slice)
    /// So many octets in the worker's memory for paths.
    case written(Int)
    case root
    case asterisk
}

/// The Date line of this second.
@unsafe
private struct DateText {
    private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 8)
    private var count = 0
    /// Second of the monotonic clock; the date may be up to a second late.
    private var second: UInt64 = .max

    var line: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    mutating func refresh(_ worker: Worker) {
        let current = worker.now / 1_000_000_000
        guard unsafe current != second, var writer = unsafe HeadWriter(memory) else { return }
        unsafe second = current
        writer.append("Date: ")
        writer.append(date: worker.wallClock)
        writer.append("\r\n")
        unsafe count = writer.count
    }
}
