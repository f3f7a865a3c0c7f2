import Engine
import Model

/// A TCP connection: messages behind two octets of length, any number of them at once (RFC 7766).
///
/// While answers wait for the client to take them, nothing more is read: at most one gathering of answers (128 KiB) and one
/// buffer of queries (16 KiB) are held for a connection. An idle connection holds neither.
@safe
final class StreamConnection: Channel {
    /// Without a whole query for so long, the connection is closed (RFC 7766 section 6.2.3 speaks of seconds). Octets of a
    /// query that never gets complete do not count, so that a slow sender is not kept.
    static let idleLimit: UInt64 = 10_000_000_000
    /// Reads before others have their turn.
    private static let readsPerTurn = 16
    private static let headerSize = 12

    private let sockets: WorkerSockets
    private let client: SocketAddress
    private let transport: Transport
    private var input: Buffer?
    /// Answers that the client has not taken, and how much of them it has.
    private var pending: [UInt8] = []
    private var taken = 0
    /// The end was announced: the edge has been told, so a short read is not the last one.
    private var isEnding = false
    /// The client sends no more.
    private var hasEnded = false

    init(sockets: WorkerSockets, descriptor: CInt, client: SocketAddress) {
        self.sockets = sockets
        self.client = client
        transport = Transport(descriptor: descriptor)
        super.init(worker: sockets.worker, descriptor: descriptor)
    }

    func begin() {
        Socket.setNoDelay(descriptor)
        setDeadline(after: Self.idleLimit)
        register()
    }

    override func ready(_ readiness: Readiness) {
        if readiness.contains(.failed) { return close() }
        if readiness.contains(.peerClosed) { isEnding = true }
        if !pending.isEmpty {
            flush()
            guard descriptor >= 0, pending.isEmpty else { return }
        }
        for _ in 0..<Self.readsPerTurn {
            guard readOnce() else { return }
        }
        renew()
    }

    override func deadlineReached() {
        worker.counters.add(QueryCounter.connectionsTimedOut.rawValue)
        close()
    }

    override func closed() {
        giveBack()
        if !pending.isEmpty { setBusy(false) }
        pending = []
        sockets.connectionClosed()
    }

    /// Reads once and answers what is complete. False when there is nothing more to do now.
    private func readOnce() -> Bool {
        var buffer = input ?? worker.buffers.take()
        if buffer.space == 0 { buffer.compact() }
        let room = unsafe buffer.writable
        let result = hasEnded ? .endOfStream : unsafe transport.read(into: room)
        var isDrained = true
        switch result {
        case .bytes(let count):
            buffer.commit(count)
            isDrained = count < room.count && !isEnding
        case .wouldBlock: break
        case .endOfStream: hasEnded = true
        case .failed:
            input = buffer
            close()
            return false
        }
        input = buffer
        guard serve() else { return false }
        if hasEnded {
            close()
            return false
        }
        return !isDrained
    }

    /// Answers the complete queries in the input. False when the connection is closed or must wait for the client.
    private func serve() -> Bool {
        guard var buffer = input else { return true }
        let gathering = unsafe sockets.gathering
        var gathered = 0
        var isBroken = false
        while buffer.count >= 2 {
            let octets = unsafe buffer.readable
            let length = unsafe Int(octets[0]) << 8 | Int(octets[1])
            // Neither shorter than a header nor longer than the buffer can a query be.
            guard length >= Self.headerSize, length <= Buffer.capacity &- 2 else {
                isBroken = true
                break
            }
            guard octets.count >= length &+ 2 else { break }
            let query = unsafe UnsafeRawBufferPointer(rebasing: octets[2..<(length &+ 2)])
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: gathering[(gathered &+ 2)...])
            let count = unsafe sockets.responder.responder.pointee.answer(
                query, from: client.address, over: .tcp, into: room)
            unsafe sockets.log?.note(UnsafeRawBufferPointer(rebasing: room[..<count]), from: client, over: .tcp)
            buffer.consume(length &+ 2)
            if count > 0 {
                unsafe gathering.storeBytes(of: UInt16(count).bigEndian, toByteOffset: gathered, as: UInt16.self)
                gathered &+= count &+ 2
            }
            setDeadline(after: Self.idleLimit)
            if gathering.count &- gathered < Responder.maximumTCPSize &+ 2 {
                input = buffer
                guard unsafe send(UnsafeRawBufferPointer(rebasing: gathering[..<gathered])) else { return false }
                gathered = 0
            }
        }
        input = buffer
        if buffer.isEmpty { giveBack() }
        if gathered > 0 {
            guard unsafe send(UnsafeRawBufferPointer(rebasing: gathering[..<gathered])) else { return false }
        }
        if isBroken {
            close()
            return false
        }
        return true
    }

    /// Writes answers; keeps what the client does not take now. False when there is a rest, or the connection is closed.
    private func send(_ octets: UnsafeRawBufferPointer) -> Bool {
        var written = 0
        while written < octets.count {
            switch unsafe transport.write(UnsafeRawBufferPointer(rebasing: octets[written...])) {
            case .bytes(let count): written += count
            case .wouldBlock, .endOfStream:
                pending = unsafe Array(octets[written...])
                taken = 0
                setBusy(true)
                return false
            case .failed:
                close()
                return false
            }
        }
        return true
    }

    /// Goes on with the rest, then with the queries that waited behind it.
    private func flush() {
        while taken < pending.count {
            let result = unsafe pending.withUnsafeBytes { octets in
                unsafe transport.write(UnsafeRawBufferPointer(rebasing: octets[taken...]))
            }
            switch result {
            case .bytes(let count):
                taken += count
                setDeadline(after: Self.idleLimit)
            case .wouldBlock, .endOfStream: return
            case .failed: return close()
            }
        }
        pending = []
        setBusy(false)
        guard serve() else { return }
        if hasEnded { close() }
    }

    private func setBusy(_ isBusy: Bool) {
        worker.counters.add(QueryCounter.busyConnections.rawValue, isBusy ? 1 : UInt64.max)
    }

    private func giveBack() {
        if let buffer = input { worker.buffers.give(buffer) }
        input = nil
    }
}
