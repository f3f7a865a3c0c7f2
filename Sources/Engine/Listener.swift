import CLinux
import Glibc
package import Model

/// A TCP listener of one worker. Level-triggered: it accepts in batches of at most 64 and lets others have their turn.
package final class Listener: Channel {
    private static let batch = 64

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
                } else if errno == EMFILE || errno == ENFILE {
                    refuseOne()
                } else if errno != EINTR && errno != ECONNABORTED {
                    return
                }
            }
        }
    }

    /// Accepts what the kernel has completed for this socket and closes it. Closing alone would reset those clients:
    /// another worker's socket on the same port does not inherit them.
    package func drainAndClose() {
        ready(.readable)
        close()
    }

    private func refuseOne() {
        refused &+= 1
        if spare >= 0 { Glibc.close(spare) }
        let client = meridian_accept(descriptor, nil, nil)
        if client >= 0 { Glibc.close(client) }
        spare = unsafe Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC)
    }

    override public func closed() {
        if spare >= 0 { Glibc.close(spare) }
        spare = -1
    }
}
