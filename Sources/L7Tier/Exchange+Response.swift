import Engine
import HTTPExchange
import HTTPWire
import Model

/// The response's way down.
extension Exchange {
    /// The most that a response head may take: what fits into a buffer.
    private static let headLimit = Buffer.capacity
    private static let fieldLimit = FieldTable.capacity
    /// 1xx heads before a response: an endpoint has no use for more, and each costs the client a wait.
    private static let maximumInterims = 16

    /// Moves the response from the upstream connection to the client, as far as both allow.
    func pumpResponse() {
        guard let connection = unsafe upstream else { return }
        let session = session
        var reads = 0
        // Whatever drops the connection also ends the exchange or starts another attempt, and returns here.
        while stage == .waiting || stage == .responding {
            if session.isBlocked { return }
            if !connection.input.isEmpty {
                if stage == .waiting {
                    switch takeHead(session, connection) {
                    case .goesOn: continue
                    case .stops: return
                    case .needsMore: break
                    }
                } else {
                    guard forwardBody(session, connection, head: RawSpan()) else { return }
                    if session.isBlocked { return }
                }
            } else if responseEnds, stage == .responding {
                finish(session, connection)
                return
            }
            if reads == ServerSession.readsPerTurn {
                connection.renew()
                return
            }
            reads &+= 1
            connection.input.compact()
            switch connection.fill() {
            case .bytes:
                connection.setDeadline(after: patience)
            case .nothing: return
            case .ended:
                upstreamEnded()
                return
            case .failed:
                upstreamBroke()
                return
            }
        }
    }

    private enum Pace {
        /// There may be more to do with what is there.
        case goesOn
        case needsMore
        /// The exchange is over or has to wait.
        case stops
    }

    /// Parses a response head and acts on it.
    private func takeHead(_ session: ClientSession, _ connection: UpstreamConnection) -> Pace {
        let response = proxy.response
        switch response.parse(
            connection.input.readable, isHead: isHead, limit: Self.headLimit, fieldLimit: Self.fieldLimit)
        {
        case .incomplete: return .needsMore
        case .invalid(let fault):
            if !upstreamSpokeFirst() { malformed(fault.reason) }
            return .stops
        case .complete: break
        }
        if response.status == 101 {
            guard !upgrade.isEmpty, answersUpgrade(connection) else {
                malformed("unexpected-upgrade")
                return .stops
            }
            return beginTunnel(connection) ? .goesOn : .stops
        }
        if response.status < 200 { return forwardInterim(connection) ? .goesOn : .stops }
        if response.status >= 500, mayRepeat(after: TrafficFailures(status: response.status)) {
            failed(TrafficFailures(status: response.status), "server-error", response.status)
            return .stops
        }
        return beginResponse(session, connection) ? .goesOn : .stops
    }

    /// Whether a 101 is about the protocol that was asked for.
    private func answersUpgrade(_ connection: UpstreamConnection) -> Bool {
        let name = proxy.response.upgrade
        return withHead { head in
            let asked = head.extracting(upgrade.start..<upgrade.end)
            return connection.input.withBytes(name.start..<name.end) { asked.equals($0, ignoringCase: true) }
        }
    }

    /// 100, 103 and their kind go on as they are, but never to HTTP/1.0 (RFC 9110 section 15.2).
    private func forwardInterim(_ connection: UpstreamConnection) -> Bool {
        if proxy.response.status == 100 { endWaitForContinue() }
        interims &+= 1
        guard interims <= Self.maximumInterims else {
            malformed("too-many-interim-responses")
            return false
        }
        if !isOldClient, var writer = unsafe HeadWriter(proxy.context.scratch) {
            appendFields(connection.input.readable, to: &writer)
            writer.append(chunked: false, length: nil, connection: .none)
            writer.append("\r\n")
            guard writer.withWritten({ session.send($0, RawSpan()) }) != nil else {
                session.close()
                return false
            }
            bytesOut &+= UInt64(writer.count)
        }
        connection.input.consume(proxy.response.length)
        return true
    }

    private func beginTunnel(_ connection: UpstreamConnection) -> Bool {
        guard var writer = unsafe HeadWriter(proxy.context.scratch) else { return false }
        appendFields(connection.input.readable, to: &writer)
        writer.append(chunked: false, length: nil, connection: .upgrade)
        appendUpgrade(connection.input.readable, proxy.response.upgrade, to: &writer)
        writer.append("\r\n")
        isTunnel = true
        headTime = attemptTime
        keepsClient = false
        status = 101
        stage = .responding
        requestBody = BodyReader(.untilClose)
        responseBody = BodyReader(.untilClose)
        keepsUpstream = false
        responseEnds = false
        forwardable = 0
        guard writer.withWritten({ session.send($0, RawSpan()) }) != nil else {
            session.close()
            return false
        }
        bytesOut &+= UInt64(writer.count)
        connection.input.consume(proxy.response.length)
        // From here on the tunnel's own clock runs.
        connection.setDeadline(after: patience)
        // What the client sent ahead belongs to the tunnel.
        guard checkBody() else { return false }
        pumpRequest()
        return unsafe upstream != nil
    }

