import Engine
import Glibc
import Model
import Synchronization

/// Everything of the server that belongs to one worker: its sockets, its connections, its responder. Confined to it.
@safe
final class WorkerSockets {
    /// Where a server listens.
    struct Addresses {
        let direct: SocketAddress
        /// For clients behind a proxy.
        let proxied: SocketAddress?
        /// Pairs of workers: one of each waits for datagrams from clients, the other for all else.
        let pairs: Int
    }

    /// When more than this share of a worker's connections is taken, idle ones have to go sooner (RFC 7766 section 6.2.2).
    private static let crowdedShare = 0.9
    /// Nanoseconds of idleness then.
    private static let crowdedIdle: UInt64 = 1_000_000_000

    let worker: Worker
    let responder: WorkerResponder
    let log: QueryLog?
    /// Where the answers of one TCP read are gathered: the largest message and as much again.
    let gathering: UnsafeMutableRawBufferPointer
    private(set) var limits: StreamLimits
    private var proxies: [IPPrefix]
    private var connections = 0
    private var sources = SourceCounts()
    private let pairs: Int
    private let shared: WorkerShared
    private var generation: UInt64
    /// When the wall clock was read, for cookies; a second more or less does not matter to them.
    private var clockRead: UInt64 = 0
    private static let clockInterval: UInt64 = 500_000_000
    private var direct = Door()
    private var proxied = Door()

    /// The sockets of one port.
    private struct Door {
        var guardian: DatagramGuard?
        var datagrams: DatagramSocket<DatagramResponder>?
        var listener: Listener?
    }

    /// Opens what is the task of `worker`, one of `2 * addresses.pairs`, and serves it until it stops.
    static func open(_ worker: Worker, addresses: Addresses, shared: WorkerShared, log: QueryLog?) throws {
        let sockets = WorkerSockets(worker, pairs: addresses.pairs, shared: shared, log: log)
        if worker.index < addresses.pairs {
            try sockets.openDatagrams(&sockets.direct, addresses.direct, proxies: nil, isWaitedIn: true)
        } else {
            try sockets.openListener(&sockets.direct, addresses.direct, isProxied: false)
            if let address = addresses.proxied {
                try sockets.openDatagrams(&sockets.proxied, address, proxies: sockets.proxies, isWaitedIn: false)
                try sockets.openListener(&sockets.proxied, address, isProxied: true)
            }
        }
        // The worker's hooks keep this object.
        worker.onTurn(begin: { sockets.turnBegins() }, end: { sockets.turnEnded() })
    }

    private init(_ worker: Worker, pairs: Int, shared: WorkerShared, log: QueryLog?) {
        self.worker = worker
        self.pairs = pairs
        self.shared = shared
        self.log = log
        generation = shared.table.generation
        let conduct = shared.conduct.withLock { $0 }
        limits = conduct.streams.share(of: pairs)
        proxies = conduct.proxies
        responder = WorkerResponder(
            table: shared.table.load(), conduct: conduct, seed: worker.random.next() | 1,
            counts: shared.answerCounts[worker.index])
        responder.time = UInt32(truncatingIfNeeded: worker.wallClock.nanoseconds / 1_000_000_000)
        log?.turnEnded(responder)
        unsafe gathering = .allocate(byteCount: 2 * (Responder.maximumTCPSize + 2), alignment: 64)
    }

    deinit { unsafe gathering.deallocate() }

    private func openDatagrams(
        _ door: inout Door, _ address: SocketAddress, proxies: [IPPrefix]?, isWaitedIn: Bool
    ) throws {
        let conduct = shared.conduct.withLock { $0 }
        door.guardian = guardian(conduct, proxies: proxies)
        door.datagrams = try DatagramSocket(
            worker: worker, address: address,
            answerer: unsafe DatagramResponder(responder: responder.responder, desk: door.guardian),
            isWaitedIn: isWaitedIn)
    }

    private func openListener(_ door: inout Door, _ address: SocketAddress, isProxied: Bool) throws {
        door.listener = try Listener(worker: worker, address: address) { [unowned self] descriptor, client in
            self.accept(descriptor, from: client, isProxied: isProxied)
        }
        shared.openListeners.add(1, ordering: .relaxed)
    }

    // MARK: Connections

    private func accept(_ descriptor: CInt, from client: SocketAddress, isProxied: Bool) {
        var refusal: QueryCounter?
        if connections >= limits.connections || !DescriptorShares.welcomes(descriptor) {
            refusal = .connectionsRefused
        } else if isProxied {
            // A proxy is one source for many: its word on them is taken, and its own limits are its own.
            if !proxies.contains(where: { $0.contains(client.address.canonical) }) { refusal = .proxyRefused }
        } else if !sources.add(client.address, limit: limits.perSource) {
            refusal = .sourceRefused
        }
        if let refusal {
            worker.counters.add(refusal.rawValue)
            Glibc.close(descriptor)
            return
        }
        worker.counters.add(QueryCounter.connections.rawValue)
        connections += 1
        StreamConnection(sockets: self, descriptor: descriptor, client: client, expectsHeader: isProxied).begin()
    }

