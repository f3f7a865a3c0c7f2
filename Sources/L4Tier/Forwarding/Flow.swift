import Balancing
import Engine
import Model
import StreamWire

/// One forwarded connection: its client, its endpoint, and what there is to tell about it. Confined to one worker.
@safe
final class Flow {
    enum Stage {
        /// Waiting for an endpoint to answer.
        case connecting
        /// Passing bytes in both directions.
        case relaying
        /// Telling the client that there is no endpoint.
        case refusing
        case over
    }

    /// Nanoseconds after which the endpoint's socket is told to look for life. The client's has it from its listener.
    private static let youth: UInt64 = 1_000_000_000

    /// The forwarder outlives its flows: it lives as long as its worker.
    unowned(unsafe) let forwarder: Forwarder
    let entrance: Entrance
    let route: Route
    let clientAddress: SocketAddress
    let began: UInt64
    private(set) var stage = Stage.connecting
    /// The loop turn in which a byte last moved.
    var lastActivity: UInt64
    var watch = SessionWatch()
    /// It came while the node was stopping already: it may do one thing.
    private let isLate: Bool
    /// What the client of such a session had sent when its login was over.
    private var login: UInt64?
    /// Its place in the forwarder's list.
    var index = -1
    /// Position of the endpoint in the route; -1 before the first choice.
    private(set) var position = -1

    // The worker keeps a registered side alive until the end of the turn in which it is closed; both are nil or closed
    // when the flow is over.
    private unowned(unsafe) var client: Side?
    private unowned(unsafe) var upstream: Side?
    private var tried = Choice.Tried()
    private var connectBegan: UInt64 = 0
    /// Nanoseconds that the endpoint took to accept; nil until it has.
    private var connectTime: UInt64?
    private var firstEnd: EndReason?
    private var refusal: RefusalTalk?
    /// Both ends of a PostgreSQL session know that it is over.
    private var isTold = false
    private var fromClient: UInt64 = 0
    private var fromEndpoint: UInt64 = 0

    init(_ forwarder: Forwarder, _ entrance: Entrance, client: SocketAddress) {
        unsafe self.forwarder = forwarder
        self.entrance = entrance
        self.route = entrance.route
        clientAddress = client
        began = forwarder.worker.now
        isLate = forwarder.isDraining
        lastActivity = began
    }

    private var worker: Worker { unsafe forwarder.worker }

    /// For the access line; nil when no endpoint was tried.
    var way: AccessLine.Upstream? {
        if position < 0 { return nil }
        return AccessLine.Upstream(
            address: route.plan.endpoints[position].address, attempts: tried.count, connect: connectTime)
    }

    // MARK: - Connecting

    /// Takes the client's socket and looks for an endpoint, or tells the client that there is no room.
    func begin(_ descriptor: CInt, isWelcome: Bool) {
        let side = Side(self, descriptor: descriptor, isClient: true)
        unsafe client = side
        side.register()
        guard stage == .connecting else { return }
        if isWelcome {
            connect()
        } else if DescriptorShares.isTraffic(descriptor) {
            refuse(.exhausted)
        } else {
            // Talking takes time, and this descriptor is the control plane's.
            worker.counters.add(Tally.exhausted)
            finish(.exhausted)
        }
    }

    /// Tries endpoints until one connect is under way, or none is left.
    private func connect() {
        var isOurs = false
        while tried.count < Choice.attempts {
            var choice = Choice(route: route, tried: tried)
            let next = choice.pick(
                source: SourceHash.source(clientAddress.address), cursor: &entrance.cursor, using: &worker.random)
            guard let next else { break }
            if tried.count > 0 { worker.counters.add(Tally.retries) }
            tried.add(next)
            position = next
            connectBegan = worker.now
            do throws(SocketError) {
                let descriptor = try Socket.connect(route.plan.endpoints[next].address, forTraffic: true)
                route.table.began(route.slots[next])
                let side = Side(self, descriptor: descriptor, isClient: false)
                unsafe upstream = side
                side.setDeadline(after: route.connectTimeout)
                side.register()
                return
            } catch {
                guard let shortage = error.shortage else {
                    countFailure()
                    continue
                }
                ShortageCounts.process.note(shortage)
                isOurs = true
                // There may be ports left on the way to another endpoint; all else is lacking for each of them.
                if shortage != .ports { break }
            }
        }
        refuse(isOurs ? .exhausted : tried.count == 0 ? .noEndpoint : .connectFailed)
    }

    /// A side has news while nothing is relayed.
    func ready(_ side: Side, _ readiness: Readiness) {
        switch stage {
        case .connecting:
            if unsafe side === upstream {
                connected(side, readiness)
            } else if readiness.contains(.failed) {
                finish(.clientReset)
            }
        case .refusing: converse()
        case .relaying, .over: break
        }
    }

    private func connected(_ side: Side, _ readiness: Readiness) {
        guard readiness.contains(.writable) || readiness.contains(.failed) else { return }
        // A connect that failed is an error condition; one that is only writable has succeeded.
        guard !readiness.contains(.failed), let client = unsafe client else {
            connectFailed()
            return
        }
        let slot = route.slots[position]
        route.table.count(success: true, at: slot)
        route.table.endRow(at: slot)
        let elapsed = worker.now &- connectBegan
        connectTime = elapsed
        route.table.observeLatency(elapsed, at: slot)
        stage = .relaying
        lastActivity = worker.now
        Side.join(client, side)
        // Most connections are over before it is worth five system calls to have them watched.
        side.setDeadline(after: Self.youth)
        client.setDeadline(after: route.idleTimeout)
        client.relayUnread()
        if stage == .relaying { side.relayUnread() }
    }

