import Glibc
import Synchronization

/// How the descriptors of this process are shared out: users' traffic leaves some to the control plane, so that checks,
/// federation and the admin API go on when traffic has taken all that it may.
///
/// The kernel gives the lowest free descriptor: one with number n says that n others are in use. So a look at the number
/// of a new socket tells how full the process is, and nothing is counted.
package struct DescriptorShares: Sendable, Hashable {
    /// All that the process may open (RLIMIT_NOFILE).
    package let limit: Int
    /// Kept for the control plane, at the end.
    package let reserve: Int
    /// Connections that the admin API and federation each take, out of the reserve.
    package let control: Int

    package init(limit: Int, reserve: Int, control: Int) {
        self.limit = limit
        self.control = control
        self.reserve = min(max(0, reserve), limit)
    }

    /// Sockets of users' traffic have smaller numbers than this.
    package var traffic: Int { limit - reserve }
    /// Clients are welcome below this; the last sixteenth of what traffic may have is for connections to servers, and for
    /// telling clients that there is no room.
    package var clients: Int { traffic - traffic / 16 }

    /// The soft limit of this process.
    package static var processLimit: Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        return Int(clamping: limit.rlim_cur)
    }

    // MARK: - In force

    // Nothing is kept back before a node has said what it needs.
    private static let trafficEnd = Atomic<CInt>(.max)
    private static let clientsEnd = Atomic<CInt>(.max)
    private static let controlEnd = Atomic<Int>(1024)

    /// From now on new sockets are measured by these shares.
    package func putInForce() {
        Self.trafficEnd.store(CInt(clamping: traffic), ordering: .relaxed)
        Self.clientsEnd.store(CInt(clamping: clients), ordering: .relaxed)
        Self.controlEnd.store(control, ordering: .relaxed)
    }

    /// The same after a reload: in a process that no node has to itself, where nothing is kept back, nothing changes.
    package func replaceThoseInForce() {
        if Self.trafficEnd.load(ordering: .relaxed) != .max { putInForce() }
    }

    /// Connections that a server of the control plane takes.
    package static var controlConnections: Int { controlEnd.load(ordering: .relaxed) }

    /// Whether a client that came in as `descriptor` can be served. If not, tell it so and close: `isTraffic` says whether
    /// there is time for that. Counts a shortage.
    package static func welcomes(_ descriptor: CInt) -> Bool {
        if descriptor < clientsEnd.load(ordering: .relaxed) { return true }
        ShortageCounts.process.note(.descriptors)
        return false
    }

    /// Whether `descriptor` is one that users' traffic may have.
    package static func isTraffic(_ descriptor: CInt) -> Bool { descriptor < trafficEnd.load(ordering: .relaxed) }
}
