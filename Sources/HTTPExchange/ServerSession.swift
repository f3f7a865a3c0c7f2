public import Engine
import HTTPWire
package import Model

/// The server's side of one HTTP/1 connection: heads in, bytes out, one exchange at a time. A request that is pipelined
/// behind another waits in the input until that one's response has gone out.
///
/// What an exchange does with its request is the subclass's business. It finds the head in `context.request` and its
/// bytes at the start of `input`, where they stay until `exchangeEnded`.
@safe
open class ServerSession: Channel {
    package enum Phase: UInt8, Sendable {
        /// Between requests.
        case idle
        /// Part of a head is there.
        case head
        case exchange
        /// The last response is going out; then the connection closes.
        case closing
        /// All is sent; input is thrown away until the client has noticed, lest a reset destroy the response.
        case lingering
    }

    package enum Fill: Sendable {
        case bytes(Int)
        /// Nothing there, or no room.
        case nothing
        /// The client sends no more.
        case ended
        case failed
    }

    /// How long a closed session keeps reading, and how much: enough for a response to arrive.
    private static let lingerTime: UInt64 = 2_000_000_000
    /// How long a connection without a request is waited for when the node stops: its first one may be on its way.
    private static let welcome: UInt64 = 1_000_000_000

    /// Reads in one go before others have their turn: 16 blocks, 256 KiB.
    package static let readsPerTurn = 16
    /// Requests that are begun in one go.
    private static let requestsPerTurn = 16

    package final let context: SessionContext
    package final let limits: SessionLimits
    package final let peer: SocketAddress

    package final var input = Buffer()
    package final private(set) var phase = Phase.idle
    /// The socket did not take all that it was given.
    package final private(set) var isBlocked = false
    /// Response octets that wait for the socket.
    private final var pending = Buffer()
    /// The socket may hold bytes that were not read.
    package final private(set) var isReadable = false
    /// The client sends no more than what has arrived.
    package final private(set) var peerHasClosed = false
    private final var isProcessing = false
    /// Requests may wait in `input` although no edge will tell.
    private final var isPostponed = false
    private final var lingers = false
    /// No request has come yet.
    private final var isFresh = true
    private final var scanner = HeadScanner()

    final var next: ServerSession?
    final var previous: ServerSession?

    package init(context: SessionContext, limits: SessionLimits, descriptor: CInt, peer: SocketAddress) {
        self.context = context
        self.limits = limits
        self.peer = peer
        super.init(worker: context.worker, descriptor: descriptor)
        context.insert(self)
        Socket.setNoDelay(descriptor)
        setDeadline(after: context.isDraining ? min(limits.headTimeout, Self.welcome) : limits.headTimeout)
    }

    // MARK: - For the subclass

    /// A head has arrived: `context.request`. Answer now, or keep what is needed and answer later.
    open func requestReceived() {}

    /// More of the request's body may be there: take it with `fill`.
    open func bodyReadable() {}

    /// The client has stopped sending while an exchange goes on; some of what it sent may be unread.
    open func peerStoppedSending() {}

    /// The socket takes bytes again.
    open func outputDrained() {}

    /// The deadline passed in an exchange.
    open func exchangeTimedOut() {}

    /// The head was refused; the answer has been sent.
    open func refused(status: Int, reason: StaticString) {}

    /// Part of a response has gone out and the rest has not been handed over.
    open var isWithinResponse: Bool { false }

    /// The connection is gone, whoever closed it.
    open func sessionClosed() {}

    package final var isIdle: Bool { phase == .idle && pending.isVacant && input.isEmpty }
    package final var hasPending: Bool { !pending.isVacant }
    package final var transport: Transport { Transport(descriptor: descriptor) }

    // MARK: - Events

