import Glibc

/// How the kernel watches a TCP connection on which nothing moves, in whole seconds.
package struct SocketWatch: Sendable, Hashable {
    package let isOn: Bool
    package let idle: Int
    package let interval: Int
    package let count: Int
    /// TCP_USER_TIMEOUT; 0 when there is none.
    package let patience: Int

    package init(isOn: Bool, idle: Int, interval: Int, count: Int, patience: Int) {
        self.isOn = isOn
        self.idle = idle
        self.interval = interval
        self.count = count
        self.patience = patience
    }

    init(_ descriptor: CInt) {
        func option(_ level: CInt, _ name: CInt) -> Int {
            var value: CInt = -1
            var length = socklen_t(MemoryLayout<CInt>.size)
            unsafe getsockopt(descriptor, level, name, &value, &length)
            return Int(value)
        }
        let tcp = CInt(IPPROTO_TCP)
        // TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT and TCP_USER_TIMEOUT of <linux/tcp.h>.
        isOn = option(SOL_SOCKET, SO_KEEPALIVE) == 1
        idle = option(tcp, 4)
        interval = option(tcp, 5)
        count = option(tcp, 6)
        patience = option(tcp, 18) / 1000
    }

    /// Of this process's connections that are bound to `local` or connected to `remote`.
    package static func all(local: UInt16? = nil, remote: UInt16? = nil) -> [SocketWatch] {
        (CInt(0)..<4096).compactMap { descriptor in
            guard let own = unsafe port(descriptor, getsockname), let other = unsafe port(descriptor, getpeername)
            else { return nil }
            if let local, own != local { return nil }
            if let remote, other != remote { return nil }
            return SocketWatch(descriptor)
        }
    }

    private static func port(
        _ descriptor: CInt, _ ask: (CInt, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> CInt
    ) -> UInt16? {
        var inet = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafeMutablePointer(to: &inet) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe ask(descriptor, $0, &length) }
        }
        guard result == 0, inet.sin_family == sa_family_t(AF_INET) else { return nil }
        return UInt16(bigEndian: inet.sin_port)
    }
}
