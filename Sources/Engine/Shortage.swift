import Glibc
import Synchronization

/// Something that this process, or its machine, has run out of. No peer is to blame for it.
package enum Shortage: Int, Sendable, CaseIterable {
    /// EMFILE, ENFILE: this process or the machine has no descriptor left.
    case descriptors
    /// ENOMEM, ENOBUFS, and ENOSPC of epoll: the kernel has no memory left for us.
    case memory
    /// EADDRNOTAVAIL: every local port is taken on the way to one server.
    case ports
    /// The system starts no more threads for us.
    case threads

    /// What the errno of `socket`, `connect`, `accept` or `epoll_ctl` says of ourselves; nil when it tells of the other side.
    package init?(_ code: CInt) {
        switch code {
        case EMFILE, ENFILE: self = .descriptors
        case ENOMEM, ENOBUFS, ENOSPC: self = .memory
        case EADDRNOTAVAIL: self = .ports
        default: return nil
        }
    }

    /// As metrics label it.
    package var label: String {
        switch self {
        case .descriptors: "descriptors"
        case .memory: "memory"
        case .ports: "ports"
        case .threads: "threads"
        }
    }

    /// What an operator can do about it.
    package var cure: String {
        switch self {
        case .descriptors: "raise the limit on open files (LimitNOFILE=, ulimit -n, fs.file-max)"
        case .memory: "raise net.ipv4.tcp_mem or fs.epoll.max_user_watches, or add memory"
        case .ports: "widen net.ipv4.ip_local_port_range, or keep more idle connections to the servers"
        case .threads: "raise the limit on threads (TasksMax=, ulimit -u)"
        }
    }
}

/// How often this process met a shortage. One for all of its threads, as the limits are.
package final class ShortageCounts: Sendable {
    package static let process = ShortageCounts()

    private let descriptors = Atomic<UInt64>(0)
    private let memory = Atomic<UInt64>(0)
    private let ports = Atomic<UInt64>(0)
    private let threads = Atomic<UInt64>(0)

    package init() {}

    package func note(_ shortage: Shortage) {
        switch shortage {
        case .descriptors: descriptors.add(1, ordering: .relaxed)
        case .memory: memory.add(1, ordering: .relaxed)
        case .ports: ports.add(1, ordering: .relaxed)
        case .threads: threads.add(1, ordering: .relaxed)
        }
    }

    package subscript(_ shortage: Shortage) -> UInt64 {
        switch shortage {
        case .descriptors: descriptors.load(ordering: .relaxed)
        case .memory: memory.load(ordering: .relaxed)
        case .ports: ports.load(ordering: .relaxed)
        case .threads: threads.load(ordering: .relaxed)
        }
    }
}

extension SocketError {
    /// What we ran out of, if that is why the call failed.
    package var shortage: Shortage? { Shortage(code) }
}
