import ControlPlane
import Engine
import HTTPExchange
import HTTPWire
import Model

/// One request, one response, two bodies with back-pressure: the core of the proxy. It is told by the downstream codec
/// (`ClientSession`) that a request came, and talks to the upstream codec (`UpstreamConnection`); what they speak on the
/// wire is their business. One object serves the requests of a session one after the other.
///
/// The request's head stays at the start of the session's input until the exchange ends: it is what a retry sends again
/// and what the access log quotes.
@safe
package final class Exchange {
    /// A body needs at least this much room behind the head, or it gets a buffer of its own.
    static let leastBodyRoom = 4096

    enum Stage: UInt8 {
        /// No request.
        case idle
        case connecting
        /// The request, or as much of it as there is, went out; no final response head yet.
        case waiting
        case responding
    }

    // The sides. A session owns its exchange; upstream connections belong to their worker until they are closed.
    private unowned(unsafe) var owner: ClientSession?
    /// Lives as long as its worker. Owned, since reading an owned constant counts no reference.
    let proxy: ProxyWorker
    unowned(unsafe) var upstream: UpstreamConnection?
    unowned(unsafe) var route: WorkerRoute?
    unowned(unsafe) var pool: WorkerPool?
    unowned(unsafe) var endpoint: WorkerEndpoint?

    // The request.
    var stage = Stage.idle
    var started: UInt64 = 0
    var isHead = false
    var isIdempotent = false
    var isOldClient = false
    var keepsClient = false
    /// The protocol that the client asks for and the route allows, by offset in the head; empty when there is none.
    var upgrade = Slice.empty
    var isTunnel = false
    /// It is a check of one of our own nodes: served, and in no count but one.
    var isCheck = false
    var requestBody = BodyReader(.none)
    /// Offsets in the session's input: where the body begins, what was checked, what was sent.
    var bodyBase = 0
    var checked = 0
    var sent = 0
    /// Octets of the body that left the buffer: a retry is impossible from then on.
    var hasDroppedBody = false
    /// The head, when the body moved to a buffer of its own.
    var headBuffer = Buffer()
    var clientEnded = false
    /// The client waits with its body until the endpoint says 100 (RFC 9110 section 10.1.1).
    var awaitsContinue = false

    /// The pool's, in nanoseconds.
    var responseTimeout: UInt64 = 0
    var idleTimeout: UInt64 = 0

    // The attempts.
    var attempts = 0
    /// When the latest began, by the worker's clock.
    var attemptBegan: UInt64 = 0
    /// Nanoseconds from there to the connection (nil when it was there already), to the response's head and to its end.
    var connectTime: UInt64?
    var headTime: UInt64?
    var endTime: UInt64?
    /// The endpoint that was asked last, be it in vain. Endpoints live as long as the process.
    unowned(unsafe) var asked: WorkerEndpoint?
    var tried: UInt64 = 0
    /// An idle connection had been closed by the server, or said what nobody asked for: the next attempt makes a new one.
    var needsFresh = false

    // The response.
    var status = 0
    var responseBody = BodyReader(.none)
    /// 1xx heads that came before the final one.
    var interims = 0
    var keepsUpstream = false
    /// Octets at the start of the upstream's input that belong to the client.
    var forwardable = 0
    /// The last of the body is among them.
    var responseEnds = false

    // For the log.
    /// What the backend and the log know this request by, unless a trusted proxy has named it.
    var identifier: (UInt64, UInt64) = (0, 0)
    /// What a trusted proxy calls it, in the head.
    var givenIdentifier = Slice.empty
    var reason: StaticString?
    var bytesIn: UInt64 = 0
    var bytesOut: UInt64 = 0
    var methodText = Slice.empty
    var target = Slice.empty
    var host = Slice.empty
    var userAgent = Slice.empty
    var referer = Slice.empty

    init(proxy: ProxyWorker) {
        self.proxy = proxy
    }

    /// Once, by the session that owns this exchange.
    func attach(_ session: ClientSession) { unsafe owner = session }

    /// The session that owns this exchange: it outlives every call.
    var session: ClientSession {
        @inline(__always) get { unsafe owner.unsafelyUnwrapped }
    }

    /// Calls `body` with the octets that begin with the request's head. They are not to be moved meanwhile.
    @inline(__always)
    func withHead<Result>(_ body: (RawSpan) -> Result) -> Result {
        if headBuffer.isVacant { return session.input.withReadable(body) }
        return headBuffer.withReadable(body)
    }

    var requestIsComplete: Bool { requestBody.isComplete && sent == checked }

    // MARK: - Beginning

    /// A head has been parsed into the session's context.
    func begin() {
        let session = session
        let head = proxy.context.request
        stage = .connecting
        started = proxy.worker.now
        isHead = head.method == .head
        isIdempotent = head.method.isIdempotent
        isOldClient = head.minorVersion == 0
        keepsClient = head.keepsAlive && !proxy.context.isDraining
        upgrade = .empty
        isTunnel = false
        requestBody = BodyReader(head.framing)
        bodyBase = head.length
        checked = head.length
        sent = head.length
        hasDroppedBody = false
        clientEnded = false
        awaitsContinue = head.expectsContinue && !requestBody.isComplete
        attempts = 0
        tried = 0
        needsFresh = false
        interims = 0
        status = 0
        reason = nil
        bytesIn = UInt64(head.length)
        bytesOut = 0
        unsafe route = nil
        unsafe pool = nil
        unsafe endpoint = nil
        methodText = head.methodText
        target = head.target
        host = head.host
        userAgent = head.userAgent
        referer = head.referer
        givenIdentifier = session.isTrusted ? head.requestID : .empty
        if givenIdentifier.isEmpty { identifier = (proxy.worker.random.next(), proxy.worker.random.next()) }
        forgetAttempt()
        isCheck = !head.checkMark.isEmpty && withHead { proxy.isCheck($0, head.checkMark) }
        proxy.count(isCheck ? WorkerCounter.checks : WorkerCounter.requests)

        if head.method == .trace { return refuse(405, HeadFault.methodNotAllowed.reason) }
        if head.maxForwards == 0 { return refuse(200, "max-forwards") }
        if case .length(let length) = head.framing, length > session.bodyLimit { return refuse(413, "body-too-large") }
        guard withHead({ proxy.normalisePath($0) }) else { return refuse(400, HeadFault.malformedPath.reason) }
        guard let index = withHead({ proxy.route($0) }) else {
            if !isCheck { proxy.count(WorkerCounter.unrouted) }
            return refuse(404, "no-route")
        }
        if !head.upgrade.isEmpty, head.framing == .none,
            withHead({ proxy.plan.allowsUpgrade($0, head.upgrade, ofRoute: index) })
        {
            upgrade = head.upgrade
        }
        let route = proxy.route(index)
        unsafe self.route = route
        let pool = route.pool
        unsafe self.pool = pool
        responseTimeout = pool.responseTimeout
        idleTimeout = pool.idleTimeout
        if !isCheck { pool.counters.add(PoolCounter.requests) }
        if !requestBody.isComplete {
            session.input.compact()
            session.setDeadline(after: session.limits.bodyTimeout)
            guard checkBody() else { return }
        }
        noteClient()
        clientLeft()
        if stage != .idle { attempt(session, pool, isParsed: true) }
    }

    /// Answers by ourselves, before any endpoint was asked.
    private func refuse(_ status: Int, _ reason: StaticString) {
        if status >= 400, status < 500, !isCheck { proxy.count(WorkerCounter.refused) }
        answer(status, reason)
    }

    // MARK: - Attempts

    /// Sends the request to an endpoint: to an idle connection at once, to a new one when it is there. `isParsed` says that
    /// the session's context still holds this request's head.
    func attempt(_ session: ClientSession, _ pool: WorkerPool, isParsed: Bool) {
        var isOurs = false
        while attempts < pool.retry.attempts {
            guard let position = pool.pick(tried: tried, source: session.source, random: &proxy.worker.random)
            else { break }
            let endpoint = pool.endpoints[position]
            unsafe self.endpoint = endpoint
            proxy.table.began(endpoint.slot)
            forgetAttempt()
            attemptBegan = proxy.worker.now
            unsafe asked = endpoint
            attempts &+= 1
            if attempts > 1 { pool.counters.add(PoolCounter.retries) }
            if !needsFresh, let idle = idleConnection(endpoint) {
                unsafe upstream = idle
                idle.take(for: self)
                tried |= 1 << UInt64(position & 63)
                pool.counters.add(PoolCounter.reuses)
                sendRequest(session, idle, isParsed: isParsed)
                return
            }
            tried |= 1 << UInt64(position & 63)
            pool.counters.add(PoolCounter.connects)
            do throws(SocketError) {
                let descriptor = try Socket.connect(endpoint.address, forTraffic: true)
                Socket.keepAlive(descriptor, pool.watch)
                let connection = UpstreamConnection(
                    worker: proxy.worker, endpoint: endpoint, descriptor: descriptor)
                unsafe connection.exchange = self
                unsafe upstream = connection
                stage = .connecting
                connection.setDeadline(after: pool.connectTimeout)
                connection.register()
                if connection.descriptor >= 0 { return }
                // The poller could not take it.
                isOurs = true
            } catch {
                if let shortage = error.shortage {
                    ShortageCounts.process.note(shortage)
                    isOurs = true
                    // There may be ports left on the way to another endpoint.
                    if shortage == .ports {
                        releaseEndpoint()
                        continue
                    }
                }
                reason = "connect-failed"
            }
            if isOurs {
                releaseEndpoint()
                dropUpstream()
                break
            }
            fail(endpoint, .connect)
            if !pool.retry.on.contains(.connect) { break }
        }
        if isOurs {
            answerExhausted()
        } else if attempts == 0 {
            answer(503, "no-endpoint")
        } else {
            answer(502, reason ?? "connect-failed")
        }
    }

    /// A connection that waits. What may be sent only once does not go out on one whose server has spoken or closed
    /// meanwhile, which costs a system call; for all else it is early enough when that shows.
    private func idleConnection(_ endpoint: WorkerEndpoint) -> UpstreamConnection? {
        while let idle = endpoint.popIdle() {
            if isIdempotent || idle.isQuiet { return idle }
            idle.close()
        }
        return nil
    }

    func forgetAttempt() {
        unsafe asked = nil
        connectTime = nil
        headTime = nil
        endTime = nil
    }

    /// Counts a failure of the endpoint in use and lets go of it.
    func fail(_ endpoint: WorkerEndpoint, _ failure: TrafficFailures) {
        guard let pool = unsafe pool else { return }
        proxy.table.ended(endpoint.slot)
        countFailure(endpoint, failure, pool)
        unsafe self.endpoint = nil
        dropUpstream()
    }

    func countFailure(_ endpoint: WorkerEndpoint, _ failure: TrafficFailures, _ pool: WorkerPool) {
        // Endpoints have checks of their own.
        if isCheck { return }
        proxy.table.count(success: false, at: endpoint.slot)
        let causes = failure.intersection(pool.ejectionCauses)
        if !causes.isEmpty, proxy.table.extendRow(causes, at: endpoint.slot) == pool.ejectionFailures {
            proxy.health.endpointsChanged()
        }
    }

    /// Closes the upstream connection and forgets it.
    func dropUpstream() {
        guard let connection = unsafe upstream else { return }
        unsafe upstream = nil
        unsafe connection.exchange = nil
        connection.close()
    }

    func connectFailed(reason: StaticString, status: Int) {
        failed(.connect, reason, status, isUntouched: true)
    }

    /// The endpoint in use has failed: the request goes on to another one if it may, and else the client is told.
    /// `isUntouched` says that nothing can have been processed, so that any method may be repeated.
    func failed(_ failure: TrafficFailures, _ reason: StaticString, _ status: Int, isUntouched: Bool = false) {
        guard let endpoint = unsafe endpoint, let pool = unsafe pool else { return }
        let mayRepeat = mayRepeat(after: failure, isUntouched: isUntouched)
        self.reason = reason
        fail(endpoint, failure)
        if mayRepeat {
            sent = bodyBase
            attempt(session, pool, isParsed: false)
        } else {
            answer(status, reason)
        }
    }

    /// Whether another endpoint is to be asked after `failure`: by the pool's policy, and only while all of the request is
    /// still here and the client has got nothing.
    func mayRepeat(after failure: TrafficFailures, isUntouched: Bool = false) -> Bool {
        guard let retry = unsafe pool?.retry, !retry.on.isDisjoint(with: failure), attempts < retry.attempts else {
            return false
        }
        return isRepeatable(isUntouched) && hasUntried
    }

    private func isRepeatable(_ isUntouched: Bool) -> Bool {
        !hasDroppedBody && !isTunnel && bytesOut == 0 && (isIdempotent || isUntouched)
    }

    /// Another endpoint could be asked.
    private var hasUntried: Bool {
        guard let pool = unsafe pool else { return false }
        for position in pool.endpoints.indices
        where tried & (1 << UInt64(position & 63)) == 0 && proxy.table.state(pool.endpoints[position].slot).isUsable {
            return true
        }
        return false
    }

    func connected() {
        connectTime = attemptTime
        if let connection = unsafe upstream { sendRequest(session, connection, isParsed: false) }
    }

    /// Nanoseconds since the latest attempt began.
    var attemptTime: UInt64 { proxy.worker.now &- attemptBegan }

    /// The last octet of the response is there.
    func responseEnded() {
        responseEnds = true
        endTime = attemptTime
    }

    /// The upstream connection broke, or ended where no end was due.
    ///
    /// - Parameter nothingSent: the socket took no octet of the request, so that nothing can have been processed.
    func upstreamBroke(nothingSent: Bool = false) {
        guard let connection = unsafe upstream, unsafe endpoint != nil else { return }
        if stage == .responding { return truncated() }
        // The server closed an idle connection while we took it: nobody's fault, and it may be tried again.
        if replaceStale(connection, isUntouched: nothingSent) { return }
        failed(.reset, "closed-before-response", 502, isUntouched: nothingSent)
    }

    /// Sends the request over a fresh connection, when this one had served before and the request may be sent again.
    private func replaceStale(_ connection: UpstreamConnection, isUntouched: Bool) -> Bool {
        guard connection.isReused, isRepeatable(isUntouched), !needsFresh, let pool = unsafe pool else { return false }
        releaseEndpoint()
        dropUpstream()
        needsFresh = true
        attempts &-= 1
        tried = 0
        sent = bodyBase
        attempt(session, pool, isParsed: false)
        return true
    }

    /// A connection that had served before brought octets that are no response to this request: the rest of an earlier one.
    /// False when the request cannot go over another.
    func upstreamSpokeFirst() -> Bool {
        guard stage == .waiting, interims == 0, let connection = unsafe upstream else { return false }
        return replaceStale(connection, isUntouched: false)
    }
}
