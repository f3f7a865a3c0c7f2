import CLinux
import Glibc
package import Model

/// A TCP listener of one worker. Level-triggered: it accepts in batches of at most 64 and lets others have their turn.
package final class Listener: Channel {
    private static let batch = 64
    /// Nanoseconds without accepting when there is nothing left to accept with: asked at once, the kernel says the same.
    private static let pause: UInt64 = 100_000_000

    package let address: SocketAddress
    private let accepted: (CInt, SocketAddress) -> Void
    /// Kept so that, out of descriptors, a waiting client can be taken and closed instead of left to hang.
    private var spare: CInt
    /// Told when this listener is closed.
    private let home: BoundListeners?
    /// The last look found nobody waiting, or nothing to take them with.
    private var isDry = false
    private var isRetiring = false
    /// Connections refused because the process had no descriptor left.
    package private(set) var refused = 0

    /// Opens and registers a listener. The closure owns each descriptor that it is given.
    package convenience init(
        worker: Worker, address: SocketAddress, accepted: @escaping (CInt, SocketAddress) -> Void
    ) throws(SocketError) {
        self.init(worker: worker, adopting: try Socket.listen(address), address: address, accepted: accepted)
    }

    /// How long a listener that is retired goes on accepting: handshakes that had begun are over by then.
    private static let retirement: UInt64 = 200_000_000

    /// Registers a listener that was opened before, as while a new configuration was prepared. Owns `descriptor`, which was
    /// taken out of `home`.
    package init(
        worker: Worker, adopting descriptor: CInt, address: SocketAddress, home: BoundListeners? = nil,
        accepted: @escaping (CInt, SocketAddress) -> Void
    ) {
        self.address = Socket.localAddress(descriptor) ?? address
        self.accepted = accepted
        self.home = home
        spare = unsafe Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC)
        super.init(worker: worker, descriptor: descriptor)
        register(levelTriggered: true)
    }

    override public func ready(_ readiness: Readiness) {
        isDry = false
        var storage = sockaddr_storage()
        unsafe withUnsafeMutableBytes(of: &storage) { bytes in
            guard let base = bytes.baseAddress else { return }
            for _ in 0..<Self.batch {
                var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
                let client = unsafe meridian_accept(
                    descriptor, base.assumingMemoryBound(to: sockaddr.self), &length)
                if client >= 0 {
                    unsafe accepted(client, Socket.socketAddress(UnsafeRawPointer(base)))
                    // The closure may have closed this listener.
                    if descriptor < 0 { return }
                } else if errno == EAGAIN || errno == EBADF || errno == EINVAL {
                    isDry = true
                    return
                } else if let shortage = Shortage(errno) {
                    ShortageCounts.process.note(shortage)
                    if shortage != .descriptors || !refuseOne() {
                        rest()
                        return
                    }
                }
                // All else is the end of one connection in the queue (accept(2)); there may be others behind it.
            }
        }
    }

    /// Closes without losing a client. Closing alone would reset those whose handshake is complete or under way: another
    /// socket on the same port does not inherit them. So new ones are ignored first, and come again a second later to
    /// whoever listens then, while those that have begun are taken for a moment.
    package func retire() {
        guard descriptor >= 0, !isRetiring else { return }
        isRetiring = true
        _ = meridian_ignore_newcomers(descriptor)
        setDeadline(after: Self.retirement)
    }

    override public func deadlineReached() {
        if isRetiring { drainAndClose() } else { worker.poller.hear(self) }
    }

    /// Accepts what the kernel has completed for this socket and closes it.
    package func drainAndClose() {
        // Its queue holds 4096 at most; more than that came meanwhile.
        for _ in 0..<(4096 / Self.batch + 1) {
            ready(.readable)
            if isDry || descriptor < 0 { break }
        }
        close()
    }

    /// Takes one client and closes it. False when even that cannot be done.
    private func refuseOne() -> Bool {
        if spare >= 0 { Glibc.close(spare) }
        let client = meridian_accept(descriptor, nil, nil)
        if client >= 0 {
            refused &+= 1
            Glibc.close(client)
        }
        spare = unsafe Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC)
        return client >= 0
    }

    /// Lets the clients wait in the kernel's queue for a moment.
    private func rest() {
        isDry = true
        worker.poller.mute(self)
        if !isRetiring { setDeadline(after: Self.pause) }
    }

    /// Has the connections that are accepted from now on watched while nothing moves on them: what a listener is set to,
    /// they inherit.
    package func keepAlive(_ keepalive: Keepalive) {
        if descriptor >= 0 { Socket.keepAlive(descriptor, keepalive) }
    }

    override public func closed() {
        if spare >= 0 { Glibc.close(spare) }
        spare = -1
        home?.closedOne()
    }
}
