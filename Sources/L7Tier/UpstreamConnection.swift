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
    var input: Buffer?
    /// Request octets that wait for the socket.
    private var pending: Buffer?
    private(set) var isConnected = false
    /// It served a request before.
    var isReused = false
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
        if let buffer = input { worker.buffers.give(buffer) }
        if let buffer = pending { worker.buffers.give(buffer) }
        input = nil
        pending = nil
    }

    // MARK: - Input

    /// Reads once into `input`.
    func fill() -> ServerSession.Fill {
        guard isReadable else { return .nothing }
        if input == nil { input = worker.buffers.take() }
        guard let room = unsafe input?.writable, room.count > 0 else { return .nothing }
        switch unsafe transport.read(into: room) {
        case .bytes(let count):
            input?.commit(count)
            if count < room.count, !peerHasClosed { isReadable = false }
            return .bytes(count)
        case .wouldBlock:
            isReadable = false
            return .nothing
        case .endOfStream: return .ended
        case .failed: return .failed
        }
    }

    func releaseInput() {
        guard let buffer = input else { return }
        worker.buffers.give(buffer)
        input = nil
    }

    // MARK: - Output

    /// Sends all of `first`, keeping what the socket does not take, and as much of `second` as it does take.
    ///
    /// - Returns: how much of `second` was taken, or nil when the connection is broken.
    func send(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Int? {
        if isBlocked { return first.count == 0 ? 0 : nil }
        switch unsafe transport.write(first, second) {
        case .bytes(let count):
            if count == first.count &+ second.count { return second.count }
            isBlocked = true
            if count >= first.count { return count &- first.count }
            return unsafe keep(UnsafeRawBufferPointer(rebasing: first[count...])) ? 0 : nil
        case .wouldBlock:
            isBlocked = true
            return unsafe keep(first) ? 0 : nil
        case .endOfStream, .failed: return nil
        }
    }

    /// The head of a request may be larger than a buffer by what we add to it; then the connection counts as broken.
    private func keep(_ bytes: UnsafeRawBufferPointer) -> Bool {
        if bytes.count == 0 { return true }
        if pending == nil { pending = worker.buffers.take() }
        return unsafe pending?.append(bytes) == bytes.count
    }

    private func resumeOutput(_ exchange: Exchange) {
        if let bytes = unsafe pending?.readable {
            switch unsafe transport.write(bytes) {
            case .bytes(let count):
                pending?.consume(count)
                if count < bytes.count { return }
            case .wouldBlock: return
            case .endOfStream, .failed:
                exchange.upstreamBroke()
                return
            }
            if let buffer = pending { worker.buffers.give(buffer) }
            pending = nil
        }
        isBlocked = false
        exchange.pumpRequest()
    }

    func finishSending() { transport.shutdownWrite() }
}
