import Balancing
import Engine
import Model

/// The forwarding of one worker: its entrances and the connections that came through them.
final class Forwarder {
    let worker: Worker
    /// What a read fills before it is written on the other side, within one call. Empty between calls.
    var scratch = Buffer()
    private let wake: @Sendable () -> Void
    private let line: AccessLine?
    private let sockets: BoundListeners
    private var entrances: [SocketAddress: Entrance] = [:]
    private var flows: [Flow] = []
    /// The node stops: sessions end where nothing is under way.
    private(set) var isDraining = false

    /// `sockets` has those of its entrances; `wake` has the control plane look at the endpoints at once.
    init(_ worker: Worker, line: AccessLine?, sockets: BoundListeners, wake: @escaping @Sendable () -> Void) {
        self.worker = worker
        self.line = line
        self.sockets = sockets
        self.wake = wake
        worker.buffers.lend(&scratch)
    }

    /// Has the entrances follow `routes`: new ones open with their sockets, missing ones close.
    func install(_ routes: [Route]) {
        for route in routes {
            let address = route.plan.address
            if let entrance = entrances[address] {
                entrance.route = route
                entrance.listener?.keepAlive(route.plan.keepalive)
            }
            // There is one for an address that is open already when it went and came back within a moment.
            guard let descriptor = sockets.take(address, worker: worker.index) else { continue }
            entrances[address]?.listener?.retire()
            let entrance = Entrance(route, cursor: PickCursor(startingAt: worker.random.next()))
            entrances[address] = entrance
            // The listener owns its entrance: one that retires still accepts.
            let listener = Listener(worker: worker, adopting: descriptor, address: address, home: sockets) {
                [unowned self] client, peer in accept(client, from: peer, through: entrance)
            }
            listener.keepAlive(route.plan.keepalive)
            entrance.listener = listener
        }
        let wanted = Set(routes.map(\.plan.address))
        for (address, entrance) in entrances where !wanted.contains(address) {
            entrance.listener?.retire()
            entrances[address] = nil
        }
    }

    /// Retires the listeners; connections go on.
    func closeEntrances() {
        for entrance in entrances.values { entrance.listener?.retire() }
        entrances = [:]
    }

    /// Ends sessions that are known to be idle now, and the others when they are.
    func drain() {
        isDraining = true
        for index in flows.indices.reversed() where index < flows.count { _ = flows[index].endIfIdle() }
    }

    func closeConnections() {
        while let last = flows.last { last.cutOff() }
    }

    /// Ends connections whose endpoint went down or lost its role.
    func enforceHealth() {
        // Ending one moves the last one into its place, which was looked at already.
        for index in flows.indices.reversed() where index < flows.count { flows[index].enforceHealth() }
    }

    func endpointsChanged() { wake() }

    private func accept(_ descriptor: CInt, from client: SocketAddress, through entrance: Entrance) {
        worker.counters.add(Tally.accepted)
        guard entrance.active < entrance.route.plan.connections else {
            worker.counters.add(Tally.overLimit)
            worker.counters.add(Tally.finished)
            Socket.resetOnClose(descriptor)
            Socket.close(descriptor)
            line?.write(
                entrance.route, client: client, upstream: nil, began: worker.now, received: 0, sent: 0,
                reason: .overLimit, worker: worker)
            return
        }
        entrance.active += 1
        let flow = Flow(self, entrance, client: client)
        flow.index = flows.count
        flows.append(flow)
        flow.begin(descriptor, isWelcome: DescriptorShares.welcomes(descriptor))
    }

    func finished(_ flow: Flow, _ reason: EndReason, received: UInt64, sent: UInt64) {
        flow.entrance.active -= 1
        let last = flows.removeLast()
        if last !== flow {
            flows[flow.index] = last
            last.index = flow.index
        }
        line?.write(
            flow.route, client: flow.clientAddress, upstream: flow.way, began: flow.began, received: received,
            sent: sent,
            reason: reason, worker: worker)
    }
}