    override public final func ready(_ readiness: Readiness) {
        if readiness.contains(.failed) {
            close()
            return
        }
        if readiness.contains(.peerClosed) { peerHasClosed = true }
        if !readiness.isDisjoint(with: [.readable, .peerClosed]) { isReadable = true }
        if isBlocked, readiness.contains(.writable) { resumeOutput() }
        if isReadable || isPostponed, descriptor >= 0 { process() }
        if readiness.contains(.peerClosed), descriptor >= 0, phase == .exchange { peerStoppedSending() }
    }

    override public final func deadlineReached() {
        switch phase {
        case .idle, .closing, .lingering: close()
        case .head: refuse(status: 408, reason: "head-timeout")
        case .exchange: exchangeTimedOut()
        }
    }

    /// Whatever the reason to close: where part of a response is missing, the client sees a reset. For a body without a
    /// length an orderly end would be the end of the body.
    override public final func closing() {
        if !pending.isVacant || isWithinResponse { Socket.resetOnClose(descriptor) }
    }

    override public final func closed() {
        context.remove(self)
        // First, since the log may still quote the head.
        sessionClosed()
        worker.buffers.reclaim(&input)
        worker.buffers.reclaim(&pending)
    }

    // MARK: - Input

    /// Moves on as far as what is there allows.
    package final func process() {
        if isProcessing { return }
        isProcessing = true
        isPostponed = false
        defer { isProcessing = false }
        var requests = 0
        while descriptor >= 0 {
            switch phase {
            case .idle, .head:
                // Requests that are answered at once could come one behind the other without end.
                if requests == Self.requestsPerTurn {
                    isPostponed = true
                    renew()
                    return
                }
                requests &+= 1
                guard pending.isVacant, readHead() else { return }
            case .exchange:
                bodyReadable()
                if phase == .exchange || phase == .closing { return }
            case .closing: return
            case .lingering:
                discardInput()
                return
            }
        }
    }

    /// Reads once into `input`. A full buffer reads nothing.
    package final func fill() -> Fill {
        guard isReadable else { return .nothing }
        worker.buffers.lend(&input)
        let room = input.space
        guard room > 0 else { return .nothing }
        switch transport.read(into: &input) {
        case .bytes(let count):
            // The socket is empty; the end of the stream would make no further edge when it was announced already.
            if count < room, !peerHasClosed { isReadable = false }
            return .bytes(count)
        case .wouldBlock:
            isReadable = false
            return .nothing
        case .endOfStream: return .ended
        case .failed: return .failed
        }
    }

    /// Whether the session has left the phases that this serves.
    private final func readHead() -> Bool {
        if !input.isEmpty, parseHead() { return true }
        guard descriptor >= 0 else { return false }
        while true {
            switch fill() {
            case .bytes: if parseHead() { return true }
            case .nothing:
                releaseEmptyInput()
                return false
            case .ended, .failed:
                close()
                return false
            }
        }
    }

    private final func parseHead() -> Bool {
        if input.isVacant { return false }
        if phase == .head, !scanner.hasEnd(input.readable), input.count < limits.head.size { return false }
        switch context.request.parse(input.readable, limits: limits.head) {
        case .complete:
            phase = .exchange
            isFresh = false
            suspendDeadline()
            requestReceived()
            return true
        case .incomplete:
            if phase == .idle {
                phase = .head
                scanner = HeadScanner()
                setDeadline(after: limits.headTimeout)
                input.compact()
            }
            return false
        case .invalid(let fault):
            refuse(status: fault.status, reason: fault.reason)
            return true
        }
    }

    private final func releaseEmptyInput() {
        if input.isEmpty { worker.buffers.reclaim(&input) }
    }

    private final func discardInput() {
        for _ in 0..<Self.readsPerTurn {
            input.clear()
            switch fill() {
            case .bytes: continue
            case .nothing: return
            case .ended, .failed:
                close()
                return
            }
        }
        renew()
    }

    // MARK: - Output

