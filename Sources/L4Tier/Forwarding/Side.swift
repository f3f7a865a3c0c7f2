import Engine
import Model
import StreamWire

/// One end of a forwarded connection: the client's or the endpoint's socket.
///
/// A message costs one read here and one write on the other side, through the worker's scratch block: an idle connection
/// holds no buffer. What the other side does not take at once is kept in its backlog of one block (16 KiB), and reading
/// stops until that is gone; the kernel's window then slows the sender.
@safe
final class Side: Channel {
    private struct Flags: OptionSet {
        let rawValue: UInt8
        /// Bytes may wait in the socket although no edge will tell.
        static let unread = Flags(rawValue: 1)
        /// The end was announced, so a short read is not the last one.
        static let ending = Flags(rawValue: 2)
        /// The end of the stream was read.
        static let readDone = Flags(rawValue: 4)
        /// FIN was sent.
        static let writeDone = Flags(rawValue: 8)
        /// FIN is due after the backlog.
        static let finishing = Flags(rawValue: 16)
        /// Octets of the server are looked at for the end of an answer, or those of the client for a question.
        static let watched = Flags(rawValue: 32)
    }

    /// Reads in one go before others have their turn: 16 blocks, 256 KiB.
    private static let turn = 16

    let flow: Flow
    /// The other end. Both are closed in the same loop turn, and the worker keeps a closed channel until the turn is
    /// over, so neither outlives what it points to.
    private var peer: Unmanaged<Side>?
    /// Bytes read from this socket.
    private(set) var received: UInt64 = 0
    private var flags: Flags = []
    private var backlog = Buffer()
    private let tally: Int
    private let isClient: Bool

    init(_ flow: Flow, descriptor: CInt, isClient: Bool) {
        self.flow = flow
        self.isClient = isClient
        tally = isClient ? Tally.fromClients : Tally.fromEndpoints
        if flow.route.plan.farewell != nil { flags.insert(.watched) }
        super.init(worker: unsafe flow.forwarder.worker, descriptor: descriptor)
    }

    /// Joins two sides, once both are connected.
    static func join(_ one: Side, _ other: Side) {
        unsafe one.peer = Unmanaged.passUnretained(other)
        unsafe other.peer = Unmanaged.passUnretained(one)
    }

    var transport: Transport { Transport(descriptor: descriptor) }

    /// All that was read for this socket is with the kernel.
    var isDrained: Bool { backlog.isVacant }

    /// Both directions of this socket are over.
    var isDone: Bool { flags.isSuperset(of: [.readDone, .writeDone]) }

    override func ready(_ readiness: Readiness) {
        guard flow.stage == .relaying else {
            if !readiness.isDisjoint(with: [.readable, .peerClosed, .failed]) { flags.insert(.unread) }
            if !readiness.isDisjoint(with: [.peerClosed, .failed]) { flags.insert(.ending) }
            flow.ready(self, readiness)
            return
        }
        // A reset shows as an error of the next read, a hang-up as its end.
        if !readiness.isDisjoint(with: [.peerClosed, .failed]) { flags.insert(.ending) }
        if readiness.contains(.failed), flags.contains(.readDone), !flags.contains(.writeDone) {
            // Reset after its FIN; no read will tell any more.
            flow.broke(self)
            return
        }
        if !backlog.isVacant { drain() }
        if !readiness.isDisjoint(with: [.readable, .peerClosed, .failed]) { relay() }
    }

    /// Without a retain: this is done for every message.
    private func relay() {
        unsafe peer?._withUnsafeGuaranteedRef { relay(to: $0) }
    }

    override func deadlineReached() { flow.deadlineReached(self) }

    override func closed() {
        worker.buffers.reclaim(&backlog)
        flow.closed(self)
    }

    /// Passes on what came while there was nobody to pass it on to.
    func relayUnread() {
        if flags.contains(.unread) { relay() }
    }

    /// Reads and passes on until the socket is empty, the other side is full, or it is time for others.
    private func relay(to peer: Side) {
        guard !flags.contains(.readDone) else { return }
        let forwarder = unsafe flow.forwarder
        for _ in 0..<Self.turn {
            if !peer.backlog.isVacant {
                flags.insert(.unread)
                return
            }
            forwarder.scratch.clear()
            switch transport.read(into: &forwarder.scratch) {
            case .bytes(let count):
                received &+= UInt64(count)
                worker.counters.add(tally, UInt64(count))
                flow.lastActivity = worker.now
                if flags.contains(.watched) {
                    if isClient { flow.watch.clientSent() } else { flow.watch.serverSent(forwarder.scratch.readable) }
                }
                guard peer.send(forwarder.scratch.readable) else { return }
                if flags.contains(.watched), flow.endIfIdle() { return }
                // An edge will tell of whatever comes after a short read, except of an end that was announced already.
                if count < Buffer.capacity, !flags.contains(.ending) {
                    flags.remove(.unread)
                    return
                }
            case .wouldBlock:
                flags.remove(.unread)
                return
            case .endOfStream:
                flags.insert(.readDone)
                flow.ended(self)
                peer.finish()
                return
            case .failed:
                flow.broke(self)
                return
            }
        }
        flags.insert(.unread)
        renew()
    }

    /// Writes what the other side read and keeps what does not fit. False when the connection broke.
    private func send(_ bytes: RawSpan) -> Bool {
        var sent = 0
        switch transport.write(bytes) {
        case .bytes(let count):
            if count == bytes.byteCount { return true }
            sent = count
        case .wouldBlock: break
        case .endOfStream, .failed:
            flow.broke(self)
            return false
        }
        worker.buffers.lend(&backlog)
        // A block takes all that one read brings.
        _ = backlog.append(bytes.extracting(droppingFirst: sent))
        return true
    }

    /// Writes the backlog; when it is gone, the other side may read again.
    private func drain() {
        switch transport.write(backlog.readable) {
        case .bytes(let count): backlog.consume(count)
        case .wouldBlock: return
        case .endOfStream, .failed:
            flow.broke(self)
            return
        }
        flow.lastActivity = worker.now
        guard backlog.isEmpty else { return }
        worker.buffers.reclaim(&backlog)
        if flags.contains(.watched), flow.endIfIdle() { return }
        if flags.contains(.finishing) { sendEnd() } else { unsafe peer?._withUnsafeGuaranteedRef { $0.relayUnread() } }
    }

    /// Sends FIN, after the backlog.
    private func finish() {
        if backlog.isVacant { sendEnd() } else { flags.insert(.finishing) }
    }

    private func sendEnd() {
        flags.insert(.writeDone)
        // When this is the last thing to do, closing sends the FIN.
        if !flow.finishIfDone() { transport.shutdownWrite() }
    }
}
