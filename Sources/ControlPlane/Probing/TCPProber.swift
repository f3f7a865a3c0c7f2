import Engine
import Glibc
import Model

/// Up when the TCP handshake completes. Says nothing and closes at once.
struct TCPProber {
    let waiter: SocketWaiter

    func probe(_ address: SocketAddress, timeout: Duration) async -> ProbeOutcome {
        let start = ContinuousClock.now
        let (descriptor, outcome) = await connect(address, until: start + timeout, since: start)
        if let descriptor { close(descriptor) }
        return outcome
    }

    /// Makes a connection, which belongs to the caller.
    ///
    /// - Returns: its descriptor, nil without one, and what a check by the handshake alone says; its latency counts from `start`.
    func connect(
        _ address: SocketAddress, until deadline: ContinuousClock.Instant, since start: ContinuousClock.Instant
    ) async -> (descriptor: CInt?, outcome: ProbeOutcome) {
        let descriptor: CInt
        do throws(SocketError) {
            descriptor = try Socket.connect(address)
        } catch {
            return (nil, Self.outcome(error.code, since: start))
        }
        guard await waiter.wait(descriptor, for: .writable, until: deadline) else {
            close(descriptor)
            return (nil, ProbeOutcome(up: false, reason: "connect timed out", latency: start.duration(to: .now)))
        }
        let outcome = Self.outcome(Socket.pendingError(descriptor), since: start)
        if outcome.up { return (descriptor, outcome) }
        close(descriptor)
        return (nil, outcome)
    }

    private static func outcome(_ code: CInt, since start: ContinuousClock.Instant) -> ProbeOutcome {
        let latency = start.duration(to: .now)
        if code == 0 { return ProbeOutcome(up: true, reason: "accepts", latency: latency) }
        let reason = SocketError.text(code).lowercased()
        if let shortage = Shortage(code) { return .missed(shortage, reason: reason, latency: latency) }
        return ProbeOutcome(up: false, reason: reason, latency: latency)
    }
}
