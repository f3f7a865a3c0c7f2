package import Model
package import Topology

/// What a tier is to the control plane. Implemented by the three tiers; no tier knows another.
///
/// The order of calls: `prepare`, `start`, `open`, with any number of `prepare` → `install` (a reload) from `start` on, at
/// last `leave`, `stopAccepting`, `stop` and `end`. `check` calls `prepare` only. The control plane never makes two of these calls at once, while
/// `healthChanged`, `facts`, `metrics`, `status` and `explain` may come at any time after `start`, from any thread.
package protocol DataPlane: AnyObject, Sendable {
    /// A configuration with everything that could fail behind it: tables built, files read, new listeners bound.
    associatedtype Prepared: Sendable

    var tier: Tier { get }

    /// Builds all that `snapshot` asks of `node`, and changes nothing that is in force. Before `start` it binds nothing;
    /// afterwards it may bind the listeners that the new configuration adds (dropping the value closes them).
    ///
    /// - Throws: every problem at once, such as a zone file's errors with their lines.
    func prepare(_ snapshot: Snapshot, node: NodeID) throws(InvalidTopology) -> Prepared

    /// Starts the workers and binds the listeners. When it throws, nothing is left open.
    func start(_ prepared: Prepared, health: HealthBoard) throws

    /// Lets users in: the listeners that `start` bound listen. Called once, when the first results of the node's checks are
    /// known or had their time.
    func open() throws

    /// Publishes `prepared` to the workers atomically. Established connections survive and counters go on.
    func install(_ prepared: Prepared)

    /// Endpoint states or verdicts moved: compile anew what depends on them (DNS answers). Must not block for long.
    func healthChanged()

    /// Peers measured round trips of clients. Called from the health loop, each window once: take it and come back.
    func heard(_ roundTrips: [HeardRoundTrips])

    /// Work that may take a second and no query waits for: looks whether files that were read have changed, compiles what
    /// was gathered, and takes the steps that are due by time alone. Called every other second on a thread of its own,
    /// never during `prepare` or `install`.
    ///
    /// - Returns: what there is to tell, each in a sentence: a file that was read anew or refused.
    func refresh() -> [Event.Remark]

    /// Opens the files of logs anew, as after logrotate moved them. What cannot be opened goes on in its old file.
    ///
    /// - Returns: what went wrong, each in a sentence.
    func reopenLogs() -> [String]

    /// What went through, for the node's own report.
    func facts() -> DataPlaneFacts

    /// Adds the tier's families, all named `meridian_<tier>_…`.
    func metrics(into text: inout MetricsText)

    /// The tier's part of `/status`: an object whose keys join the node's own (`names`, `listeners`, `routes` …).
    func status() -> StatusValue

    /// Answers `GET /explain`; nil when the question is not one that this tier knows. Keys are those of the query
    /// (`kind`, `name`, `type`, `client`, …).
    func explain(_ question: [String: String]) -> StatusValue?

    /// The node is going, and its peers are being told: users are still let in, and those who stay connected are sent
    /// elsewhere where the protocol can say so.
    func leave()

    /// Closes the listeners, not without taking who has already come; what is under way goes on.
    func stopAccepting()

    /// Lets what is under way finish for `deadline` at most, closes the rest, and ends the workers. What needs no connection
    /// may go on.
    func stop(deadline: Duration) async

    /// Ends whatever still goes on. Called when everything else of the node has ended, right before the process does.
    func end() async
}

extension DataPlane {
    package func open() throws {}
    package func leave() {}
    package func end() async {}
    package func heard(_ roundTrips: [HeardRoundTrips]) {}
    package func refresh() -> [Event.Remark] { [] }
    package func reopenLogs() -> [String] { [] }
}

/// Totals since the start; the control plane turns their growth into rates.
package struct DataPlaneFacts: Sendable, Hashable {
    /// Queries, requests or connections.
    package var operations: UInt64
    package var pools: [PoolTraffic]
    /// The latest window of clients' round trips; nil when none were measured.
    package var roundTrips: RoundTripWindow?

    package init(operations: UInt64 = 0, pools: [PoolTraffic] = [], roundTrips: RoundTripWindow? = nil) {
        self.operations = operations
        self.pools = pools
        self.roundTrips = roundTrips
    }

    /// What went to one pool of the node's region.
    package struct PoolTraffic: Sendable, Hashable {
        package var pool: String
        package var operations: UInt64
        /// Operations that failed by the pool's fault.
        package var failures: UInt64
        package var inFlight: Int
        /// Of the last few seconds; zero when not measured.
        package var p50Milliseconds: Double
        package var p99Milliseconds: Double

        package init(
            pool: String, operations: UInt64, failures: UInt64 = 0, inFlight: Int = 0, p50Milliseconds: Double = 0,
            p99Milliseconds: Double = 0
        ) {
            self.pool = pool
            self.operations = operations
            self.failures = failures
            self.inFlight = inFlight
            self.p50Milliseconds = p50Milliseconds
            self.p99Milliseconds = p99Milliseconds
        }
    }
}
