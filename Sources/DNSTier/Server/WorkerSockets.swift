import Engine
import Glibc
import Model
import Synchronization

/// Everything of the server that belongs to one worker: its sockets, its connections, its responder. Confined to it.
@safe
final class WorkerSockets {
    /// TCP connections of a worker; more are closed at once. An idle one costs about 300 octets and the kernel's part.
    static let maximumConnections = 20_000

    let worker: Worker
    let responder: WorkerResponder
    let log: QueryLog?
    /// Where the answers of one TCP read are gathered: the largest message and as much again.
    let gathering: UnsafeMutableRawBufferPointer
    private(set) var connections = 0
    private let shared: WorkerShared
    private var generation: UInt64
    private var datagrams: DatagramSocket<DatagramResponder>?
    private var listener: Listener?

    /// Opens UDP and TCP on `address` and serves them from `worker` until it stops.
    static func open(_ worker: Worker, address: SocketAddress, shared: WorkerShared, log: QueryLog?) throws {
        let sockets = WorkerSockets(worker, shared: shared, log: log)
        sockets.datagrams = try DatagramSocket(
            worker: worker, address: address,
            answerer: unsafe DatagramResponder(responder: sockets.responder.responder, log: log))
        sockets.listener = try Listener(worker: worker, address: address) { [unowned sockets] descriptor, client in
            sockets.accept(descriptor, from: client)
        }
        // The worker's hook keeps this object.
        worker.onTurn { sockets.turnEnded() }
    }

    private init(_ worker: Worker, shared: WorkerShared, log: QueryLog?) {
        self.worker = worker
        self.shared = shared
        self.log = log
        generation = shared.table.generation
        responder = WorkerResponder(
            table: shared.table.load(), maximumUDPSize: shared.maximumUDPSize.load(ordering: .relaxed),
            seed: worker.random.next() | 1)
        unsafe gathering = .allocate(byteCount: 2 * (Responder.maximumTCPSize + 2), alignment: 64)
    }

    deinit { unsafe gathering.deallocate() }

    private func accept(_ descriptor: CInt, from client: SocketAddress) {
        guard connections < Self.maximumConnections else {
            worker.counters.add(QueryCounter.connectionsRefused.rawValue)
            Glibc.close(descriptor)
            return
        }
        worker.counters.add(QueryCounter.connections.rawValue)
        connections += 1
        StreamConnection(sockets: self, descriptor: descriptor, client: client).begin()
    }

    func connectionClosed() { connections -= 1 }

    /// Between two turns: counters, a new table, the end.
    private func turnEnded() {
        let counters = worker.counters
        responder.drainTallies { counters.add($0, $1) }
        let current = shared.table.generation
        if current != generation {
            generation = current
            responder.use(shared.table.load(), maximumUDPSize: shared.maximumUDPSize.load(ordering: .relaxed))
        }
        if listener != nil, !shared.isAccepting.load(ordering: .acquiring) { close() }
    }

    /// Answers what has arrived and closes the sockets; connections go on.
    private func close() {
        datagrams?.ready(.readable)
        datagrams?.close()
        datagrams = nil
        listener?.drainAndClose()
        listener = nil
    }
}

/// Hands datagrams to the worker's responder.
@safe
struct DatagramResponder: DatagramAnswerer {
    private let responder: UnsafeMutablePointer<Responder>
    // Not retained for each query: the worker's sockets hold it.
    private let log: Unmanaged<QueryLog>?

    init(responder: UnsafeMutablePointer<Responder>, log: QueryLog?) {
        unsafe self.responder = unsafe responder
        unsafe self.log = log.map { unsafe Unmanaged.passUnretained($0) }
    }

    mutating func answer(
        _ query: UnsafeRawBufferPointer, from client: SocketAddress, into room: UnsafeMutableRawBufferPointer,
        now: UInt64
    ) -> Int {
        let count = unsafe responder.pointee.answer(query, from: client.address, over: .udp, into: room)
        if let log = unsafe log {
            unsafe log._withUnsafeGuaranteedRef { log in
                unsafe log.note(UnsafeRawBufferPointer(rebasing: room[..<count]), from: client, over: .udp)
            }
        }
        return count
    }
}
