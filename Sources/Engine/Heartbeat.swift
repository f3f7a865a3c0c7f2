import CLinux
import Glibc

/// Wakes a worker every second, so that the end of a turn comes by and far slots of the timer wheel come near.
///
/// A timer of its own rather than a timeout of each wait: the kernel programs that one anew whenever a busy worker runs
/// out of events for a moment.
final class Heartbeat: Channel {
    static func timer() throws(SocketError) -> CInt {
        let descriptor = meridian_heartbeat()
        guard descriptor >= 0 else { throw SocketError("heartbeat timer", errno) }
        return descriptor
    }

    // Being edge-triggered, each expiry is an event; there is nothing to read.
}