    /// Sends all of `first`, keeping what the socket does not take, and as much of `second` as it does take.
    ///
    /// - Returns: how much of `second` was taken; when that is not all, `outputDrained` says when to go on. Nil when the
    ///   connection is broken: close it.
    package final func send(_ first: RawSpan, _ second: RawSpan) -> Int? {
        if isBlocked { return keep(first) ? 0 : nil }
        switch transport.write(first, second) {
        case .bytes(let count):
            if count == first.byteCount &+ second.byteCount { return second.byteCount }
            isBlocked = true
            if count >= first.byteCount { return count &- first.byteCount }
            return keep(first.extracting(droppingFirst: count)) ? 0 : nil
        case .wouldBlock:
            isBlocked = true
            return keep(first) ? 0 : nil
        case .endOfStream, .failed: return nil
        }
    }

    private final func keep(_ bytes: RawSpan) -> Bool {
        if bytes.isEmpty { return true }
        worker.buffers.lend(&pending)
        return pending.append(bytes) == bytes.byteCount
    }

    private final func resumeOutput() {
        if !pending.isVacant {
            switch transport.write(pending.readable) {
            case .bytes(let count):
                pending.consume(count)
                if !pending.isEmpty { return }
            case .wouldBlock: return
            case .endOfStream, .failed:
                close()
                return
            }
            worker.buffers.reclaim(&pending)
        }
        isBlocked = false
        switch phase {
        case .exchange: outputDrained()
        case .closing: finishClosing()
        case .idle: process()
        case .head, .lingering: break
        }
    }

    // MARK: - Ends

    /// The node stops. A connection between two requests closes; one that has asked for nothing yet may still do so once.
    final func drain() {
        if isIdle, isFresh {
            setDeadline(after: min(limits.headTimeout, Self.welcome))
        } else if isIdle || phase == .lingering {
            close()
        }
    }

    /// The response has been handed over and the request is read to its end: `consumed` octets of `input` belonged to
    /// it. The connection goes on with the next request.
    package final func exchangeEnded(consumed: Int) {
        input.consume(consumed)
        phase = .idle
        setDeadline(after: limits.idleTimeout)
        releaseEmptyInput()
        if !input.isVacant || isReadable { process() }
    }

    /// The response has been handed over and the connection ends with it.
    ///
    /// - Parameter hasUnread: the client may have sent, or be sending, more than was read.
    package final func closeAfterResponse(hasUnread: Bool) {
        phase = .closing
        lingers = hasUnread
        setDeadline(after: limits.bodyTimeout)
        if pending.isVacant { finishClosing() }
    }

    private final func finishClosing() {
        guard lingers else {
            close()
            return
        }
        transport.shutdownWrite()
        phase = .lingering
        setDeadline(after: Self.lingerTime)
        process()
    }

    /// Answers a head that was refused, and closes.
    private final func refuse(status: Int, reason: StaticString) {
        respond(status: status, reason: reason, isHead: false, closes: true)
        refused(status: status, reason: reason)
        if descriptor >= 0 { closeAfterResponse(hasUnread: true) }
    }

    /// Sends a whole response of our own, with the reason in `X-Meridian-Reason` and as its text.
    package final func respond(status: Int, reason: StaticString, isHead: Bool, closes: Bool) {
        guard var writer = unsafe HeadWriter(context.scratch) else { return }
        writer.append("HTTP/1.1 ")
        writer.append(decimal: UInt64(status))
        writer.append(" ")
        writer.append(StatusText.reason(status))
        writer.append("\r\nDate: ")
        writer.append(date: worker.wallClock)
        if status == 405 { writer.append("\r\nAllow: GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS") }
        if closes { writer.append("\r\nConnection: close") }
        writer.append("\r\nContent-Type: text/plain\r\nX-Meridian-Reason: ")
        writer.append(reason)
        writer.append("\r\nContent-Length: ")
        writer.append(decimal: UInt64(reason.utf8CodeUnitCount + 1))
        writer.append("\r\n\r\n")
        if !isHead {
            writer.append(reason)
            writer.append("\n")
        }
        if writer.withWritten({ send($0, RawSpan()) }) == nil { close() }
    }
}
