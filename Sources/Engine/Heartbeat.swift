import CLinux
import Glibc

/// Wakes a worker every second, so that the end of a turn comes by and far slots of the timer wheel come near.
///
/// A timer of its own rather than a timeout of each wait: the kernel programs that one anew whenever a busy worker runs
/// out of events for a moment. It costs one read a second.
final class Heartbeat: Channel {
    static func timer() throws(SocketError) -> CInt {
        let descriptor = meridian_heartbeat()
        guard descriptor >= 0 else { throw SocketError("heartbeat timer", errno) }
        return descriptor
    }

    /// The kernel starts a periodic timer anew only when it has been read: unread, it ticks once and never again.
    override func ready(_ readiness: Readiness) {
        var expirations: UInt64 = 0
        _ = unsafe meridian_read(descriptor, &expirations, MemoryLayout<UInt64>.size)
    }
}
