package import Engine
package import Model

/// One request of the control plane: a probe, a federation poll, an operator's command.
package struct HTTPClientRequest: Sendable {
    /// What happens to an answer whose body is longer than `maximumBodySize`.
    package enum BodyOverflow: Sendable, Hashable {
        /// The request fails with `bodyTooLarge`.
        case fail
        /// The rest is not read; the connection is closed.
        case truncate
    }

    /// Over what a request goes.
    package enum Connection: Sendable, Hashable {
        /// One that is open, or a new one, which is kept.
        case kept
        /// The same, closed afterwards.
        case last
        /// One of its own, closed afterwards, so that the answer also says that connecting works.
        case fresh
        /// This one, whose handshake is over; the request owns it. Afterwards it is kept or closed.
        case given(CInt, keeps: Bool)
    }

    /// Absolute, `http://` or `https://`.
    package var url: String
    package var method: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// From the start to the last byte of the answer; nil is unlimited.
    package var timeout: Duration?
    /// Name resolution, TCP handshake and TLS handshake together.
    package var connectTimeout: Duration
    /// Octets of the answer's body.
    package var maximumBodySize: Int
    package var overflow: BodyOverflow
    /// Connect here, whatever the URL says; the Host header and the TLS name stay those of the URL.
    package var connectTo: SocketAddress?
    package var connection: Connection

    package init(
        url: String, method: String = "GET", headers: [(name: String, value: String)] = [], body: [UInt8] = [],
        timeout: Duration? = .seconds(30), connectTimeout: Duration = .seconds(5), maximumBodySize: Int = 8 << 20,
        overflow: BodyOverflow = .fail, connectTo: SocketAddress? = nil, connection: Connection = .kept
    ) {
        self.url = url
        self.method = method
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.connectTimeout = connectTimeout
        self.maximumBodySize = maximumBodySize
        self.overflow = overflow
        self.connectTo = connectTo
        self.connection = connection
    }
}

package struct HTTPClientResponse: Sendable {
    package var status: Int
    /// Of the final answer, in order of arrival; names as sent.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    package var timing: HTTPClientTiming

    /// The first field of that name (case-insensitive), or nil.
    package func header(_ name: String) -> String? {
        let wanted = name.lowercased()
        return headers.first { $0.name.lowercased() == wanted }?.value
    }
}

/// When each phase of a request was over, from its start. A phase that did not take place ends with the one before it.
package struct HTTPClientTiming: Sendable, Hashable {
    package var resolved: Duration
    package var connected: Duration
    package var encrypted: Duration
    package var firstByte: Duration
    package var total: Duration
}

package enum HTTPClientError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The request cannot be sent as it is; the text says why.
    case invalidRequest(String)
    /// No connection: `Connection refused`, `Could not resolve host: x`.
    case connect(String)
    /// We ourselves have not got what a connection needs: this says nothing about the server.
    case shortage(Shortage, String)
    /// `timeout` or `connectTimeout` passed.
    case timeout
    /// The answer is longer than `maximumBodySize`.
    case bodyTooLarge
    /// The status line and the header fields of the answer are longer than 16 KiB together.
    case headTooLarge
    /// The server sends on and on what is neither head nor body: chunk extensions, for example.
    case excess
    /// The connection broke or the answer is malformed.
    case transfer(String)
    /// The task was cancelled.
    case cancelled
    /// The client was shut down.
    case shutDown

    package var description: String {
        switch self {
        case .invalidRequest(let text), .connect(let text), .shortage(_, let text), .transfer(let text): text
        case .timeout: "timed out"
        case .bodyTooLarge: "the answer is too long"
        case .headTooLarge: "the answer's header is longer than 16 KiB"
        case .excess: "the answer brings more than 256 KiB that belong to nothing"
        case .cancelled: "cancelled"
        case .shutDown: "the client is shut down"
        }
    }
}
