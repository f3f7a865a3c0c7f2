import Engine
import Glibc
import Model

/// HTTP checks of one address that may be far away. The connection stays open between checks: a check then is one round
/// trip. Where none is open, the handshake has a `timeout` of its own, so that a check whose timeout is longer than the
/// round trip passes however far the server is.
///
/// Every fifth check, and every one that follows a failure, connects anew: a server whose listener died still answers on
/// old connections. A connection that was lost between two checks fails none: the same check then connects anew.
///
/// Confined to the task that probes this target.
final class HTTPSession {
    private static let checksPerConnection = 5
    /// Longer pauses outlast what servers and firewalls keep open.
    private static let longestPause = Duration.seconds(30)

    private let address: SocketAddress
    private let probe: HTTPProbe
    private let prober: HTTPProber
    private let waiter: SocketWaiter
    private let isKept: Bool
    /// Checks that the open connection is good for; 0 when there is none.
    private var left = 0
    /// What the latest check that passed took to be answered.
    private var answerTime = Duration.zero

    init(
        _ address: SocketAddress, _ probe: HTTPProbe, every interval: Duration, prober: HTTPProber, waiter: SocketWaiter
    ) {
        self.address = address
        self.probe = probe
        self.prober = prober
        self.waiter = waiter
        isKept = interval <= Self.longestPause
    }

    func look(timeout: Duration) async -> ProbeOutcome {
        let start = ContinuousClock.now
        if left > 0 {
            left -= 1
            // A server that answers at once and then says nothing is asked anew soon; one that is far gets its time.
            let patience = min(timeout, max(timeout / 2, answerTime * 2))
            let asked = await prober.ask(
                address, probe, timeout: patience, connection: left == 0 ? .last : .kept, since: start)
            // An answer counts, and so does that nobody listens: libcurl connects anew by itself when it must.
            let outcome = note(asked, connects: false, start)
            if asked.isCertain || Task.isCancelled { return outcome }
        }
        let (descriptor, failure) = await connect(until: .now + timeout, since: start)
        guard let descriptor else { return failure }
        let connected = ContinuousClock.now
        left = isKept ? Self.checksPerConnection - 1 : 0
        let asked = await prober.ask(
            address, probe, timeout: timeout, connection: .given(descriptor, keeps: isKept), since: start)
        return note(asked, connects: true, connected)
    }

    /// - Returns: what became of the check, with what follows for the connection taken down.
    private func note(
        _ asked: HTTPProber.Asked, connects: Bool, _ start: ContinuousClock.Instant
    ) -> ProbeOutcome {
        var outcome = asked.outcome
        outcome.connects = connects
        if outcome.up { answerTime = start.duration(to: .now) }
        if !outcome.up || asked.closes { left = 0 }
        return outcome
    }

    private func connect(
        until deadline: ContinuousClock.Instant, since start: ContinuousClock.Instant
    ) async -> (CInt?, ProbeOutcome) {
        let prober = TCPProber(waiter: waiter)
        let place = SocketAddress(address.address, port: probe.port ?? address.port)
        return await prober.connect(place, until: deadline, since: start)
    }
}
