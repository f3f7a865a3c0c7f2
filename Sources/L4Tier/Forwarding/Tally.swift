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
    /// This node lacked a descriptor, memory or a port.
    static let exhausted = 11
    static let count = 12
}
