public import Engine
import Glibc
import HTTPExchange

/// One HTTP/1 connection to an endpoint: the upstream codec's side. Serves one exchange at a time, waits idle between.
@safe
public final class UpstreamConnection: Channel {
    unowned(unsafe) let endpoint: WorkerEndpoint
    unowned(unsafe) var exchange: Exchange?
    unowned(unsafe) var nextIdle: UpstreamConnection?
    var isIdle = false

    /// What the endpoint sent and was not taken yet.
    var input = Buffer()
    /// Request octets that wait for the socket.
    private var pending = Buffer()
    private(set) var isConnected = false
    /// It served a request before.
    private(set) var isReused = false
    /// The turn in which the exchange took it.
    private var takenIn: UInt64 = 0
    /// The socket did not take all that it was given.
    private(set) var isBlocked = false
    private var isReadable = false
    private(set) var peerHasClosed = false

    init(worker: Worker, endpoint: WorkerEndpoint, descriptor: CInt) {
        unsafe self.endpoint = endpoint
        super.init(worker: worker, descriptor: descriptor)
    }

    private var transport: Transport { Transport(descriptor: descriptor) }

    // MARK: - Events

    override public func ready(_ readiness: Readiness) {
        if !isConnected {
            guard readiness.contains(.writable) || readiness.contains(.failed) else { return }
            let error = Socket.pendingError(descriptor)
            guard error == 0, !readiness.contains(.failed) else {
                unsafe exchange?.connectFailed(reason: "connect-failed", status: 502)
                return
            }
            isConnected = true
            unsafe exchange?.connected()
            if descriptor < 0 { return }
        }
        if !readiness.isDisjoint(with: [.peerClosed, .failed]) { peerHasClosed = true }
        if !readiness.isDisjoint(with: [.readable, .peerClosed, .failed]) { isReadable = true }
        guard let exchange = unsafe exchange else {
            // Between exchanges a server has nothing to say: it closed, or it is broken.
            if isReadable { close() }
            return
        }
        // What is reported in the turn in which the connection was taken came before the request went out.
        if isReused, takenIn == worker.turn, isReadable, !transport.isQuiet, exchange.upstreamSpokeFirst() { return }
        if isBlocked, readiness.contains(.writable) { resumeOutput(exchange) }
        if isReadable { unsafe self.exchange?.pumpResponse() }
    }

    override public func deadlineReached() {
        guard let exchange = unsafe exchange else {
            close()
            return
        }
        exchange.upstreamTimedOut()
    }

    override public func closed() {
        unsafe endpoint.removeIdle(self)
        worker.buffers.reclaim(&input)
        worker.buffers.reclaim(&pending)
    }

    /// Serves another exchange.
    func take(for exchange: Exchange) {
        unsafe self.exchange = exchange
        isReused = true
        takenIn = worker.turn
    }

    /// Nothing has come since its last response: neither octets nor the end.
    var isQuiet: Bool { !peerHasClosed && transport.isQuiet }

    // MARK: - Input

    /// Reads once into `input`.
    func fill() -> ServerSession.Fill {
        guard isReadable else { return .nothing }
        worker.buffers.lend(&input)
        let room = input.space
        guard room > 0 else { return .nothing }
        switch transport.read(into: &input) {
        case .bytes(let count):
            if count < room, !peerHasClosed { isReadable = false }
            return .bytes(count)
        case .wouldBlock:
            isReadable = false
            return .nothing
        case .endOfStream: return .ended
        case .failed: return .failed
        }
    }

    func releaseInput() { worker.buffers.reclaim(&input) }

    // MARK: - Output

    /// Sends all of `first`, keeping what the socket does not take, and as much of `second` as it does take.
    ///
    /// - Returns: how much of `second` was taken, or nil when the connection is broken.
    func send(_ first: RawSpan, _ second: RawSpan) -> Int? {
        if isBlocked { return first.isEmpty ? 0 : nil }
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

    /// The head of a request may be larger than a buffer by what we add to it; then the connection counts as broken.
    private func keep(_ bytes: RawSpan) -> Bool {
        if bytes.isEmpty { return true }
        worker.buffers.lend(&pending)
        return pending.append(bytes) == bytes.byteCount
    }

    private func resumeOutput(_ exchange: Exchange) {
        if !pending.isVacant {
            switch transport.write(pending.readable) {
            case .bytes(let count):
                pending.consume(count)
                if !pending.isEmpty { return }
            case .wouldBlock: return
            case .endOfStream, .failed:
                exchange.upstreamBroke()
                return
            }
            worker.buffers.reclaim(&pending)
        }
        isBlocked = false
        exchange.pumpRequest()
    }

    func finishSending() { transport.shutdownWrite() }
}
