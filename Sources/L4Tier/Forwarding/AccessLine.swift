import Engine
import Model

/// Writes the record of each connection, or of every n-th.
final class AccessLine {
    /// What became of the way to an endpoint.
    struct Upstream {
        /// The endpoint that was tried last.
        let address: SocketAddress
        /// Endpoints that were tried.
        let attempts: Int
        /// Nanoseconds that the last one took to accept; nil when it did not.
        let connect: UInt64?
    }

    private let record: AccessRecord

    init(_ record: AccessRecord) { self.record = record }

    /// `received` came from the client, `sent` went to it, both in octets of payload; `began` is of the worker's clock.
    func write(
        _ route: Route, client: SocketAddress, upstream: Upstream?, began: UInt64, received: UInt64, sent: UInt64,
        reason: EndReason, worker: Worker
    ) {
        guard record.begin(at: worker.wallClock) else { return }
        record.add("listener", text: route.label)
        record.add("client", client)
        record.add("pool", text: route.poolLabel)
        if let upstream {
            record.add("endpoint", upstream.address)
            record.add("attempts", UInt64(upstream.attempts))
        }
        record.add("bytes_in", received)
        record.add("bytes_out", sent)
        record.add("duration_ms", nanoseconds: worker.now &- began)
        if let connect = upstream?.connect { record.add("upstream_connect_ms", nanoseconds: connect) }
        record.add("reason", reason.label)
        record.end()
    }
}
