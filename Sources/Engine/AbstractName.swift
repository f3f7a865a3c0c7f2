import CLinux
import Glibc

/// A name in the kernel's abstract socket space: at most one process of a network namespace has it, it leaves no file, and
/// it is free again when that process ends in whatever way.
package final class AbstractName: Sendable {
    /// Who has a name.
    package struct Holder: Sendable, Hashable {
        /// 0 when it is not to be seen from here, as from another container.
        package let process: Int32
        package let user: UInt32
    }

    /// What a name may have, in octets: `sun_path` less the zero that begins it.
    package static let longest = 107

    private let descriptor: CInt

    /// Takes `name`, which has at most `longest` octets; nil when somebody has it.
    ///
    /// - Throws: when the system has no socket to give.
    package init?(_ name: String) throws(SocketError) {
        let descriptor = try Self.socket()
        let code = unsafe Self.withAddress(name) { unsafe bind(descriptor, $0, $1) == 0 ? 0 : errno }
        // Connections are how others learn who we are; nobody takes them from the queue.
        if code == 0, listen(descriptor, 4096) == 0 {
            self.descriptor = descriptor
            return
        }
        let failure = code == 0 ? errno : code
        close(descriptor)
        if failure == EADDRINUSE { return nil }
        throw SocketError("bind \(name)", failure)
    }

    deinit { close(descriptor) }

    /// Who has `name`; nil when nobody does.
    package static func holder(of name: String) -> Holder? {
        guard let descriptor = try? socket() else { return nil }
        defer { close(descriptor) }
        let code = unsafe withAddress(name) { unsafe connect(descriptor, $0, $1) == 0 ? 0 : errno }
        // A full queue is somebody's queue.
        if code == EAGAIN { return Holder(process: 0, user: geteuid()) }
        guard code == 0 else { return nil }
        var process: pid_t = 0
        var user: uid_t = 0
        guard unsafe meridian_peer_credentials(descriptor, &process, &user) == 0 else { return nil }
        return Holder(process: process, user: user)
    }

    private static func socket() throws(SocketError) -> CInt {
        let flags = CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = Glibc.socket(AF_UNIX, flags, 0)
        guard descriptor >= 0 else { throw SocketError("socket", errno) }
        return descriptor
    }

    private static func withAddress(_ name: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
        let octets = Array(name.utf8.prefix(longest))
        var storage = sockaddr_un()
        return unsafe withUnsafeMutableBytes(of: &storage) { bytes in
            unsafe bytes.storeBytes(of: sa_family_t(AF_UNIX), as: sa_family_t.self)
            // The path begins after the family; a first octet of zero makes it abstract.
            let start = MemoryLayout<sa_family_t>.size + 1
            for (index, octet) in octets.enumerated() { unsafe bytes[start + index] = octet }
            // sockaddr_un is never empty, so it has a base address.
            let base = unsafe bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: sockaddr.self)
            return unsafe body(base, socklen_t(start + octets.count))
        }
    }
}
