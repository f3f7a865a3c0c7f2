package import ControlPlane
import DNSWire
import Engine
package import Model
import Steering
import Synchronization
package import Topology

/// The authoritative DNS server of a node: UDP and TCP on `dns.port` of the node's address, one set of sockets for each
/// worker.
package final class Server: DataPlane {
    package typealias Prepared = Preparation

    /// What a running server is made of. Locked: control threads only.
    fileprivate struct Running {
        var preparation: Preparation
        var health: HealthBoard
        var state: HealthState
        let group: WorkerGroup
        let shared: WorkerShared
        let log: AccessLog?
        let journal: AnswerJournal?
        /// What answered since samples were last taken, the one in force last.
        var moments: [Moment] = []

        init(
            _ preparation: Preparation, _ health: HealthBoard, _ state: HealthState, _ group: WorkerGroup,
            _ shared: WorkerShared, _ log: AccessLog?, _ journal: AnswerJournal?
        ) {
            (self.preparation, self.health, self.state) = (preparation, health, state)
            (self.group, self.shared, self.log, self.journal) = (group, shared, log, journal)
            remember()
        }
    }

    /// What stands behind one table.
    fileprivate struct Moment {
        let preparation: Preparation
        let state: HealthState
        let table: AnswerTable
    }

    private let running = Mutex<Running?>(nil)
    private let started = ContinuousClock.now
    private let library = ZoneLibrary()
    private let measured = MeasuredLatency()
    private let clock = SteadyClock()

    package let tier = Tier.dns

    package init() {}

    package func prepare(_ snapshot: Snapshot, node: NodeID) throws(InvalidTopology) -> Preparation {
        if let old = running.withLock({ $0?.preparation.snapshot.dns }) {
            let fixed = [
                old.port != snapshot.dns.port ? "dns.port" : nil,
                old.conduct.proxy?.port != snapshot.dns.conduct.proxy?.port ? "dns.proxy.port" : nil,
            ].compactMap(\.self)
            guard fixed.isEmpty else {
                throw InvalidTopology(
                    diagnostics: fixed.map {
                        Diagnostic(file: $0, message: "cannot change while the node runs", hint: "restart the node")
                    })
            }
        }
        return try Preparation(snapshot, node: node, library: library, measured: measured.picture)
    }

    package func start(_ prepared: Preparation, health: HealthBoard) throws {
        let pairs = prepared.node.workers ?? WorkerGroup.processors
        let state = HealthState(prepared.names, board: health)
        let shared = WorkerShared(
            table: AnswerTable(zones: prepared.zones, dynamics: state.dynamics, generation: 1),
            conduct: prepared.conduct, workers: 2 * pairs)
        let settings = prepared.node.log
        let log = try settings.access.map { try AccessLog(path: $0, workers: 2 * pairs) }
        let journal: AnswerJournal?
        do { journal = try AnswerJournal(settings, workers: 2 * pairs) } catch {
            log?.stop()
            throw error
        }
        let dns = prepared.snapshot.dns
        let addresses = WorkerSockets.Addresses(
            direct: SocketAddress(prepared.node.address, port: dns.port),
            proxied: dns.conduct.proxy.map { SocketAddress(prepared.node.address, port: $0.port) }, pairs: pairs)
        measured.adopt(regions: prepared.snapshot.regions.map(\.name))
        do {
            let group = try WorkerGroup(
                count: 2 * pairs, name: "dns", counters: QueryCounter.allCases.count
            ) { worker in
                let sampler = journal.map {
                    AnswerSampler(ring: $0.ring(worker.index), sample: settings.explainSample)
                }
                let queryLog =
                    log == nil && sampler == nil
                    ? nil
                    : QueryLog(
                        record: log.map { AccessRecord($0.ring(worker.index), settings, of: prepared.node) },
                        sampler: sampler, worker: worker)
                try WorkerSockets.open(worker, addresses: addresses, shared: shared, log: queryLog)
            }
            running.withLock {
                $0 = Running(prepared, health, state, group, shared, log, journal)
            }
        } catch {
            log?.stop()
            journal?.stop()
            throw error
        }
    }

    package func install(_ prepared: Preparation) {
        measured.adopt(regions: prepared.snapshot.regions.map(\.name))
        guard let state = compiled(prepared) else { return }
        running.withLock { running in
            running?.preparation = prepared
            running?.adopt(state, now: ContinuousClock.now - started)
            running?.publish()
            for zone in prepared.keptZones {
                running?.health.events.record(
                    .configuration, zone.origin, "the zone is kept as it was: \(zone.trouble)", severity: .error)
            }
        }
        // Logrotate moves files and sends SIGHUP, which comes to a reload.
        for trouble in reopenLogs() {
            running.withLock { $0?.health }?.events.record(.configuration, "access log", trouble, severity: .error)
        }
    }

    /// The names of `prepared` under the health of this moment, going on from what was learned of demand. It may take seconds,
    /// in which health goes on with the names in force: it is made outside of the lock.
    private func compiled(_ prepared: Preparation) -> HealthState? {
        guard let (health, old) = running.withLock({ $0.map { ($0.health, $0.state) } }) else { return nil }
        return HealthState(prepared.names, board: health, now: ContinuousClock.now - started, replacing: old)
    }

    package func reopenLogs() -> [String] {
        guard let (log, journal) = running.withLock({ $0.map { ($0.log, $0.journal) } }) else { return [] }
        var troubles: [String] = []
        do throws(SocketError) { try log?.reopen() } catch { troubles.append("\(error)") }
        do throws(SocketError) { try journal?.reopen() } catch { troubles.append("\(error)") }
        return troubles
    }

    package func heard(_ roundTrips: [HeardRoundTrips]) {
        guard running.withLock({ $0?.preparation.snapshot.dns.measuresLatency }) == true else { return }
        measured.take(roundTrips, now: clock.now)
    }

    package func refresh() -> [Event.Remark] {
        explainSamples()
        // Nobody else replaces the preparation meanwhile; what is long is done outside of the lock.
        guard var preparation = running.withLock({ $0?.preparation }) else { return [] }
        let isOutdated = measured.draw(now: clock.now)
        let (isNew, told) = preparation.refresh(measured: measured.picture, isOutdated: isOutdated)
        let state = isNew ? compiled(preparation) : nil
        running.withLock { running in
            running?.preparation = preparation
            let now = ContinuousClock.now - started
            if let state {
                running?.adopt(state, now: now)
                running?.publish()
            } else if running?.refill(now: now) == true {
                // Health may stand still for hours, and `healthChanged` be silent, while users are on their way home.
                running?.publish()
            }
        }
        return told
    }

    package func healthChanged() {
        running.withLock { running in
            guard let board = running?.health else { return }
            // First, so that the table that is published knows at least of these.
            let doubts = board.doubts
            running?.state.update(board, now: ContinuousClock.now - started)
            running?.publish()
            running?.shared.doubts.store(doubts, ordering: .releasing)
        }
    }

    package func stopAccepting() {
        running.withLock { running in
            running?.shared.stage.store(.closing, ordering: .releasing)
            running?.wakeWorkers()
        }
    }

    package func stop(deadline: Duration) async {
        stopAccepting()
        guard let (group, shared) = running.withLock({ $0.map { ($0.group, $0.shared) } }) else { return }
        let end = ContinuousClock.now + deadline
        // Listeners that retire still accept. Idle connections need no waiting: a resolver opens another when it has a
        // query (RFC 7766 section 6.2.4).
        while shared.openListeners.load(ordering: .acquiring) > 0
            || group.total(QueryCounter.busyConnections.rawValue) > 0, ContinuousClock.now < end
        {
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Queries over UDP are answered until here: nothing but the exit is left.
    package func end() async {
        let parts = running.withLock { running in
            running?.shared.stage.store(.ended, ordering: .releasing)
            return running.map { ($0.group, $0.log, $0.journal) }
        }
        guard let (group, log, journal) = parts else { return }
        await group.stop()
        explainSamples()
        journal?.stop()
        log?.stop()
    }

    package func facts() -> DataPlaneFacts {
        running.withLock { running in
            guard let group = running?.group else { return DataPlaneFacts() }
            let operations =
                group.total(QueryCounter.udp.rawValue) + group.total(QueryCounter.tcp.rawValue)
            return DataPlaneFacts(operations: operations)
        }
    }

    package func metrics(into text: inout MetricsText) {
        guard let view = view else { return }
        ServerMetrics.write(view, into: &text)
    }

    package func status() -> StatusValue {
        guard let view = view else { return [:] }
        return ServerStatus.value(view)
    }

    package func explain(_ question: [String: String]) -> StatusValue? {
        guard question["kind"] ?? "dns" == "dns", let view = view else { return nil }
        return AnswerExplanation.value(question, view)
    }

    /// Writes down why the answers that the workers sampled were given.
    private func explainSamples() {
        let found = running.withLock { running in
            running.flatMap { running in running.journal.map { ($0, running) } }
        }
        guard let (journal, now) = found else { return }
        journal.explain(
            now.moments.map { moment in
                var then = now
                then.preparation = moment.preparation
                then.state = moment.state
                return view(of: then, table: moment.table)
            })
        // Workers may go on with the table before the one in force for a moment.
        running.withLock { running in
            guard let count = running?.moments.count, count > 2 else { return }
            running?.moments.removeFirst(count - 2)
        }
    }

    private var view: ServerView? {
        running.withLock { $0 }.map { view(of: $0, table: $0.shared.table.load()) }
    }

    private func view(of running: Running, table: AnswerTable) -> ServerView {
        ServerView(
            preparation: running.preparation, state: running.state, group: running.group, table: table,
            board: running.health, answerCounts: running.shared.answerCounts, lostLines: running.log?.dropped ?? 0,
            journal: running.journal,
            measured: measured.status(now: clock.now), now: clock.now)
    }
}

extension Server.Running {
    /// Takes what was compiled, and what has happened to health meanwhile.
    mutating func adopt(_ next: HealthState, now: Duration) {
        state = next
        state.update(health, now: now)
    }

    mutating func refill(now: Duration) -> Bool { state.refill(health, now: now) }

    /// Gives the workers what is compiled.
    mutating func publish() {
        let generation = shared.table.load().generation + 1
        shared.conduct.withLock { $0 = preparation.conduct }
        shared.table.publish(
            AnswerTable(zones: preparation.zones, dynamics: state.dynamics, generation: generation))
        remember()
        wakeWorkers()
    }

    /// Keeps what stands behind the table in force for those who explain its answers later: of two seconds, and no more
    /// than health moves in them at most.
    fileprivate mutating func remember() {
        guard journal != nil else { return }
        moments.append(Server.Moment(preparation: preparation, state: state, table: shared.table.load()))
        if moments.count > 24 { moments.removeFirst() }
    }

    /// Has every worker end a turn, at which it looks at what is shared.
    func wakeWorkers() { group.broadcast { _ in } }
}

/// What the workers look at once a turn.
final class WorkerShared: Sendable {
    let table: Published<AnswerTable>
    /// Read when the table's generation moves, which every change of it is followed by.
    let conduct: Mutex<Conduct>
    let stage = Atomic<Stage>(.serving)
    /// TCP listeners that are not closed yet.
    let openListeners = Atomic<Int>(0)
    /// Standstills of the process that the table knows of.
    let doubts = Atomic<UInt64>(0)
    /// By worker.
    let answerCounts: [AnswerCounts]

    init(table: AnswerTable, conduct: Conduct, workers: Int) {
        answerCounts = (0..<workers).map { _ in AnswerCounts() }
        self.table = Published(table)
        self.conduct = Mutex(conduct)
    }
}

/// How far a server has got with its stop.
enum Stage: UInt8, AtomicRepresentable {
    case serving
    /// No new connections; datagrams are answered.
    case closing
    case ended
}

/// A server at one moment, for those who report on it.
struct ServerView {
    let preparation: Preparation
    let state: HealthState
    let group: WorkerGroup
    let table: AnswerTable
    let board: HealthBoard
    let answerCounts: [AnswerCounts]
    let lostLines: UInt64
    let journal: AnswerJournal?
    let measured: MeasuredLatency.Status
    let now: Timestamp

    func total(_ counter: QueryCounter) -> UInt64 { group.total(counter.rawValue) }
}
