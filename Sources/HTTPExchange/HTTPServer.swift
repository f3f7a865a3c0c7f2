import Engine
package import Model
import Synchronization

/// The HTTP/1.1 server of the control plane (admin API, federation): a worker of its own, whole requests in, whole
/// answers out, and the answer may come later from any thread, which is what a long poll needs.
package final class HTTPServer: Sendable {
    package struct Header: Sendable, Hashable {
        /// As received; compare without regard to case.
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package struct Request: Sendable {
        /// Upper case, as received: `GET`.
        package var method: String
        /// Normalised, still percent-encoded where the encoding matters, without the query: `/status`.
        package var path: String
        /// Without the question mark; empty when there is none.
        package var query: String
        package var headers: [Header]
        package var body: [UInt8]
        package var peer: SocketAddress

        package init(
            method: String, path: String, query: String = "", headers: [Header] = [], body: [UInt8] = [],
            peer: SocketAddress
        ) {
            self.method = method
            self.path = path
            self.query = query
            self.headers = headers
            self.body = body
            self.peer = peer
        }

        /// The value of the first header called `name`, in any case.
        package func header(_ name: String) -> String? {
            let wanted = name.lowercased()
            return headers.first { $0.name.lowercased() == wanted }?.value
        }
    }

    package struct Response: Sendable {
        /// 200 ... 599.
        package var status: Int
        /// Without Content-Length, Connection and Date, which the server writes.
        package var headers: [(String, String)]
        package var body: [UInt8]
        /// The client has proved who it is: its connection is kept when others have to go.
        package var isTrusted = false

        package init(status: Int, headers: [(String, String)] = [], body: [UInt8] = []) {
            self.status = status
            self.headers = headers
            self.body = body
        }

        package init(status: Int, contentType: String, text: String) {
            self.init(status: status, headers: [("Content-Type", contentType)], body: Array(text.utf8))
        }
    }

    package struct Limits: Sendable, Hashable {
        /// Octets of one request body; more is 413.
        package var bodySize: Int
        /// Connections at once. When there are more, the oldest of a client goes that has not proved who it is.
        package var connections: Int
        /// The same for one source: an IPv4 address, or an IPv6 /64.
        package var perSource: Int
        /// From the first octet of a request to its end; longer is 408.
        package var request: Duration
        /// Between requests.
        package var idle: Duration

        package init(
            bodySize: Int = 16 << 10, connections: Int = 1024, perSource: Int = 64, request: Duration = .seconds(10),
            idle: Duration = .seconds(75)
        ) {
            self.bodySize = bodySize
            self.connections = connections
            // One source leaves half of the places to others, however few there are.
            self.perSource = max(1, min(perSource, connections / 2))
            self.request = request
            self.idle = idle
        }
    }

    /// What answers: called on the server's worker, so it must not block; `reply` may be called from any thread, once.
    /// When the client has hung up meanwhile the reply is dropped.
    package typealias Handler =
        @Sendable (_ request: Request, _ reply: @escaping @Sendable (Response) -> Void) -> Void

    /// What became of connections for which there was no room, since the start.
    package struct Crowding: Sendable, Hashable {
        /// Closed for a newer one, before their clients had proved who they are.
        package var evicted: UInt64 = 0
        /// Closed as soon as they came, because everybody who was there had a request under way.
        package var refused: UInt64 = 0
    }

    private let group: WorkerGroup
    private let host: ControlHost
    /// What the listeners are bound to: port 0 has become a real one.
    package let addresses: [SocketAddress]

    /// Binds every address and starts the worker.
    ///
    /// - Throws: `SocketError` when an address cannot be bound; nothing is left open then.
    package init(addresses: [SocketAddress], limits: Limits = Limits(), handler: @escaping Handler) throws {
        let started = Mutex<(host: ControlHost, addresses: [SocketAddress])?>(nil)
        group = try WorkerGroup(count: 1, name: "control", counters: ControlHost.Counter.allCases.count) { worker in
            let host = ControlHost(worker: worker, limits: limits, handler: handler)
            let bound = try host.listen(addresses)
            started.withLock { $0 = (host, bound) }
        }
        guard let parts = started.withLock({ $0 }) else { throw SocketError("start", 0) }
        host = parts.host
        self.addresses = parts.addresses
    }

    package var crowding: Crowding {
        Crowding(
            evicted: group.total(ControlHost.Counter.evicted.rawValue),
            refused: group.total(ControlHost.Counter.refused.rawValue))
    }

    /// Closes the listeners, gives replies that are under way a second to be written, then closes every connection.
    package func stop() async {
        let host = host
        await withCheckedContinuation { continuation in
            group.broadcast { _ in host.stop { continuation.resume() } }
        }
        await group.stop()
    }
}
