import Engine
import Glibc
import Model

/// Up when the TCP handshake completes. Says nothing and closes at once.
struct TCPProber {
    let waiter: SocketWaiter

    func probe(_ address: SocketAddress, timeout: Duration) async -> ProbeOutcome {
        let start = ContinuousClock.now
        let descriptor: CInt
        do throws(SocketError) {
            descriptor = try Socket.connect(address)
        } catch {
            return Self.outcome(error.code, since: start)
        }
        defer { close(descriptor) }
        guard await waiter.wait(descriptor, for: .writable, until: start + timeout) else {
            return ProbeOutcome(up: false, reason: "connect timed out", latency: start.duration(to: .now))
        }
        return Self.outcome(Socket.pendingError(descriptor), since: start)
    }

    private static func outcome(_ code: CInt, since start: ContinuousClock.Instant) -> ProbeOutcome {
        let latency = start.duration(to: .now)
        if code == 0 { return ProbeOutcome(up: true, reason: "accepts", latency: latency) }
        let reason = SocketError.text(code).lowercased()
        if let shortage = Shortage(code) { return .missed(shortage, reason: reason, latency: latency) }
        return ProbeOutcome(up: false, reason: reason, latency: latency)
    }
}
