import Engine
import HTTPExchange
import HTTPWire
import Model

/// How exchanges end.
extension Exchange {
    // The sides are handed from function to function: each look at a member that may change counts a reference.

    /// The whole response has been handed to the client's connection.
    func finish(_ session: ClientSession, _ connection: UpstreamConnection) {
        let complete = requestIsComplete && !clientEnded
        if let pool = unsafe pool, let endpoint = unsafe endpoint {
            let elapsed = proxy.worker.now &- started
            let table = proxy.table
            let slot = endpoint.slot
            table.ended(slot)
            if isCheck {
                // Real traffic judges.
            } else if status >= 500, !TrafficFailures(status: status).isDisjoint(with: pool.ejectionCauses) {
                countFailure(endpoint, TrafficFailures(status: status), pool)
            } else {
                table.count(success: true, at: slot)
                table.endRow(at: slot)
                table.observeLatency(elapsed, at: slot)
            }
            let isClean = connection.input.isEmpty
            connection.releaseInput()
            unsafe upstream = nil
            unsafe connection.exchange = nil
            if keepsUpstream, isClean, complete, !connection.peerHasClosed, !connection.isBlocked,
                endpoint.idleCount < pool.keepalive, !proxy.context.isDraining
            {
                connection.setDeadline(after: pool.idleTimeout)
                endpoint.pushIdle(connection)
            } else {
                connection.close()
            }
            settle(pool)
        } else {
            settle(nil)
        }
        if keepsClient, complete {
            session.exchangeEnded(consumed: sent)
        } else {
            session.closeAfterResponse(hasUnread: !complete || isTunnel)
        }
    }

    /// Counts and logs, and makes the object ready for the next request.
    private func settle(_ pool: WorkerPool?) {
        let proxy = proxy
        if !isCheck { record(pool, elapsed: proxy.worker.now &- started) }
        proxy.worker.buffers.reclaim(&headBuffer)
        stage = .idle
        unsafe route = nil
        unsafe self.pool = nil
        unsafe endpoint = nil
    }

    private func record(_ pool: WorkerPool?, elapsed: UInt64) {
        proxy.countStatus(status)
        proxy.count(WorkerCounter.bytesIn, bytesIn)
        proxy.count(WorkerCounter.bytesOut, bytesOut)
        if let pool {
            let counters = pool.counters
            if status >= 100 { counters.add(PoolCounter.status &+ min(status / 100, 5) &- 1) }
            counters.add(PoolCounter.bytesIn, bytesIn)
            counters.add(PoolCounter.bytesOut, bytesOut)
            counters.add(PoolCounter.nanoseconds, elapsed)
            counters.add(PoolCounter.firstBucket &+ LatencyBuckets.index(elapsed))
        }
        unsafe route?.counters.add(RouteCounter.cell(status: status))
        if proxy.logs { proxy.log(self, elapsed: elapsed) }
    }

    /// Lets go of the endpoint without a judgement about it.
    func releaseEndpoint() {
        guard let endpoint = unsafe endpoint else { return }
        proxy.table.ended(endpoint.slot)
        unsafe self.endpoint = nil
    }

    /// Answers by ourselves. No part of another response has been sent.
    func answer(_ status: Int, _ reason: StaticString, isOurs: Bool = false) {
        let session = session
        let complete = requestIsCompleteOrUnsent
        self.status = status
        self.reason = reason
        if status >= 502, status <= 504, !isOurs, !isCheck { unsafe pool?.counters.add(PoolCounter.failures) }
        let keeps = keepsClient && complete && !proxy.context.isDraining
        let consumed = checked
        session.respond(status: status, reason: reason, isHead: isHead, closes: !keeps)
        unsafe settle(pool)
        guard session.descriptor >= 0 else { return }
        if keeps {
            session.exchangeEnded(consumed: consumed)
        } else {
            session.closeAfterResponse(hasUnread: !complete)
        }
    }

    /// What we lack is no fault of the pool's.
    func answerExhausted() {
        unsafe pool?.counters.add(PoolCounter.exhausted)
        answer(503, "exhausted", isOurs: true)
    }

    /// The whole request is in the buffer, sent or not, so that the next one can be found behind it.
    private var requestIsCompleteOrUnsent: Bool { requestBody.isComplete && !isTunnel }

