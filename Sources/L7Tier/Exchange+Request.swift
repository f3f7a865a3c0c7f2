import Engine
import HTTPExchange
import HTTPWire

/// The request's way up.
extension Exchange {
    /// Writes the head for the next hop and sends it with as much of the body as is there.
    func sendRequest(_ session: ClientSession, _ connection: UpstreamConnection, isParsed: Bool) {
        if !isParsed {
            // Another request went through the worker's tables meanwhile; this one was fine when it came.
            guard withHead({ proxy.context.request.parse($0, limits: session.limits.head) }) == .complete,
                withHead({ proxy.normalisePath($0) })
            else { return session.close() }
        }
        guard var writer = unsafe HeadWriter(proxy.context.scratch) else { return session.close() }
        withHead { writeHead($0, to: &writer) }
        stage = .waiting
        connection.setDeadline(after: responseTimeout)
        guard let taken = writer.withWritten({ send(session, connection, head: $0) }) else {
            upstreamBroke(nothingSent: true)
            return
        }
        sent &+= taken
        if !requestBody.isComplete { pumpRequest() }
    }

    /// Sends `head` and the octets of the body that were checked and not sent, and tells how many of those were taken.
    private func send(_ session: ClientSession, _ connection: UpstreamConnection, head: RawSpan) -> Int? {
        if checked == sent { return connection.send(head, RawSpan()) }
        return session.input.withBytes(sent..<checked) { connection.send(head, $0) }
    }

    private func writeHead(_ bytes: RawSpan, to writer: inout HeadWriter) {
        let head = proxy.context.request
        let session = session
        let hasAuthority = !head.authority.isEmpty
        let writesHost = head.isAbsolute || !hasAuthority
        let start = startLine(bytes, to: &writer)
        if writesHost {
            writer.append("Host: ")
            if hasAuthority {
                writer.append(bytes, head.authority)
            } else {
                unsafe endpoint?.text.withUnsafeBytes { unsafe writer.append($0) }
            }
            writer.append("\r\n")
        }
        writer.append(head.fields, of: bytes, from: start, end: head.length &- 2, dropsUnderscores: true) { name in
            switch name {
            case .host: writesHost
            case .maxForwards: head.maxForwards != nil
            case .requestID, .checkMark: true
            default: replaces(name, session)
            }
        }
        writer.append(
            chunked: head.framing == .chunked, length: head.contentLength,
            connection: upgrade.isEmpty ? .none : .upgrade)
        if !upgrade.isEmpty { appendUpgrade(bytes, upgrade, to: &writer) }
        if let forwards = head.maxForwards {
            writer.append("Max-Forwards: ")
            writer.append(decimal: UInt64(max(0, forwards &- 1)))
            writer.append("\r\n")
        }
        writer.append("X-Request-ID: ")
        if givenIdentifier.isEmpty {
            writer.append(hexadecimal: identifier.0)
            writer.append(hexadecimal: identifier.1)
        } else {
            writer.append(bytes, givenIdentifier)
        }
        writer.append("\r\n")
        appendForwarding(bytes, session, to: &writer)
        writer.append("\r\n")
    }

    /// The request line as it came when nothing about it changes, to be taken along with the fields; else it is written
    /// anew.
    private func startLine(_ bytes: RawSpan, to writer: inout HeadWriter) -> Int? {
        let head = proxy.context.request
        // Behind the target: a space, `HTTP/1.` and the minor version.
        if !head.pathNeedsNormalising, !head.isTargetRaw, !head.isAbsolute, !head.authority.isEmpty,
            bytes.octet(head.target.end &+ 8) == 0x31
        {
            return head.methodText.start
        }
        writer.append(bytes, head.methodText)
        writer.append(0x20)
        proxy.appendPath(bytes, to: &writer)
        if head.isTargetRaw { writer.append(escaping: bytes, head.query) } else { writer.append(bytes, head.query) }
        writer.append(" HTTP/1.1\r\n")
        return nil
    }

    /// The protocol of a tunnel, at `name` of `bytes`.
    func appendUpgrade(_ bytes: RawSpan, _ name: Slice, to writer: inout HeadWriter) {
        writer.append("Upgrade: ")
        writer.append(bytes, name)
        writer.append("\r\n")
    }

    // MARK: - Body

    /// Looks at the body octets that came in since the last call. False when the exchange ended over it.
    func checkBody() -> Bool {
        guard !requestBody.isComplete, session.input.count > checked else { return true }
        let passage = session.input.withMutableBytes(from: checked) { requestBody.pass($0) }
        if passage.isMalformed {
            endRequest(400, "malformed-body")
            return false
        }
        bytesIn &+= UInt64(passage.taken)
        awaitsContinue = false
        session.input.remove((checked &+ passage.kept)..<(checked &+ passage.taken))
        checked &+= passage.kept
        if requestBody.announced > session.bodyLimit {
            endRequest(413, "body-too-large")
            return false
        }
        if requestBody.isComplete {
            session.suspendDeadline()
            // It may have stopped sending behind the body.
            clientLeft()
        }
        return stage != .idle
    }

    /// The request cannot go on, by the client's fault: the upstream learns by the end of its connection.
    func endRequest(_ status: Int, _ reason: StaticString) {
        releaseEndpoint()
        dropUpstream()
        answer(status, reason)
    }

    /// Moves body octets from the client to the upstream connection, as far as both allow.
    func pumpRequest() {
        if requestIsComplete { return }
        let session = session
        guard stage == .waiting || stage == .responding, let connection = unsafe upstream else { return }
        var reads = 0
        while !connection.isBlocked {
            if checked > sent {
                guard let taken = send(session, connection, head: RawSpan()) else {
                    // The response, or the end, is read where responses are read.
                    return
                }
                sent &+= taken
                connection.setDeadline(after: patience)
                continue
            }
            if requestBody.isComplete { return }
            if reads == ServerSession.readsPerTurn {
                session.renew()
                return
            }
            reads &+= 1
            makeRoom()
            switch session.fill() {
            case .bytes:
                session.setDeadline(after: session.limits.bodyTimeout)
                guard checkBody() else { return }
            case .nothing: return
            case .ended:
                if isTunnel {
                    if !clientEnded { connection.finishSending() }
                    clientEnded = true
                } else {
                    session.close()
                }
                return
            case .failed:
                session.close()
                return
            }
        }
    }

    /// Gives the body room, once all that was checked is sent: behind the head, or beside a large head in a buffer of its
    /// own. Octets that were not checked, part of a chunk's line, stay.
    private func makeRoom() {
        let session = session
        guard !session.input.isVacant, session.input.space == 0 else { return }
        session.input.compact()
        if session.input.space > 0 { return }
        hasDroppedBody = true
        if !headBuffer.isVacant || Buffer.capacity &- bodyBase >= Self.leastBodyRoom {
            session.input.remove(bodyBase..<checked)
        } else {
            swap(&headBuffer, &session.input)
            proxy.worker.buffers.lend(&session.input)
            _ = headBuffer.withBytes(checked..<headBuffer.count) { session.input.append($0) }
            bodyBase = 0
        }
        checked = bodyBase
        sent = bodyBase
    }
}
