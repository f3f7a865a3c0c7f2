import DNSWire
import Engine
import Model
import StreamWire

/// A TCP connection: messages behind two octets of length, any number of them at once (RFC 7766).
///
/// While answers wait for the client to take them, nothing more is read: at most one gathering of answers (128 KiB) and one
/// buffer of queries (16 KiB) are held for a connection. An idle connection holds neither.
@safe
final class StreamConnection: Channel {
    /// Reads before others have their turn.
    private static let readsPerTurn = 16

    /// What the connection waits for; each has its deadline, and only the end of the waiting sets another, so that octets
    /// that come or go one by one do not keep it.
    private enum Waiting {
        /// A query (RFC 7766 section 6.2.3 speaks of seconds).
        case query
        /// The rest of a query, or of a PROXY header.
        case rest
        /// The client, to take its answers.
        case client
    }

    private let sockets: WorkerSockets
    /// Who asks: the peer, or whoever the proxy says.
    private var client: SocketAddress
    private let peer: IPAddress
    /// The connection begins with a PROXY header, which has not come yet.
    private var expectsHeader: Bool
    private let isProxied: Bool
    private let transport: Transport
    private var waiting = Waiting.query
    private var input = Buffer()
    /// Answers that the client has not taken, and how much of them it has.
    private var pending: [UInt8] = []
    private var taken = 0
    /// The end was announced: the edge has been told, so a short read is not the last one.
    private var isEnding = false
    /// The client sends no more.
    private var hasEnded = false

    init(sockets: WorkerSockets, descriptor: CInt, client: SocketAddress, expectsHeader: Bool) {
        self.sockets = sockets
        self.client = client
        self.expectsHeader = expectsHeader
        isProxied = expectsHeader
        peer = client.address
        transport = Transport(descriptor: descriptor)
        super.init(worker: sockets.worker, descriptor: descriptor)
    }

    func begin() {
        Socket.setNoDelay(descriptor)
        if expectsHeader {
            waiting = .rest
            setDeadline(after: sockets.limits.message)
        } else {
            setDeadline(after: sockets.idleLimit)
        }
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
        sockets.connectionClosed(from: peer, isProxied: isProxied)
    }

    /// Reads once and answers what is complete. False when there is nothing more to do now.
    private func readOnce() -> Bool {
        worker.buffers.lend(&input)
        if input.space == 0 { input.compact() }
        let room = input.space
        let result = hasEnded ? .endOfStream : transport.read(into: &input)
        var isDrained = true
        switch result {
        case .bytes(let count):
            isDrained = count < room && !isEnding
        case .wouldBlock: break
        case .endOfStream: hasEnded = true
        case .failed:
            close()
            return false
        }
        guard readHeader(), serve() else { return false }
        if hasEnded {
            close()
            return false
        }
        return !isDrained
    }

    /// Takes the PROXY header off the input. False when it is not whole, or the connection is closed.
    private func readHeader() -> Bool {
        guard expectsHeader, !input.isVacant else { return true }
        switch ProxyHeader(input.readable) {
        case .incomplete where !hasEnded: return false
        case .incomplete, .malformed:
            worker.counters.add(QueryCounter.proxyRefused.rawValue)
            close()
            return false
        case .local(let length): input.consume(length)
        case .proxied(let source, _, let length):
            input.consume(length)
            client = source
        }
        expectsHeader = false
        wait(for: .query)
        return true
    }

    /// Answers the complete queries in the input. False when the connection is closed or must wait for the client.
    private func serve() -> Bool {
        guard !input.isVacant else { return true }
        let gathering = unsafe sockets.gathering
        var gathered = 0
        var isBroken = false
        var served = false
        while true {
            let frame = StreamFrame(input.readable, limit: Buffer.capacity &- 2)
            guard case .message(let length) = frame else {
                isBroken = frame == .broken
                break
            }
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: gathering[(gathered &+ 2)...])
            let count = input.withBytes(2..<(length &+ 2)) { query in
                unsafe query.withUnsafeBytes {
                    unsafe sockets.responder.responder.pointee.answer($0, from: client.address, over: .tcp, into: room)
                }
            }
            unsafe sockets.log?.note(
                UnsafeRawBufferPointer(rebasing: room[..<count]), to: length, from: client, over: .tcp)
            input.consume(length &+ 2)
            served = true
            if count > 0 {
                unsafe gathering.storeBytes(of: UInt16(count).bigEndian, toByteOffset: gathered, as: UInt16.self)
                gathered &+= count &+ 2
            }
            if gathering.count &- gathered < Responder.maximumTCPSize &+ 2 {
                guard unsafe send(UnsafeRawBufferPointer(rebasing: gathering[..<gathered])) else { return false }
                gathered = 0
            }
        }
        if input.isEmpty {
            if served || waiting != .query { wait(for: .query) }
            giveBack()
        } else if served || waiting != .rest {
            wait(for: .rest)
        }
        if gathered > 0 {
            guard unsafe send(UnsafeRawBufferPointer(rebasing: gathering[..<gathered])) else { return false }
        }
        if isBroken {
            close()
            return false
        }
        return true
    }

    private func wait(for next: Waiting) {
        waiting = next
        setDeadline(after: next == .query ? sockets.idleLimit : sockets.limits.message)
    }

    /// Writes answers; keeps what the client does not take now. False when there is a rest, or the connection is closed.
    private func send(_ octets: UnsafeRawBufferPointer) -> Bool {
        var written = 0
        while written < octets.count {
            switch unsafe transport.write(UnsafeRawBufferPointer(rebasing: octets[written...]).bytes) {
            case .bytes(let count): written += count
            case .wouldBlock, .endOfStream:
                pending = unsafe Array(octets[written...])
                taken = 0
                setBusy(true)
                wait(for: .client)
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
                unsafe transport.write(UnsafeRawBufferPointer(rebasing: octets[taken...]).bytes)
            }
            switch result {
            case .bytes(let count): taken += count
            case .wouldBlock, .endOfStream: return
            case .failed: return close()
            }
        }
        pending = []
        setBusy(false)
        if input.isVacant { wait(for: .query) }
        guard serve() else { return }
        if hasEnded { close() }
    }

    private func setBusy(_ isBusy: Bool) {
        worker.counters.add(QueryCounter.busyConnections.rawValue, isBusy ? 1 : UInt64.max)
    }

    private func giveBack() { worker.buffers.reclaim(&input) }
}
