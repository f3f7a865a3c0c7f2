import Engine
import Health
package import Model
import Synchronization

/// Looks at a set of targets, each on its own clock, and tells what became of each look.
package final class ProbeService<ID: Hashable & Sendable>: Sendable {
    package typealias Sink = @Sendable (ID, ProbeReport) -> Void

    private struct Running {
        let target: ProbeTarget<ID>
        let task: Task<Void, Never>
    }

    private let client: HTTPClient
    private let waiter: SocketWaiter
    private let secret: @Sendable (Secret) -> String?
    private let lagIsDeath: Bool
    private let mark: CheckMark?
    private let sink: Sink
    private let running = Mutex<[ID: Running]>([:])

    /// - Parameters:
    ///   - client: for HTTP checks.
    ///   - waiter: for TCP and PostgreSQL checks.
    ///   - secret: the value of a password; nil when it cannot be had.
    ///   - lagIsDeath: whether a replica that is further behind than its check allows counts as down; otherwise the sink
    ///     decides what its lag means.
    ///   - mark: marks HTTP checks; nil where they reach no nodes of ours.
    ///   - sink: told of every look, from any thread; of one target in order.
    package init(
        client: HTTPClient, waiter: SocketWaiter, secret: @escaping @Sendable (Secret) -> String?,
        lagIsDeath: Bool = false, mark: CheckMark? = nil, sink: @escaping Sink
    ) {
        self.mark = mark
        self.lagIsDeath = lagIsDeath
        self.client = client
        self.waiter = waiter
        self.secret = secret
        self.sink = sink
    }

    deinit { running.withLock { for (_, each) in $0 { each.task.cancel() } } }

    /// Probes exactly `targets` from now on. One that stays as it was keeps its history; a new or changed one is decided
    /// by its first result.
    package func update(_ targets: [ProbeTarget<ID>]) {
        running.withLock { running in
            var next: [ID: Running] = [:]
            for target in targets where next[target.id] == nil {
                if let old = running[target.id], old.target == target {
                    next[target.id] = old
                } else {
                    running[target.id]?.task.cancel()
                    next[target.id] = Running(target: target, task: start(target))
                }
            }
            for (id, old) in running where next[id] == nil { old.task.cancel() }
            running = next
        }
    }

    /// Stops looking and returns when nothing is under way any more.
    package func stop() async {
        let tasks = running.withLock { running in
            defer { running = [:] }
            return running.values.map(\.task)
        }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }

    private func start(_ target: ProbeTarget<ID>) -> Task<Void, Never> {
        let (client, waiter, secret, sink) = (client, waiter, secret, sink)
        let (lagIsDeath, mark) = (lagIsDeath, mark)
        return Task {
            let prober = TargetProber(
                target, client: client, waiter: waiter, secret: secret, lagIsDeath: lagIsDeath, mark: mark)
            await prober.run { report in sink(target.id, report) }
        }
    }
}

/// The endless look at one target. Confined to its task.
private final class TargetProber {
    private enum Method {
        case tcp(TCPProber)
        case http(HTTPProber, HTTPProbe)
        case postgresql(PostgreSQLSession)
    }

    private let address: SocketAddress
    private let check: HealthCheck
    private let method: Method
    private var threshold: Threshold
    private var role: Role?
    /// A replica further behind than this has failed its check.
    private var maximumLag: Duration?
    private var lag = ReplicaLag()

    init<ID>(
        _ target: ProbeTarget<ID>, client: HTTPClient, waiter: SocketWaiter,
        secret: @escaping @Sendable (Secret) -> String?, lagIsDeath: Bool, mark: CheckMark?
    ) {
        address = target.address
        check = target.check
        threshold = Threshold(target.check)
        switch target.check.probe {
        case .tcp: method = .tcp(TCPProber(waiter: waiter))
        case .http(let probe): method = .http(HTTPProber(client: client, mark: mark), probe)
        case .postgresql(let probe):
            method = .postgresql(PostgreSQLSession(target.address, probe, waiter: waiter, secret: secret))
            if lagIsDeath { maximumLag = probe.maximumLag }
        }
    }

    func run(_ tell: (ProbeReport) -> Void) async {
        var generator = SystemRandomNumberGenerator()
        try? await Task.sleep(for: ProbeSchedule.delay(interval: check.interval, using: &generator))
        var due = ContinuousClock.now
        while !Task.isCancelled {
            let outcome = await look()
            // A probe that was broken off says nothing.
            if Task.isCancelled { break }
            // Nor does one that never took place, for want of a descriptor of ours.
            if let shortage = outcome.shortage {
                ShortageCounts.process.note(shortage)
            } else {
                tell(judge(outcome))
            }
            due = ProbeSchedule.next(after: due, interval: check.interval, now: .now, using: &generator)
            if let reason = await pause(until: due) {
                // The server hung up between two probes: that is a failure seen early, and a reason to look at once.
                tell(judge(ProbeOutcome(up: false, reason: reason, latency: .zero)))
                due = .now
            }
        }
    }

    private func look() async -> ProbeOutcome {
        switch method {
        case .tcp(let prober): await prober.probe(address, timeout: check.timeout)
        case .http(let prober, let probe): await prober.probe(address, probe, timeout: check.timeout)
        case .postgresql(let session): limited(await session.probe(timeout: check.timeout))
        }
    }

    private func limited(_ outcome: ProbeOutcome) -> ProbeOutcome {
        guard let maximumLag, let facts = outcome.replication, facts.isReplica else { return outcome }
        let seen = lag.record(facts, primary: nil, now: .monotonic)
        var outcome = outcome
        outcome.lag = seen?.time
        guard seen.map({ $0.time > maximumLag }) ?? true else { return outcome }
        outcome.up = false
        outcome.reason = ReplicationWords.late(seen, maximumLag)
        return outcome
    }

    private func pause(until due: ContinuousClock.Instant) async -> String? {
        if case .postgresql(let session) = method { return await session.idle(until: due) }
        try? await ContinuousClock().sleep(until: due)
        return nil
    }

    /// Rise and fall decide about health; a role is believed as soon as a server that answers has said it.
    private func judge(_ outcome: ProbeOutcome) -> ProbeReport {
        let change = threshold.record(passed: outcome.up)
        let before = role
        let up = threshold.up ?? false
        if !up {
            role = nil
        } else if outcome.up, !outcome.keepsRole {
            role = outcome.role
        }
        return ProbeReport(outcome: outcome, up: up, role: role, changed: change != nil || role != before)
    }
}