    func connectionClosed(from peer: IPAddress, isProxied: Bool) {
        connections -= 1
        if !isProxied { sources.remove(peer) }
    }

    /// Nanoseconds that a connection may be without a query.
    var idleLimit: UInt64 {
        let isCrowded = Double(connections) > Self.crowdedShare * Double(limits.connections)
        return isCrowded ? min(limits.idle, Self.crowdedIdle) : limits.idle
    }

    // MARK: Turns

    private var doubtWatch = DoubtWatch()
    /// For how long answers wait after a standstill, in microseconds, and how often is looked meanwhile.
    private static let pause: UInt32 = 5_000
    private static let pauses = 200

    /// After a standstill what the table says may be old: the control plane wakes up at this moment too, marks it as stale
    /// and publishes that. Queries that have waited for seconds can wait for it, a second at most.
    private func awaitDoubts() {
        var pauses = 0
        while doubtWatch.isWaiting(standstills: worker.standstills, doubts: shared.doubts.load(ordering: .acquiring)) {
            if pauses == Self.pauses { return doubtWatch.giveUp(standstills: worker.standstills) }
            usleep(Self.pause)
            pauses += 1
        }
    }

    /// Before what has come is answered: a new table.
    private func turnBegins() {
        awaitDoubts()
        let current = shared.table.generation
        guard current != generation else { return }
        generation = current
        responder.use(shared.table.load())
        follow(shared.conduct.withLock { $0 })
    }

    /// Between two turns: counters, the time, the end.
    private func turnEnded() {
        let stage = shared.stage.load(ordering: .acquiring)
        if stage != .serving { closeListeners() }
        if stage == .ended { leaveDatagrams() }
        let counters = worker.counters
        responder.drainTallies { counters.add($0, $1) }
        log?.turnEnded(responder)
        if worker.now &- clockRead > Self.clockInterval {
            clockRead = worker.now
            responder.time = UInt32(truncatingIfNeeded: worker.wallClock.nanoseconds / 1_000_000_000)
        }
    }

    private func follow(_ conduct: Conduct) {
        responder.use(conduct)
        limits = conduct.streams.share(of: pairs)
        let others = proxies != conduct.proxies
        proxies = conduct.proxies
        // Limits that did not change keep what they have counted.
        if direct.guardian?.limits != conduct.rateLimit { renew(&direct, conduct, proxies: nil) }
        if proxied.guardian != nil, others || proxied.guardian?.limits != conduct.rateLimit {
            renew(&proxied, conduct, proxies: proxies)
        }
    }

    private func renew(_ door: inout Door, _ conduct: Conduct, proxies: [IPPrefix]?) {
        let next = guardian(conduct, proxies: proxies)
        door.datagrams?.answerer = unsafe DatagramResponder(responder: responder.responder, desk: next)
        door.guardian = next
    }

    /// What stands before the responder where there is more to do than to answer.
    private func guardian(_ conduct: Conduct, proxies: [IPPrefix]?) -> DatagramGuard? {
        guard log != nil || conduct.rateLimit != nil || proxies != nil else { return nil }
        return unsafe DatagramGuard(
            responder: responder.responder, log: log, limits: conduct.rateLimit, proxies: proxies,
            seed: worker.random.next())
    }

    /// Has the listeners take who has come and close; connections go on.
    private func closeListeners() {
        close(&direct)
        close(&proxied)
    }

    private func close(_ door: inout Door) {
        guard let listener = door.listener else { return }
        listener.retire()
        guard listener.descriptor < 0 else { return }
        door.listener = nil
        shared.openListeners.subtract(1, ordering: .releasing)
    }

    private func leaveDatagrams() {
        direct.datagrams?.leave()
        proxied.datagrams?.leave()
        (direct.datagrams, proxied.datagrams) = (nil, nil)
    }
}

/// Limits on TCP connections.
package struct StreamLimits: Sendable, Hashable {
    /// Of a node, or of one worker of it.
    package var connections = 20_000
    /// From one source to one worker.
    package var perSource = 200
    /// Nanoseconds without a query.
    package var idle: UInt64 = 10_000_000_000
    /// Nanoseconds for a query to become whole, and for answers to be taken.
    package var message: UInt64 = 5_000_000_000

    package init() {}

    /// What one of `workers` may have.
    func share(of workers: Int) -> StreamLimits {
        var share = self
        share.connections = max(1, connections / max(1, workers))
        return share
    }
}
