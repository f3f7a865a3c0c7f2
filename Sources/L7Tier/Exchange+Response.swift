import Engine
import HTTPExchange
import HTTPWire

/// The response's way down.
extension Exchange {
    /// The most that a response head may take: what fits into a buffer.
    private static let headLimit = Buffer.capacity
    private static let fieldLimit = FieldTable.capacity

    /// Moves the response from the upstream connection to the client, as far as both allow.
    func pumpResponse() {
        guard let connection = unsafe upstream else { return }
        let session = session
        // Whatever drops the connection also ends the exchange or starts another attempt, and returns here.
        while stage == .waiting || stage == .responding {
            if session.isBlocked { return }
            if let input = connection.input, !input.isEmpty {
                if stage == .waiting {
                    switch takeHead(session, connection) {
                    case .goesOn: continue
                    case .stops: return
                    case .needsMore: break
                    }
                } else {
                    guard unsafe forwardBody(session, connection, head: Self.nothing) else { return }
                    if session.isBlocked { return }
                }
            } else if responseEnds, stage == .responding {
                finish(session, connection)
                return
            }
            connection.input?.compact()
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
        guard let bytes = unsafe connection.input?.readable else { return .needsMore }
        let response = proxy.response
        switch unsafe response.parse(bytes.bytes, isHead: isHead, limit: Self.headLimit, fieldLimit: Self.fieldLimit) {
        case .incomplete: return .needsMore
        case .invalid(let fault):
            malformed(fault.reason)
            return .stops
        case .complete: break
        }
        if response.status == 101 {
            guard wantsUpgrade, response.wantsUpgrade else {
                malformed("unexpected-upgrade")
                return .stops
            }
            return unsafe beginTunnel(connection, bytes) ? .goesOn : .stops
        }
        if response.status < 200 { return unsafe forwardInterim(connection, bytes) ? .goesOn : .stops }
        return unsafe beginResponse(session, connection, bytes) ? .goesOn : .stops
    }

    /// 100, 103 and their kind go on as they are, but never to HTTP/1.0 (RFC 9110 section 15.2).
    private func forwardInterim(_ connection: UpstreamConnection, _ bytes: UnsafeRawBufferPointer) -> Bool {
        let response = proxy.response
        if !isOldClient, var writer = unsafe HeadWriter(proxy.context.scratch) {
            unsafe writer.append(
                response.fields, of: bytes, from: unsafe startLine(bytes, to: &writer), end: response.length &- 2,
                hasOptions: response.hasConnectionOptions,
                keepsTransferEncoding: false, isReplaced: { _ in false })
            writer.append("\r\n")
            guard unsafe session.send(writer.written, Self.nothing) != nil else {
                session.close()
                return false
            }
            bytesOut &+= UInt64(writer.count)
        }
        connection.input?.consume(response.length)
        return true
    }

    private func beginTunnel(_ connection: UpstreamConnection, _ bytes: UnsafeRawBufferPointer) -> Bool {
        let response = proxy.response
        guard var writer = unsafe HeadWriter(proxy.context.scratch) else { return false }
        unsafe writer.append(
            response.fields, of: bytes, from: unsafe startLine(bytes, to: &writer), end: response.length &- 2,
            hasOptions: response.hasConnectionOptions,
            keepsTransferEncoding: false, isReplaced: { _ in false })
        unsafe appendUpgrade(response.fields, bytes, to: &writer)
        writer.append("\r\n")
        isTunnel = true
        keepsClient = false
        status = 101
        stage = .responding
        requestBody = BodyReader(.untilClose)
        responseBody = BodyReader(.untilClose)
        keepsUpstream = false
        dechunks = false
        responseEnds = false
        forwardable = 0
        guard unsafe session.send(writer.written, Self.nothing) != nil else {
            session.close()
            return false
        }
        bytesOut &+= UInt64(writer.count)
        connection.input?.consume(response.length)
        // What the client sent ahead belongs to the tunnel.
        guard checkBody() else { return false }
        pumpRequest()
        return unsafe upstream != nil
    }

    private func beginResponse(
        _ session: ClientSession, _ connection: UpstreamConnection, _ bytes: UnsafeRawBufferPointer
    ) -> Bool {
        let response = proxy.response
        stage = .responding
        status = response.status
        responseBody = BodyReader(response.framing)
        keepsUpstream = response.keepsAlive && response.framing != .untilClose
        responseEnds = responseBody.isComplete
        forwardable = 0
        dechunks = isOldClient && response.framing == .chunked
        // Without a length the end of the connection is the end of the body.
        if response.framing == .untilClose || dechunks || !requestBody.isComplete { keepsClient = false }
        if proxy.context.isDraining { keepsClient = false }
        guard var writer = unsafe HeadWriter(proxy.context.scratch) else { return false }
        unsafe writer.append(
            response.fields, of: bytes, from: unsafe startLine(bytes, to: &writer), end: response.length &- 2,
            hasOptions: response.hasConnectionOptions,
            keepsTransferEncoding: !dechunks, isReplaced: { _ in false })
        if !response.hasDate { proxy.appendDate(to: &writer) }
        if !keepsClient {
            writer.append("Connection: close\r\n")
        } else if isOldClient {
            writer.append("Connection: keep-alive\r\n")
        }
        writer.append("\r\n")
        connection.input?.consume(response.length)
        return unsafe forwardBody(session, connection, head: writer.written)
    }

    /// The status line as it came when it says HTTP/1.1, to be taken along with the fields; else it is written anew.
    private func startLine(_ bytes: UnsafeRawBufferPointer, to writer: inout HeadWriter) -> Int? {
        if unsafe bytes[7] == 0x31 { return 0 }
        let text = proxy.response.statusText
        writer.append("HTTP/1.1 ")
        unsafe writer.append(UnsafeRawBufferPointer(rebasing: bytes[text.start..<text.end]))
        writer.append("\r\n")
        return nil
    }

    /// Sends `head` and what is there of the body with one call. False when the exchange is over or has to wait.
    private func forwardBody(
        _ session: ClientSession, _ connection: UpstreamConnection, head: UnsafeRawBufferPointer
    ) -> Bool {
        guard checkResponse(connection) else {
            unsafe flushHeadAndAbort(head)
            return false
        }
        var body = unsafe Self.nothing
        if forwardable > 0, let input = unsafe connection.input?.readable {
            unsafe body = UnsafeRawBufferPointer(rebasing: input[..<forwardable])
        }
        guard let taken = unsafe session.send(head, body) else {
            session.close()
            return false
        }
        bytesOut &+= UInt64(head.count &+ taken)
        forwardable &-= taken
        connection.input?.consume(taken)
        if forwardable > 0 || session.hasPending {
            // The body's last part may wait in the upstream's buffer: the exchange goes on when the client has read.
            session.setDeadline(after: session.limits.bodyTimeout)
            if forwardable > 0 { return false }
        }
        if responseEnds {
            finish(session, connection)
            return false
        }
        return true
    }

    /// Looks at the body octets that came in since the last call.
    private func checkResponse(_ connection: UpstreamConnection) -> Bool {
        guard !responseEnds, let input = unsafe connection.input?.mutableReadable, input.count > forwardable
        else { return true }
        if dechunks { return unsafe checkDechunking(connection, input) }
        let fresh = unsafe UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(input)[forwardable...])
        switch unsafe responseBody.advance(fresh.bytes) {
        case .more(let count): forwardable &+= count
        case .ended(let count):
            forwardable &+= count
            responseEnds = true
        case .malformed: return false
        }
        return true
    }

    /// For HTTP/1.0 clients the data alone is moved together and what is behind it dropped.
    private func checkDechunking(_ connection: UpstreamConnection, _ input: UnsafeMutableRawBufferPointer) -> Bool {
        let fresh = unsafe UnsafeMutableRawBufferPointer(rebasing: input[forwardable...])
        var data = 0
        switch unsafe responseBody.advanceDecoding(fresh, dataCount: &data) {
        case .more: break
        case .ended(let count):
            responseEnds = true
            if count < fresh.count { keepsUpstream = false }
        case .malformed: return false
        }
        forwardable &+= data
        connection.input?.truncate(to: forwardable)
        return true
    }

    /// Framing that broke after the head went out, or with it: the client sees an abort, never a clean end.
    private func flushHeadAndAbort(_ head: UnsafeRawBufferPointer) {
        if head.count > 0 {
            // Nothing was sent yet: the client can be told.
            stage = .waiting
            malformed("malformed-body")
        } else {
            truncated()
        }
    }
}