    /// The upstream's stream ended.
    func upstreamEnded() {
        if stage == .responding, responseBody.endsWithConnection {
            keepsUpstream = false
            responseEnded()
            if forwardable == 0, let connection = unsafe upstream { finish(session, connection) }
        } else {
            upstreamBroke()
        }
    }

    /// The upstream sent something that is no response.
    func malformed(_ reason: StaticString) {
        if let endpoint = unsafe endpoint { fail(endpoint, .reset) }
        answer(502, reason)
    }

    /// The response ended before its body did: the client must not take it for whole.
    func truncated(isSilent: Bool = false) {
        reason = "truncated-response"
        unsafe pool?.counters.add(PoolCounter.failures)
        if let endpoint = unsafe endpoint { fail(endpoint, isSilent ? .timeout : .reset) }
        session.close()
    }

    /// A final response's head has been sent and its body has not been handed over to the end. A tunnel has no end that could
    /// be missed.
    var isWithinResponse: Bool { stage == .responding && !isTunnel }

    /// The client's connection is gone.
    func abandon() {
        guard stage != .idle else { return }
        if reason == nil { reason = isTunnel ? "tunnel-closed" : "client-closed" }
        // Where an endpoint was asked and is none any more, it was that one's doing.
        if !isTunnel, !isCheck, unsafe attempts == 0 || endpoint != nil { proxy.count(WorkerCounter.aborted) }
        releaseEndpoint()
        dropUpstream()
        unsafe settle(pool)
    }

    /// The client has stopped sending: nobody waits for what is not on its way yet. One that shuts down its side and goes on
    /// reading is treated alike, since the two look the same from here.
    func clientLeft() {
        guard session.peerHasClosed, stage != .idle, !isTunnel, requestBody.isComplete else { return }
        if stage == .responding, responseEnds { return }
        session.close()
    }

    // MARK: - Clocks

    /// How long the upstream may be silent, in nanoseconds.
    var patience: UInt64 { isTunnel ? idleTimeout : responseTimeout }

    func upstreamTimedOut() {
        guard let connection = unsafe upstream else { return }
        if !connection.isConnected {
            connectFailed(reason: "connect-timeout", status: 504)
            return
        }
        // While the client is the slow side its own clock decides. One that was promised 100 is not.
        let waitsForClient =
            session.isBlocked || (!requestBody.isComplete && !connection.isBlocked && !isTunnel && !awaitsContinue)
        if waitsForClient {
            connection.setDeadline(after: patience)
        } else if isTunnel {
            reason = "tunnel-idle"
            session.close()
        } else if stage == .responding {
            truncated(isSilent: true)
        } else {
            failed(.timeout, "response-timeout", 504)
        }
    }

    func clientTimedOut() {
        let session = session
        if !session.isBlocked, waitsForEndpoint {
            // The pool's clocks decide, and it is not the client's fault.
            session.setDeadline(after: session.limits.bodyTimeout)
        } else if stage == .waiting || stage == .connecting, !requestBody.isComplete, !session.isBlocked {
            endRequest(408, "body-timeout")
        } else if isTunnel, !session.isBlocked {
            session.setDeadline(after: session.limits.bodyTimeout)
        } else {
            reason = "client-timeout"
            session.close()
        }
    }

    /// The request's body goes on when the endpoint does something.
    private var waitsForEndpoint: Bool {
        if stage == .connecting || awaitsContinue { return true }
        if let connection = unsafe upstream { return connection.isBlocked }
        return false
    }

    /// The endpoint wants the body: from now on the client is waited for.
    func endWaitForContinue() {
        guard awaitsContinue else { return }
        awaitsContinue = false
        session.setDeadline(after: session.limits.bodyTimeout)
    }

    /// The client's connection takes octets again.
    func clientDrained() {
        if requestBody.isComplete { session.suspendDeadline() }
        guard let connection = unsafe upstream else { return }
        if stage == .responding, responseEnds, forwardable == 0 {
            finish(session, connection)
            return
        }
        connection.setDeadline(after: patience)
        pumpResponse()
    }

    func logRefusal(status: Int, reason: StaticString) {
        guard proxy.logs else { return }
        self.status = status
        self.reason = reason
        started = proxy.worker.now
        attempts = 0
        bytesIn = 0
        bytesOut = 0
        methodText = .empty
        target = .empty
        host = .empty
        userAgent = .empty
        referer = .empty
        identifier = (proxy.worker.random.next(), proxy.worker.random.next())
        givenIdentifier = .empty
        forgetAttempt()
        proxy.log(self, elapsed: 0)
    }
}
