/// Cells of a worker's counter block.
enum Tally {
    static let accepted = 0
    static let finished = 1
    /// Over the listener's limit.
    static let overLimit = 2
    /// No endpoint was usable, or none of those tried could be reached.
    static let refused = 3
    /// Connects that failed or took too long.
    static let connectFailures = 4
    /// Connects to another endpoint after a failure.
    static let retries = 5
    static let closedOnDown = 6
    static let idle = 7
    static let resets = 8
    static let fromClients = 9
    static let fromEndpoints = 10
    static let count = 11
}

/// Why a connection ended, for its access line.
enum EndReason: Sendable {
    /// Both directions ended in order; the client was first.
    case clientClosed
    /// Both directions ended in order; the endpoint was first.
    case endpointClosed
    case clientReset
    case endpointReset
    case idle
    /// No endpoint was usable.
    case noEndpoint
    /// Every endpoint that was tried failed.
    case connectFailed
    /// The endpoint went down or lost the role.
    case endpointDown
    case overLimit
    /// The node stops.
    case stopped

    var label: StaticString {
        switch self {
        case .clientClosed: "client-closed"
        case .endpointClosed: "endpoint-closed"
        case .clientReset: "client-reset"
        case .endpointReset: "endpoint-reset"
        case .idle: "idle"
        case .noEndpoint: "no-endpoint"
        case .connectFailed: "connect-failed"
        case .endpointDown: "endpoint-down"
        case .overLimit: "over-limit"
        case .stopped: "stopped"
        }
    }
}
