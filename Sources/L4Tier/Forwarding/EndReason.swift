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
    /// This node lacked a descriptor, memory or a port.
    case exhausted
    /// The node stops, and nothing was under way.
    case drained
    /// The node stops, and its time was over.
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
        case .exhausted: "exhausted"
        case .drained: "drained"
        case .stopped: "stopped"
        }
    }
}
