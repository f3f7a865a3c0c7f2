import Engine
import Health
package import Model
import Synchronization

/// Looks at a set of targets, each on its own clock, and tells what became of each look.
package final class ProbeService<ID: Hashable & Sendable>: Sendable {
    package typealias Sink = @Sendable (ID, ProbeReport) -> Void

    private struct Running {
        let target: ProbeTarget<ID>
        let task: Task<ProbeMemory, Never>
    }

    private let client: HTTPClient
    private let waiter: SocketWaiter
    private let secret: @Sendable (Secret) -> String?
    private let lagIsDeath: Bool
    private let manner: ProbeManner
    private let mark: CheckMark?
    private let sink: Sink
    private let standstills: Standstills?
    private let running = Mutex<[ID: Running]>([:])

    /// - Parameters:
    ///   - client: for HTTP checks.
    ///   - waiter: for TCP and PostgreSQL checks.
    ///   - secret: the value of a password; nil when it cannot be had.
    ///   - lagIsDeath: whether a replica that is further behind than its check allows counts as down; otherwise the sink
    ///     decides what its lag means.
    ///   - manner: how targets are looked at.
    ///   - mark: marks HTTP checks; nil where they reach no nodes of ours.
    ///   - standstills: of this process, so that no look is believed that one came between; nil when nobody watches for them.
    ///   - sink: told of every look, from any thread; of one target in order. After a standstill it is told of a target again
    ///     once that is known to be up or down.
    package init(
        client: HTTPClient, waiter: SocketWaiter, secret: @escaping @Sendable (Secret) -> String?,
        lagIsDeath: Bool = false, manner: ProbeManner = .near, mark: CheckMark? = nil,
        standstills: Standstills? = nil, sink: @escaping Sink
    ) {
        self.mark = mark
        self.lagIsDeath = lagIsDeath
        self.manner = manner
        self.standstills = standstills
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
        for task in tasks { _ = await task.value }
    }

    /// After a standstill: breaks off what is under way and looks at everything at once.
    ///
    /// - Parameter note: called with each target before it is looked at.
    package func lookAgain(_ note: (ID) -> Void = { _ in }) {
        running.withLock { running in
            running = running.mapValues { old in
                old.task.cancel()
                note(old.target.id)
                return Running(target: old.target, task: start(old.target, after: old.task))
            }
        }
    }

    private func start(_ target: ProbeTarget<ID>, after old: Task<ProbeMemory, Never>? = nil) -> Task<
        ProbeMemory, Never
    > {
        let (client, waiter, secret, sink, standstills) = (client, waiter, secret, sink, standstills)
        let (lagIsDeath, manner, mark) = (lagIsDeath, manner, mark)
        return Task {
            var memory = ProbeMemory(target.check)
            if let old {
                memory = await old.value
                memory.threshold.doubt()
            }
            let prober = TargetProber(
                target, client: client, waiter: waiter, secret: secret, lagIsDeath: lagIsDeath,
                manner: manner, mark: mark, standstills: standstills, memory: memory)
            return await prober.run { report in sink(target.id, report) }
        }
    }
}

/// How targets are looked at.
package enum ProbeManner: Sendable, Hashable {
    /// As their checks say.
    case near
    /// The same, with HTTP checks over a connection that stays open from one to the next.
    case far
}

/// What is known of a target from one look to the next.
private struct ProbeMemory: Sendable {
    var threshold: Threshold
    var role: Role?

    init(_ check: HealthCheck) { threshold = Threshold(check) }
}

/// The endless look at one target. Confined to its task.
private final class TargetProber {
    private enum Method {
        case tcp(TCPProber)
        case http(HTTPProber, HTTPProbe)
        case keptHTTP(HTTPSession)
        case postgresql(PostgreSQLSession)
    }

