import Engine
import HTTPExchange
import HTTPWire

/// The request's way up.
extension Exchange {
    /// Writes the head for the next hop and sends it with as much of the body as is there.
    func sendRequest(_ session: ClientSession, _ connection: UpstreamConnection, isParsed: Bool) {
        let bytes = unsafe headBytes
        if !isParsed {
            // Another request went through the worker's tables meanwhile; this one was fine when it came.
            guard unsafe proxy.context.request.parse(bytes.bytes, limits: session.limits.head) == .complete else {
                return
            }
        }
        guard let path = unsafe isParsed ? proxy.path : proxy.normalisedPath(bytes),
            var writer = unsafe HeadWriter(proxy.context.scratch)
        else { return }
        unsafe writeHead(bytes, path: path, to: &writer)
        stage = .waiting
        connection.setDeadline(after: responseTimeout)
        var body = unsafe Self.nothing
        if checked > sent, let input = unsafe session.input?.readable {
            unsafe body = UnsafeRawBufferPointer(rebasing: input[sent..<checked])
        }
        guard let taken = unsafe connection.send(writer.written, body) else {
            upstreamBroke(nothingSent: true)
            return
        }
        sent &+= taken
        if !requestBody.isComplete { pumpRequest() }
    }

    private func writeHead(_ bytes: UnsafeRawBufferPointer, path: UnsafeRawBufferPointer, to writer: inout HeadWriter) {
        let head = proxy.context.request
        let authority = unsafe UnsafeRawBufferPointer(
            rebasing: bytes[head.authority.start..<head.authority.end])
        let writesHost = head.isAbsolute || head.authority.isEmpty
        let start = unsafe startLine(bytes, path: path, to: &writer)
        if writesHost {
            writer.append("Host: ")
            if authority.count > 0 {
                unsafe writer.append(authority)
            } else {
                unsafe endpoint?.text.withUnsafeBytes { unsafe writer.append($0) }
            }
            writer.append("\r\n")
        }
        var hasForwardedFor = false
        unsafe writer.append(
            head.fields, of: bytes, from: start, end: head.length &- 2, hasOptions: head.hasConnectionOptions,
            keepsTransferEncoding: true
        ) { name in
            switch name {
            case .xForwardedFor:
                hasForwardedFor = true
                return true
            case .xForwardedProto, .xForwardedHost: return true
            case .host: return writesHost
            case .maxForwards: return head.maxForwards != nil
            default: return false
            }
        }
        if let forwards = head.maxForwards {
            writer.append("Max-Forwards: ")
            writer.append(decimal: UInt64(max(0, forwards &- 1)))
            writer.append("\r\n")
        }
        if hasForwardedFor {
            unsafe appendForwardedFor(bytes, to: &writer)
        } else {
            unsafe writer.append(session.forwardedLines)
        }
        if authority.count > 0 {
            writer.append("X-Forwarded-Host: ")
            unsafe writer.append(authority)
            writer.append("\r\n")
        }
        if wantsUpgrade { unsafe appendUpgrade(head.fields, bytes, to: &writer) }
        writer.append("\r\n")
    }

    /// The request line as it came when nothing about it changes, to be taken along with the fields; else it is written
    /// anew.
    private func startLine(
        _ bytes: UnsafeRawBufferPointer, path: UnsafeRawBufferPointer, to writer: inout HeadWriter
    ) -> Int? {
        let head = proxy.context.request
        // Behind the target: a space, `HTTP/1.` and the minor version.
        if !head.pathNeedsNormalising, !head.isAbsolute, !head.authority.isEmpty,
            unsafe bytes[head.target.end &+ 8] == 0x31
        {
            return head.methodText.start
        }
        unsafe writer.append(UnsafeRawBufferPointer(rebasing: bytes[head.methodText.start..<head.methodText.end]))
        writer.append(0x20)
        unsafe writer.append(path)
        unsafe writer.append(UnsafeRawBufferPointer(rebasing: bytes[head.query.start..<head.query.end]))
        writer.append(" HTTP/1.1\r\n")
        return nil
    }

    /// All that the client and the proxies before us said, then the client's own address.
    private func appendForwardedFor(_ bytes: UnsafeRawBufferPointer, to writer: inout HeadWriter) {
        let fields = proxy.context.request.fields
        writer.append("X-Forwarded-For: ")
        for index in 0..<fields.count where fields[index].id == .xForwardedFor && !fields[index].value.isEmpty {
            let value = fields[index].value
            unsafe writer.append(UnsafeRawBufferPointer(rebasing: bytes[value.start..<value.end]))
            writer.append(", ")
        }
        unsafe writer.append(session.forwardedTail)
    }

    /// `Connection: upgrade` and the Upgrade fields of a head: the one hop-by-hop pair that is passed on.
    func appendUpgrade(_ fields: FieldTable, _ bytes: UnsafeRawBufferPointer, to writer: inout HeadWriter) {
        writer.append("Connection: upgrade\r\n")
        for index in 0..<fields.count where fields[index].id == .upgrade {
            let value = fields[index].value
            writer.append("Upgrade: ")
            unsafe writer.append(UnsafeRawBufferPointer(rebasing: bytes[value.start..<value.end]))
            writer.append("\r\n")
        }
    }

    // MARK: - Body

    /// Looks at the body octets that came in since the last call. False when the exchange ended over it.
    func checkBody() -> Bool {
        guard !requestBody.isComplete, let input = unsafe session.input?.readable, input.count > checked else {
            return true
        }
        let fresh = unsafe UnsafeRawBufferPointer(rebasing: input[checked...])
        switch unsafe requestBody.advance(fresh.bytes) {
        case .more(let count), .ended(let count):
            checked &+= count
            bytesIn &+= UInt64(count)
        case .malformed:
            endRequest(400, "malformed-body")
            return false
        }
        if requestBody.announced > session.bodyLimit {
            endRequest(413, "body-too-large")
            return false
        }
        if requestBody.isComplete { session.suspendDeadline() }
        return true
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
        while !connection.isBlocked {
            if checked > sent {
                guard let input = unsafe session.input?.readable else { return }
                let body = unsafe UnsafeRawBufferPointer(rebasing: input[sent..<checked])
                guard let taken = unsafe connection.send(Self.nothing, body) else {
                    // The response, or the end, is read where responses are read.
                    return
                }
                sent &+= taken
                connection.setDeadline(after: patience)
                continue
            }
            if requestBody.isComplete { return }
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

    /// Gives the body room: behind the head once what was there is sent, in a buffer of its own beside a large head.
    private func makeRoom() {
        let session = session
        guard let input = session.input, input.space == 0 else { return }
        hasDroppedBody = true
        if headBuffer != nil || Buffer.capacity &- bodyBase >= Self.leastBodyRoom {
            session.input?.truncate(to: bodyBase)
            checked = bodyBase
            sent = bodyBase
        } else {
            headBuffer = input
            session.input = proxy.worker.buffers.take()
            bodyBase = 0
            checked = 0
            sent = 0
        }
    }
}