    private func connectFailed() {
        countFailure()
        dropUpstream()
        connect()
    }

    private func countFailure() {
        worker.counters.add(Tally.connectFailures)
        let slot = route.slots[position]
        route.table.count(success: false, at: slot)
        let row = route.table.extendRow(.connect, at: slot)
        if let ejection = route.plan.pool.ejection, row == ejection.failures { unsafe forwarder.endpointsChanged() }
    }

    /// Closes the endpoint's socket and keeps the client.
    private func dropUpstream() {
        guard let side = unsafe upstream else { return }
        unsafe upstream = nil
        route.table.ended(route.slots[position])
        side.close()
    }

    // MARK: - Refusing

    private func refuse(_ reason: EndReason) {
        worker.counters.add(reason == .exhausted ? Tally.exhausted : Tally.refused)
        let words = reason == .exhausted ? route.plan.exhaustion : route.plan.refusal
        guard let message = words, let client = unsafe client else {
            finish(reason)
            return
        }
        stage = .refusing
        refusal = RefusalTalk(message, reason: reason, buffers: worker.buffers)
        client.setDeadline(after: RefusalTalk.patience)
        converse()
    }

    private func converse() {
        guard let talk = refusal, let client = unsafe client else { return }
        if talk.proceed(client.transport) { finish(talk.reason) }
    }

    // MARK: - Relaying

    /// The end of `side`'s stream was read.
    func ended(_ side: Side) {
        if firstEnd == nil { firstEnd = unsafe side === client ? .clientClosed : .endpointClosed }
    }

    /// Ends the flow when both directions are over, and says whether it did.
    func finishIfDone() -> Bool {
        guard let client = unsafe client, let upstream = unsafe upstream, client.isDone, upstream.isDone else {
            return false
        }
        finish(firstEnd ?? .clientClosed)
        return true
    }

    /// Reading or writing `side` failed: the stream was cut short, and both ends hear of it as a reset.
    func broke(_ side: Side) { finish(unsafe side === client ? .clientReset : .endpointReset) }

    /// Whether the endpoint may keep this connection; ends it otherwise.
    func enforceHealth() {
        guard route.plan.pool.closeOnDown, position >= 0, !route.stands(position) else { return }
        switch stage {
        case .relaying:
            worker.counters.add(Tally.closedOnDown)
            finish(.endpointDown)
        case .connecting:
            dropUpstream()
            connect()
        case .refusing, .over: break
        }
    }

    // MARK: - Stopping

    /// While the node stops: ends a session in which nothing is under way, and says whether it did.
    func endIfIdle() -> Bool {
        guard unsafe forwarder.isDraining, stage == .relaying, watch.standing == .idle else { return false }
        if isLate, let client = unsafe client {
            let end = login ?? client.received
            login = end
            guard client.received > end else { return false }
        }
        guard sayFarewell() else { return false }
        finish(.drained)
        return true
    }

    /// The time for that is over.
    func cutOff() {
        if stage == .relaying, watch.standing != .unknown { _ = sayFarewell() }
        finish(.stopped)
    }

    /// Tells both ends of a PostgreSQL session that it is over. False when it is not between two messages.
    private func sayFarewell() -> Bool {
        guard let words = route.plan.farewell, let client = unsafe client, let upstream = unsafe upstream,
            client.isDrained, upstream.isDrained
        else { return false }
        isTold = true
        _ = unsafe client.transport.write(words.span.bytes)
        let terminate = Refusal.terminate
        _ = unsafe upstream.transport.write(terminate.span.bytes)
        return true
    }

    // MARK: - Ending

    func deadlineReached(_ side: Side) {
        switch stage {
        case .connecting: connectFailed()
        case .refusing: finish(refusal?.reason ?? .noEndpoint)
        case .relaying where unsafe side === upstream:
            Socket.keepAlive(side.descriptor, route.plan.pool.watch)
        case .relaying:
            let idle = worker.now &- lastActivity
            if idle < route.idleTimeout {
                side.setDeadline(after: route.idleTimeout &- idle)
            } else {
                worker.counters.add(Tally.idle)
                finish(.idle)
            }
        case .over: break
        }
    }

    /// A side was closed, by this flow or because its worker could not watch it.
    func closed(_ side: Side) {
        let isClient = unsafe side === client
        if isClient { fromClient = side.received } else { fromEndpoint = side.received }
        guard stage != .over else { return }
        if unsafe side === upstream, stage == .connecting {
            unsafe upstream = nil
            route.table.ended(route.slots[position])
            connect()
        } else if isClient || stage == .relaying {
            finish(.stopped)
        }
    }

    /// Closes what is open, counts and logs. A second call does nothing.
    func finish(_ reason: EndReason) {
        guard stage != .over else { return }
        stage = .over
        let isOrderly =
            reason == .clientClosed || reason == .endpointClosed || isTold || refusal?.isTold == true
        if reason == .clientReset || reason == .endpointReset { worker.counters.add(Tally.resets) }
        if let side = unsafe upstream {
            route.table.ended(route.slots[position])
            end(side, isOrderly)
        }
        if let side = unsafe client { end(side, isOrderly) }
        refusal?.close(worker.buffers)
        refusal = nil
        worker.counters.add(Tally.finished)
        unsafe forwarder.finished(self, reason, received: fromClient, sent: fromEndpoint)
    }

    private func end(_ side: Side, _ isOrderly: Bool) {
        guard side.descriptor >= 0 else { return }
        if !isOrderly { Socket.resetOnClose(side.descriptor) }
        side.close()
    }
}