    private let address: SocketAddress
    private let check: HealthCheck
    private let method: Method
    private let standstills: Standstills?
    private var memory: ProbeMemory
    /// Standstills that were taken into account.
    private var seen: UInt64
    /// A replica further behind than this has failed its check.
    private var maximumLag: Duration?
    private var lag = ReplicaLag()

    init<ID>(
        _ target: ProbeTarget<ID>, client: HTTPClient, waiter: SocketWaiter,
        secret: @escaping @Sendable (Secret) -> String?, lagIsDeath: Bool, manner: ProbeManner, mark: CheckMark?,
        standstills: Standstills?, memory: ProbeMemory
    ) {
        address = target.address
        check = target.check
        self.standstills = standstills
        self.memory = memory
        seen = standstills?.count ?? 0
        switch target.check.probe {
        case .tcp: method = .tcp(TCPProber(waiter: waiter))
        case .http(let probe):
            let prober = HTTPProber(client: client, mark: mark)
            method =
                manner == .far
                ? .keptHTTP(
                    HTTPSession(address, probe, every: check.interval, prober: prober, waiter: waiter))
                : .http(prober, probe)
        case .postgresql(let probe):
            method = .postgresql(PostgreSQLSession(target.address, probe, waiter: waiter, secret: secret))
            if lagIsDeath { maximumLag = probe.maximumLag }
        }
    }

    /// Until the task is cancelled.
    ///
    /// - Returns: what is known then.
    func run(_ tell: (ProbeReport) -> Void) async -> ProbeMemory {
        var generator = SystemRandomNumberGenerator()
        try? await Task.sleep(for: ProbeSchedule.delay(interval: check.interval, using: &generator))
        var due = ContinuousClock.now
        // Why the server hung up since the last look. The next one says whether that was its death.
        var ending: String?
        var early: ContinuousClock.Instant?
        while !Task.isCancelled {
            _ = hasStoodStill()
            let outcome = await look()
            // A probe that was broken off says nothing.
            if Task.isCancelled { break }
            // Nor does one that took so long because we did not run.
            if hasStoodStill() {
                (due, ending) = (.now, nil)
                continue
            }
            // Nor does one that never took place, for want of a descriptor of ours.
            if let shortage = outcome.shortage {
                ShortageCounts.process.note(shortage)
            } else {
                if let ending, !outcome.up { judge(ProbeOutcome(up: false, reason: ending, latency: .zero), tell) }
                judge(outcome, tell)
            }
            ending = nil
            due = ProbeSchedule.next(after: due, interval: check.interval, now: .now, using: &generator)
            guard let reason = await pause(until: due) else { continue }
            if !hasStoodStill() { ending = reason }
            // A reason to look at once, unless that is how it ends every session.
            let now = ContinuousClock.now
            if early.map({ now - $0 >= check.interval }) ?? true {
                (early, due) = (now, now)
            } else {
                try? await ContinuousClock().sleep(until: due)
            }
        }
        return memory
    }

    /// Whether this process did not run for a while since it was last asked; then what is known has to be confirmed.
    private func hasStoodStill() -> Bool {
        guard let count = standstills?.count, count != seen else { return false }
        seen = count
        memory.threshold.doubt()
        return true
    }

    private func look() async -> ProbeOutcome {
        switch method {
        case .tcp(let prober): await prober.probe(address, timeout: check.timeout)
        case .http(let prober, let probe): await prober.probe(address, probe, timeout: check.timeout)
        case .keptHTTP(let session): await session.look(timeout: check.timeout)
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
    private func judge(_ outcome: ProbeOutcome, _ tell: (ProbeReport) -> Void) {
        let change = memory.threshold.record(passed: outcome.up)
        let before = memory.role
        let up = memory.threshold.up ?? false
        if !up {
            memory.role = nil
        } else if outcome.up, !outcome.keepsRole {
            memory.role = outcome.role
        }
        if memory.threshold.isDoubtful { return }
        tell(ProbeReport(outcome: outcome, up: up, role: memory.role, changed: change != nil || memory.role != before))
    }
}
