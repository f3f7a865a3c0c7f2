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
    /// Connections refused because the process had no descriptor left.
    package private(set) var refused = 0

    /// Opens and registers a listener. The closure owns each descriptor that it is given.
    package convenience init(
        worker: Worker, address: SocketAddress, accepted: @escaping (CInt, SocketAddress) -> Void
    ) throws(SocketError) {
        self.init(worker: worker, adopting: try Socket.listen(address), address: address, accepted: accepted)
    }

    /// Registers a listener that was opened before, as while a new configuration was prepared. Owns `descriptor`.
    package init(
        worker: Worker, adopting descriptor: CInt, address: SocketAddress,
        accepted: @escaping (CInt, SocketAddress) -> Void
    ) {
        self.address = Socket.localAddress(descriptor) ?? address
        self.accepted = accepted
        spare = unsafe Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC)
        super.init(worker: worker, descriptor: descriptor)
        register(levelTriggered: true)
    }

    override public func ready(_ readiness: Readiness) {
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

    /// Accepts what the kernel has completed for this socket and closes it. Closing alone would reset those clients:
    /// another worker's socket on the same port does not inherit them.
    package func drainAndClose() {
        ready(.readable)
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
        worker.poller.mute(self)
        setDeadline(after: Self.pause)
    }

    override public func deadlineReached() { worker.poller.hear(self) }

    /// Has the connections that are accepted from now on watched while nothing moves on them: what a listener is set to,
    /// they inherit.
    package func keepAlive(_ keepalive: Keepalive) {
        if descriptor >= 0 { Socket.keepAlive(descriptor, keepalive) }
    }

    override public func closed() {
        if spare >= 0 { Glibc.close(spare) }
        spare = -1
    }
}
