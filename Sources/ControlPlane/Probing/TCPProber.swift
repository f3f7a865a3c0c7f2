import Engine
import Glibc
import Model

/// Up when the TCP handshake completes. Says nothing and closes at once.
struct TCPProber {
    let waiter: SocketWaiter

    func probe(_ address: SocketAddress, timeout: Duration) async -> ProbeOutcome {
        let start = ContinuousClock.now
        let reason = await failure(address, until: start + timeout)
        return ProbeOutcome(up: reason == nil, reason: reason ?? "accepts", latency: start.duration(to: .now))
    }

    private func failure(_ address: SocketAddress, until deadline: ContinuousClock.Instant) async -> String? {
        let descriptor: CInt
        do throws(SocketError) {
            descriptor = try Socket.connect(address)
        } catch {
            return SocketError.text(error.code).lowercased()
        }
        defer { close(descriptor) }
        guard await waiter.wait(descriptor, for: .writable, until: deadline) else { return "connect timed out" }
        let code = Socket.pendingError(descriptor)
        return code == 0 ? nil : SocketError.text(code).lowercased()
    }
}