    private func beginResponse(_ session: ClientSession, _ connection: UpstreamConnection) -> Bool {
        let response = proxy.response
        let isChunked = response.framing == .chunked
        let decodes = isOldClient && isChunked
        stage = .responding
        status = response.status
        responseBody = BodyReader(response.framing, decodes: decodes)
        // A body that may not be there and was announced all the same could still come.
        keepsUpstream = response.keepsAlive && response.framing != .untilClose && !response.announcesMissingBody
        headTime = attemptTime
        responseEnds = false
        if responseBody.isComplete { responseEnded() }
        forwardable = 0
        // Without a length the end of the connection is the end of the body.
        if response.framing == .untilClose || decodes || !requestBody.isComplete { keepsClient = false }
        if proxy.context.isDraining { keepsClient = false }
        guard var writer = unsafe HeadWriter(proxy.context.scratch) else { return false }
        appendFields(connection.input.readable, to: &writer)
        if !response.hasDate { proxy.appendDate(to: &writer) }
        writer.append(
            chunked: isChunked && !decodes, length: response.contentLength,
            connection: keepsClient ? (isOldClient ? .keepAlive : .none) : .close)
        writer.append("\r\n")
        connection.input.consume(response.length)
        return writer.withWritten { forwardBody(session, connection, head: $0) }
    }

    /// The status line and the fields that go on.
    private func appendFields(_ bytes: RawSpan, to writer: inout HeadWriter) {
        let response = proxy.response
        writer.append(
            response.fields, of: bytes, from: startLine(bytes, to: &writer), end: response.length &- 2,
            dropsUnderscores: false, isReplaced: { _ in false })
    }

    /// The status line as it came when it says HTTP/1.1, to be taken along with the fields; else it is written anew.
    private func startLine(_ bytes: RawSpan, to writer: inout HeadWriter) -> Int? {
        if bytes.octet(7) == 0x31 { return 0 }
        writer.append("HTTP/1.1 ")
        writer.append(bytes, proxy.response.statusText)
        writer.append("\r\n")
        return nil
    }

    /// Sends `head` and what is there of the body with one call. False when the exchange is over or has to wait.
    private func forwardBody(_ session: ClientSession, _ connection: UpstreamConnection, head: RawSpan) -> Bool {
        guard checkResponse(connection) else {
            flushHeadAndAbort(isUnsent: !head.isEmpty)
            return false
        }
        guard let taken = send(session, connection, head: head) else {
            session.close()
            return false
        }
        bytesOut &+= UInt64(head.byteCount &+ taken)
        forwardable &-= taken
        connection.input.consume(taken)
        if forwardable > 0 || session.hasPending {
            // The body's last part may wait in the upstream's buffer: the exchange goes on when the client has read.
            session.setDeadline(after: session.limits.bodyTimeout)
            if forwardable > 0 { return false }
        } else if !requestBody.isComplete {
            // One body moves while the other waits.
            session.setDeadline(after: session.limits.bodyTimeout)
        }
        if responseEnds {
            finish(session, connection)
            return false
        }
        return true
    }

    private func send(_ session: ClientSession, _ connection: UpstreamConnection, head: RawSpan) -> Int? {
        if forwardable == 0 { return session.send(head, RawSpan()) }
        return connection.input.withBytes(0..<forwardable) { session.send(head, $0) }
    }

    /// Looks at the body octets that came in since the last call: those that go on move behind the ones that wait.
    private func checkResponse(_ connection: UpstreamConnection) -> Bool {
        guard !responseEnds, connection.input.count > forwardable else { return true }
        let passage = connection.input.withMutableBytes(from: forwardable) { responseBody.pass($0) }
        if passage.isMalformed { return false }
        connection.input.remove((forwardable &+ passage.kept)..<(forwardable &+ passage.taken))
        forwardable &+= passage.kept
        if passage.hasEnded { responseEnded() }
        return true
    }

    /// Framing that broke after the head went out, or with it: the client sees an abort, never a clean end.
    private func flushHeadAndAbort(isUnsent: Bool) {
        if isUnsent {
            // Nothing was sent yet: the client can be told.
            stage = .waiting
            malformed("malformed-body")
        } else {
            truncated()
        }
    }
}
