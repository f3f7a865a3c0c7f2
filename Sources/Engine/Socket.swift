package import CLinux
import Glibc
package import Model

/// A system call on a socket that failed.
package struct SocketError: Error, Sendable, Hashable, CustomStringConvertible {
    package let operation: String
    package let code: CInt
    package let address: SocketAddress?

    package init(_ operation: String, _ code: CInt, _ address: SocketAddress? = nil) {
        self.operation = operation
        self.code = code
        self.address = address
    }

    package var description: String {
        let place = address.map { " \($0)" } ?? ""
        return "\(operation)\(place): \(Self.text(code))\(cure)"
    }

    private var cure: String {
        switch code {
        case EADDRINUSE: "; another process listens there: stop it or choose another port"
        case EADDRNOTAVAIL: "; no interface of this machine has that address"
        case EACCES where operation == "bind": "; ports below 1024 need root or CAP_NET_BIND_SERVICE"
        case EMFILE, ENFILE: "; raise the limit on open files (ulimit -n, LimitNOFILE=)"
        default: ""
        }
    }

    package static func text(_ code: CInt) -> String { unsafe String(cString: strerror(code)) }
}

/// Non-blocking, close-on-exec sockets.
package enum Socket {
    package enum Kind: Sendable, Hashable {
        case stream
        case datagram
    }

    /// Binds `address` for a moment without sharing it.
    ///
    /// - Throws: when any other socket listens there, be it one that would share, or when nobody could.
    package static func tryAlone(_ address: SocketAddress, _ kind: Kind) throws(SocketError) {
        let descriptor = try open(address, kind: kind == .stream ? SOCK_STREAM : SOCK_DGRAM)
        defer { close(descriptor) }
        // For TCP it lets connections be that outlived an earlier listener; for UDP it would share.
        if kind == .stream { try set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1, address) }
        try bind(descriptor, address)
    }

    /// A TCP listener that shares its port with the other workers' (SO_REUSEPORT). What it accepts inherits TCP_NODELAY.
    package static func listen(_ address: SocketAddress) throws(SocketError) -> CInt {
        let descriptor = try bound(address)
        do throws(SocketError) {
            try listen(descriptor, at: address)
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Has a bound socket listen.
    static func listen(_ descriptor: CInt, at address: SocketAddress) throws(SocketError) {
        // 4096 is net.core.somaxconn's default since Linux 5.4; the kernel clamps.
        guard Glibc.listen(descriptor, 4096) == 0 else { throw SocketError("listen", errno, address) }
    }

    /// The same before it listens: the port is ours to share, and no client comes.
    static func bound(_ address: SocketAddress) throws(SocketError) -> CInt {
        let descriptor = try open(address, kind: SOCK_STREAM)
        do throws(SocketError) {
            try set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1, address)
            try set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1, address)
            try set(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, 1, address)
            try bind(descriptor, address)
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// A bound UDP socket that shares its port with the other workers' (SO_REUSEPORT).
    package static func datagram(_ address: SocketAddress) throws(SocketError) -> CInt {
        let descriptor = try open(address, kind: SOCK_DGRAM)
        do throws(SocketError) {
            try set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1, address)
            // 4 MiB absorb a burst of some 5,000 queries; the kernel clamps to net.core.rmem_max.
            try set(descriptor, SOL_SOCKET, SO_RCVBUF, 4 << 20, address)
            // A forged "fragmentation needed" must not make answers come in pieces (RFC 9715 section 3.1), and there is no
            // route to be asked for its MTU with each answer.
            if address.address.family == .v4 {
                try set(descriptor, CInt(IPPROTO_IP), IP_MTU_DISCOVER, IP_PMTUDISC_OMIT, address)
            } else {
                try set(descriptor, CInt(IPPROTO_IPV6), IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT, address)
            }
            if address.address.isUnspecified {
                // Answers must leave from the address that was asked.
                if address.address.family == .v4 {
                    try set(descriptor, CInt(IPPROTO_IP), IP_PKTINFO, 1, address)
                } else {
                    try set(descriptor, CInt(IPPROTO_IPV6), IPV6_RECVPKTINFO, 1, address)
                }
            }
            try bind(descriptor, address)
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Takes a bound UDP socket out of those among which the kernel chooses (SO_REUSEPORT): datagrams of others go to the
    /// sockets that stay, and what waits here already stays to be read. A socket that is connected, here to itself, gets
    /// what its peer sends and nothing else (connect(2); Linux 5.4 and later). It can still send to anybody.
    static func stepAside(_ descriptor: CInt) {
        guard var address = localAddress(descriptor) else { return }
        if address.address.isUnspecified {
            let loopback = address.address.family == .v4 ? IPAddress(v4: 0x7f00_0001) : IPAddress(v6: 0, 1)
            address = SocketAddress(loopback, port: address.port)
        }
        _ = unsafe withSockaddr(address) { unsafe Glibc.connect(descriptor, $0, $1) }
    }

    /// Has calls that may wait do so, for `nanoseconds` at most.
    static func setBlocking(_ descriptor: CInt, nanoseconds: UInt64) {
        let flags = fcntl(descriptor, F_GETFL)
        _ = fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK)
        var limit = timeval(tv_sec: Int(nanoseconds / 1_000_000_000), tv_usec: Int(nanoseconds % 1_000_000_000 / 1000))
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Starts to connect. The result is established when it becomes writable and `pendingError` is 0.
    ///
    /// `forTraffic`: on behalf of a user, who gets none of the descriptors that are kept for the control plane.
    package static func connect(_ address: SocketAddress, forTraffic: Bool = false) throws(SocketError) -> CInt {
        let descriptor = try open(address, kind: SOCK_STREAM)
        if forTraffic, !DescriptorShares.isTraffic(descriptor) {
            close(descriptor)
            throw SocketError("socket", EMFILE, address)
        }
        setNoDelay(descriptor)
        let result = unsafe withSockaddr(address) { unsafe Glibc.connect(descriptor, $0, $1) }
        if result != 0, errno != EINPROGRESS {
            let code = errno
            close(descriptor)
            throw SocketError("connect", code, address)
        }
        return descriptor
    }

    /// Turns Nagle's algorithm off: a balancer forwards what it has at once.
    package static func setNoDelay(_ descriptor: CInt) {
        try? set(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, 1, nil)
    }

    /// Has the kernel watch a connection on which nothing moves; on a listener, those that it accepts from now on.
    /// Five system calls.
    package static func keepAlive(_ descriptor: CInt, _ keepalive: Keepalive) {
        let tcp = CInt(IPPROTO_TCP)
        let isOn = keepalive.count > 0
        let seconds = { (duration: Duration) in CInt(min(max(1, duration.components.seconds), 32_767)) }
        try? set(descriptor, SOL_SOCKET, SO_KEEPALIVE, isOn ? 1 : 0, nil)
        try? set(descriptor, tcp, TCP_USER_TIMEOUT, isOn ? CInt(clamping: keepalive.patience.milliseconds) : 0, nil)
        guard isOn else { return }
        try? set(descriptor, tcp, TCP_KEEPIDLE, seconds(keepalive.idle), nil)
        try? set(descriptor, tcp, TCP_KEEPINTVL, seconds(keepalive.interval), nil)
        try? set(descriptor, tcp, TCP_KEEPCNT, CInt(min(keepalive.count, 127)), nil)
    }

    package static func close(_ descriptor: CInt) { _ = Glibc.close(descriptor) }

    /// Makes close() send RST instead of FIN, so that a stream that was cut short cannot be taken for a complete one.
    package static func resetOnClose(_ descriptor: CInt) {
        var linger = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
    }

    /// SO_ERROR: the outcome of a connect, or 0.
    package static func pendingError(_ descriptor: CInt) -> CInt {
        var code: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        let result = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
        return result == 0 ? code : errno
    }

    /// The kernel's smoothed round-trip time of a TCP connection (TCP_INFO, RFC 6298's SRTT) in microseconds; nil when it has
    /// none. A system call.
    package static func roundTripTime(_ descriptor: CInt) -> UInt32? {
        let time = meridian_round_trip_time(descriptor)
        return time == 0 ? nil : time
    }

    /// Octets that a TCP connection has received in all, whoever read them; 0 when the kernel does not tell. A system call.
    package static func receivedOctets(_ descriptor: CInt) -> UInt64 { meridian_received_octets(descriptor) }

    /// The address that the socket is bound to, as for a listener on port 0.
    package static func localAddress(_ descriptor: CInt) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return unsafe withUnsafeMutableBytes(of: &storage) { bytes in
            guard let base = bytes.baseAddress,
                unsafe getsockname(descriptor, base.assumingMemoryBound(to: sockaddr.self), &length) == 0
            else { return nil }
            return unsafe socketAddress(UnsafeRawPointer(base))
        }
    }

    private static func open(_ address: SocketAddress, kind: __socket_type) throws(SocketError) -> CInt {
        let family = address.address.family == .v4 ? AF_INET : AF_INET6
        let flags = CInt(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, CInt(kind.rawValue) | flags, 0)
        guard descriptor >= 0 else { throw SocketError("socket", errno, address) }
        return descriptor
    }

    private static func bind(_ descriptor: CInt, _ address: SocketAddress) throws(SocketError) {
        let result = unsafe withSockaddr(address) { unsafe Glibc.bind(descriptor, $0, $1) }
        guard result == 0 else { throw SocketError("bind", errno, address) }
    }

    private static func set(
        _ descriptor: CInt, _ level: CInt, _ option: CInt, _ value: CInt, _ address: SocketAddress?
    ) throws(SocketError) {
        var value = value
        let result = unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
        guard result == 0 else { throw SocketError("setsockopt", errno, address) }
    }
}

// MARK: - sockaddr

extension Socket {
    /// Calls `body` with `address` as the kernel wants it.
    package static func withSockaddr<Result>(
        _ address: SocketAddress, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var storage = sockaddr_storage()
        return unsafe withUnsafeMutableBytes(of: &storage) { bytes in
            let length: Int
            if address.address.family == .v4 {
                var inet = sockaddr_in()
                inet.sin_family = sa_family_t(AF_INET)
                inet.sin_port = address.port.bigEndian
                inet.sin_addr.s_addr = address.address.v4.bigEndian
                unsafe bytes.storeBytes(of: inet, as: sockaddr_in.self)
                length = MemoryLayout<sockaddr_in>.size
            } else {
                unsafe bytes.storeBytes(of: sa_family_t(AF_INET6), as: sa_family_t.self)
                unsafe bytes.storeBytes(of: address.port.bigEndian, toByteOffset: 2, as: UInt16.self)
                unsafe bytes.storeBytes(of: address.address.high.bigEndian, toByteOffset: 8, as: UInt64.self)
                unsafe bytes.storeBytes(of: address.address.low.bigEndian, toByteOffset: 16, as: UInt64.self)
                length = MemoryLayout<sockaddr_in6>.size
            }
            // sockaddr_storage is never empty, so it has a base address.
            let base = unsafe bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: sockaddr.self)
            return unsafe body(base, socklen_t(length))
        }
    }

    /// Reads a `sockaddr_in` or `sockaddr_in6`; anything else is `0.0.0.0:0`. Allocates nothing.
    package static func socketAddress(_ pointer: UnsafeRawPointer) -> SocketAddress {
        let family = unsafe pointer.loadUnaligned(as: sa_family_t.self)
        let port = unsafe UInt16(bigEndian: pointer.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        switch CInt(family) {
        case AF_INET:
            let word = unsafe UInt32(bigEndian: pointer.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
            return SocketAddress(IPAddress(v4: word), port: port)
        case AF_INET6:
            let high = unsafe UInt64(bigEndian: pointer.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            let low = unsafe UInt64(bigEndian: pointer.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
            return SocketAddress(IPAddress(v6: high, low), port: port)
        default:
            return SocketAddress(IPAddress(v4: 0), port: 0)
        }
    }
}
