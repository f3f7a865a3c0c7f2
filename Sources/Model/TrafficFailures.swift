/// The ways in which an endpoint fails real traffic; several of them together.
package struct TrafficFailures: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// No connection: refused, unreachable, or not made in time.
    package static let connect = TrafficFailures(rawValue: 1)
    /// The connection broke or ended before the response did, or what came was none.
    package static let reset = TrafficFailures(rawValue: 2)
    /// Connected, and then silent for the pool's `response` timeout.
    package static let timeout = TrafficFailures(rawValue: 4)
    /// It answered 502, 503 or 504.
    package static let gateway = TrafficFailures(rawValue: 8)
    /// It answered with any status of 500 or more.
    package static let serverError = TrafficFailures(rawValue: 16)

    /// What takes an endpoint out unless the topology says otherwise: it gave no answer.
    package static let noAnswer: TrafficFailures = [.connect, .reset, .timeout]

    /// What is tried elsewhere unless the topology says otherwise.
    package static let repeatable: TrafficFailures = [.connect, .reset]

    /// As the topology calls them, in order.
    package static let names: [(name: String, failure: TrafficFailures)] = [
        ("connect", .connect), ("reset", .reset), ("timeout", .timeout), ("gateway", .gateway), ("5xx", .serverError),
    ]

    /// What a response with `status` is.
    package init(status: Int) {
        self =
            switch status {
            case 502, 503, 504: [.gateway, .serverError]
            case 500...: .serverError
            default: []
            }
    }

    /// `connect, timeout`.
    package var words: String { Self.names.filter { contains($0.failure) }.map(\.name).joined(separator: ", ") }
}

/// When a request goes on to another endpoint (HTTP pools).
package struct RetryPolicy: Sendable, Hashable {
    /// After which failures. All but a failed connect need a request that may be repeated.
    package let on: TrafficFailures
    /// Endpoints that one request asks at most, 1 ... 10.
    package let attempts: Int

    package static let standard = RetryPolicy(on: .repeatable, attempts: 3)

    package init(on: TrafficFailures, attempts: Int) {
        self.on = on
        self.attempts = attempts
    }
}
