import Engine
import HTTPWire
import Model

/// The worker's side of `HTTPServer`: its listeners and sessions.
///
/// Sendable by confinement: others hold a reference and only use it in messages to the worker.
final class ControlHost: @unchecked Sendable {
    /// Cells of the worker's counter block.
    enum Counter: Int, CaseIterable {
        case evicted
        case refused
    }

    /// How long a stop waits for replies under way.
    private static let grace: UInt64 = 1_000_000_000

    let context: SessionContext
    let limits: HTTPServer.Limits
    private let handler: HTTPServer.Handler
    private let mailbox: Mailbox
    private var listeners: [Listener] = []
    private var sessions: [UInt64: ControlSession] = [:]
    private var strangers = Strangers()
    private var nextNumber: UInt64 = 0
    private var stopTimer: Ticker?
    private var onStopped: (() -> Void)?

    init(worker: Worker, limits: HTTPServer.Limits, handler: @escaping HTTPServer.Handler) {
        context = SessionContext(worker: worker)
        mailbox = worker.mailbox
        self.limits = limits
        self.handler = handler
    }

    func listen(_ addresses: [SocketAddress]) throws(SocketError) -> [SocketAddress] {
        let sessionLimits = SessionLimits(
            head: RequestHead.Limits(), headTimeout: limits.request, bodyTimeout: limits.idle, idleTimeout: limits.idle)
        do throws(SocketError) {
            for address in addresses {
                listeners.append(
                    try Listener(worker: context.worker, address: address) { [unowned self] descriptor, peer in
                        accept(descriptor, peer, sessionLimits)
                    })
            }
        } catch {
            for listener in listeners { listener.close() }
            throw error
        }
        return listeners.map(\.address)
    }

    private func accept(_ descriptor: CInt, _ peer: SocketAddress, _ sessionLimits: SessionLimits) {
        nextNumber += 1
        let source = Strangers.source(peer.address)
        let hasRoom = makeRoom(for: source)
        let session = ControlSession(
            host: self, limits: sessionLimits, number: nextNumber, descriptor: descriptor, peer: peer)
        sessions[nextNumber] = session
        strangers.add(nextNumber, from: source)
        guard hasRoom else {
            context.worker.counters.add(Counter.refused.rawValue)
            session.close()
            return
        }
        session.register()
    }

    /// Closes the oldest stranger where there are too many, of one source or in all: whoever has something to say says it
    /// at once, and silence is cheap to make. Sessions of clients that have proved who they are go last.
    ///
    /// - Returns: false when everybody has a request under way.
    private func makeRoom(for source: IPAddress) -> Bool {
        let mayGo = { [unowned self] number in sessions[number]?.isBusy == false }
        if strangers.count(of: source) >= limits.perSource {
            guard let oldest = strangers.oldest(of: source, mayGo) else { return false }
            evict(oldest)
        }
        if sessions.count >= limits.connections {
            guard let oldest = strangers.oldest(mayGo) ?? sessions.keys.filter(mayGo).min() else { return false }
            evict(oldest)
        }
        return true
    }

    private func evict(_ number: UInt64) {
        context.worker.counters.add(Counter.evicted.rawValue)
        sessions[number]?.close()
    }

    /// Its client has proved who it is.
    func trust(_ number: UInt64) { strangers.remove(number) }

    func handle(_ request: HTTPServer.Request, session: UInt64, exchange: UInt64) {
        let mailbox = mailbox
        handler(request) { response in
            mailbox.post { _ in self.deliver(response, session: session, exchange: exchange) }
        }
    }

    private func deliver(_ response: HTTPServer.Response, session: UInt64, exchange: UInt64) {
        guard let session = sessions[session], session.exchange == exchange else { return }
        session.answer(response)
    }

    func remove(_ number: UInt64) {
        sessions[number] = nil
        strangers.remove(number)
        if sessions.isEmpty { finishStop() }
    }

    func stop(_ completion: @escaping () -> Void) {
        for listener in listeners { listener.close() }
        listeners = []
        onStopped = completion
        context.drain()
        guard !sessions.isEmpty else {
            finishStop()
            return
        }
        let timer = Ticker(worker: context.worker) { [unowned self] in context.closeAll() }
        timer.setDeadline(after: Self.grace)
        stopTimer = timer
    }

    private func finishStop() {
        guard let completion = onStopped else { return }
        onStopped = nil
        stopTimer?.clearDeadline()
        stopTimer = nil
        completion()
    }
}
