package import ControlPlane
package import Engine
import Glibc
import HTTPExchange
package import Model
import Synchronization
package import Topology

/// The HTTP tier: what the control plane starts, reloads, watches and stops.
package final class Server: DataPlane {
    private struct Running {
        let group: WorkerGroup
        let proxies: [ProxyWorker]
        let published: Published<ActivePlan>
        let traffic: TrafficBook
        let health: HealthBoard
        let log: AccessLog?
        let roundTrips = RoundTripBook()
        let sockets: BoundListeners
        /// Users may come.
        var isAccepting = false
        /// By pool name.
        var windows: [String: LatencyWindow] = [:]
    }

    private let running = Mutex<Running?>(nil)

    package init() {}

    package var tier: Tier { .l7 }

    // MARK: - Configuration

    package func prepare(_ snapshot: Snapshot, node: NodeID) throws(InvalidTopology) -> PreparedPlan {
        let plan = Plan(snapshot, node: node)
        guard let current = running.withLock({ $0 }) else { return PreparedPlan(plan: plan, sockets: .none) }
        // A port that cannot be bound must be known before anything changes.
        let bound = Set(current.published.load().plan.addresses)
        let sockets = BoundListeners.none
        var problems: [Diagnostic] = []
        for address in plan.addresses where !bound.contains(address) {
            do throws(SocketError) {
                sockets.adopt(try BoundListeners([address], workers: current.group.count), keeping: plan.addresses)
            } catch {
                problems.append(Self.diagnostic("\(error)"))
            }
        }
        guard problems.isEmpty else { throw InvalidTopology(diagnostics: problems) }
        return PreparedPlan(plan: plan, sockets: sockets)
    }

    private static func diagnostic(_ message: String) -> Diagnostic {
        Diagnostic(severity: .error, file: "", line: 0, column: 0, message: message, hint: nil)
    }

    package func start(_ prepared: PreparedPlan, health: HealthBoard) throws {
        let prepared = prepared.plan
        guard let slots = health.endpoints.slots(for: prepared.snapshot) else { throw SocketError("endpoints", ENOSPC) }
        let workers = max(1, prepared.node.workers ?? WorkerGroup.processors)
        let sockets = try BoundListeners(prepared.addresses, workers: workers)
        let log = try prepared.node.log.access.map { path throws(SocketError) in
            try AccessLog(path: path, workers: workers)
        }
        let published = Published(ActivePlan(prepared, slots: slots))
        let traffic = TrafficBook(workers: workers)
        let proxies = Mutex<[ProxyWorker]>([])
        let group: WorkerGroup
        do {
            group = try WorkerGroup(count: workers, name: "l7", counters: WorkerCounter.count) { worker in
                let proxy = ProxyWorker(
                    worker: worker, published: published, health: health, traffic: traffic, log: log, sockets: sockets)
                proxies.withLock { $0.append(proxy) }
                proxy.refresh()
                worker.onTurn(end: { proxy.refresh() })
            }
        } catch {
            log?.stop()
            throw error
        }
        running.withLock {
            $0 = Running(
                group: group, proxies: proxies.withLock { $0 }, published: published, traffic: traffic, health: health,
                log: log, sockets: sockets)
        }
    }

    package func open() throws {
        guard let current = running.withLock({ $0 }) else { return }
        try current.sockets.listen(at: current.published.load().plan.places)
        running.withLock { $0?.isAccepting = true }
        for proxy in current.proxies { proxy.worker.mailbox.post { _ in proxy.open() } }
    }

    package func install(_ prepared: PreparedPlan) {
        let (prepared, sockets) = (prepared.plan, prepared.sockets)
        running.withLock { running in
            guard let current = running, let slots = current.health.endpoints.slots(for: prepared.snapshot) else {
                return
            }
            current.sockets.adopt(sockets, keeping: prepared.addresses)
            if current.isAccepting {
                do throws(SocketError) { try current.sockets.listen(at: prepared.places) } catch {
                    current.health.events.record(.configuration, "listener", "\(error)", severity: .error)
                }
            }
            current.published.publish(ActivePlan(prepared, slots: slots))
            // Sleeping workers look at the end of the turn that this makes.
            current.group.broadcast { _ in }
        }
        // Logrotate moves the file and sends SIGHUP, which comes to a reload.
        for trouble in reopenLogs() {
            running.withLock { $0?.health }?.events.record(.configuration, "access log", trouble, severity: .error)
        }
    }

    package func reopenLogs() -> [String] {
        do throws(SocketError) { try running.withLock({ $0?.log })?.reopen() } catch { return ["\(error)"] }
        return []
    }

    /// Endpoint states are read where they are used, and verdicts decide nothing in this tier's data path.
    package func healthChanged() {}

    /// Runs `message` on every worker between two events, as for measuring from its own thread.
    package func broadcast(_ message: @escaping @Sendable (Worker) -> Void) {
        running.withLock { $0?.group }?.broadcast(message)
    }

    // MARK: - End

    package func leave() {
        let proxies = running.withLock { $0?.proxies ?? [] }
        for proxy in proxies { proxy.worker.mailbox.post { _ in proxy.context.isDraining = true } }
    }

    package func stopAccepting() {
        let proxies = running.withLock { running in
            running?.isAccepting = false
            return running?.proxies ?? []
        }
        for proxy in proxies { proxy.worker.mailbox.post { _ in proxy.stopAccepting() } }
    }

    package func stop(deadline: Duration) async {
        guard let current = running.withLock({ $0 }) else { return }
        for proxy in current.proxies { proxy.worker.mailbox.post { _ in proxy.drain() } }
        let clock = ContinuousClock()
        let end = clock.now + deadline
        // Listeners that retire still accept.
        while clock.now < end, current.sockets.openCount > 0 || Self.openConnections(current.group) > 0 {
            try? await Task.sleep(for: .milliseconds(10))
        }
        for proxy in current.proxies { proxy.worker.mailbox.post { _ in proxy.closeAll() } }
        await current.group.stop()
        current.log?.stop()
    }

    private static func openConnections(_ group: WorkerGroup) -> UInt64 {
        group.total(WorkerCounter.connections) &- group.total(WorkerCounter.closed)
    }

    // MARK: - What it knows

    package func facts() -> DataPlaneFacts {
        running.withLock { running in
            guard running != nil, let current = running else { return DataPlaneFacts() }
            let active = current.published.load()
            let pools = active.plan.pools.map { pool in
                let counts = current.traffic.latencies(of: pool.name)
                var window = current.windows[pool.name] ?? LatencyWindow()
                let recent = window.advance(to: counts, now: Worker.monotonicNanoseconds())
                running?.windows[pool.name] = window
                return DataPlaneFacts.PoolTraffic(
                    pool: pool.name, operations: current.traffic.total(pool.name, PoolCounter.requests),
                    failures: current.traffic.total(pool.name, PoolCounter.failures),
                    inFlight: pool.endpoints.reduce(0) {
                        $0 + current.health.endpoints.inFlight(active.slots[$1.id.index])
                    },
                    p50Milliseconds: LatencyBuckets.quantile(0.5, of: recent),
                    p99Milliseconds: LatencyBuckets.quantile(0.99, of: recent))
            }
            if active.plan.measuresRoundTrips, current.roundTrips.turn(now: Worker.monotonicNanoseconds()) {
                let book = current.roundTrips
                for proxy in current.proxies { proxy.worker.mailbox.post { _ in proxy.report(to: book) } }
            }
            return DataPlaneFacts(
                operations: current.group.total(WorkerCounter.requests), pools: pools,
                roundTrips: current.roundTrips.window)
        }
    }

    package func metrics(into text: inout MetricsText) {
        guard let current = running.withLock({ $0 }) else { return }
        let plan = current.published.load().plan
        Metrics.append(
            total: current.group.total, traffic: current.traffic, routes: plan.routes.map(\.name),
            pools: plan.pools.map(\.name), dropped: current.log?.dropped ?? 0, to: &text)
        text.counter(
            "meridian_l7_round_trips_total", help: "Round trips of clients that were measured for latency maps.",
            current.roundTrips.samples)
        text.gauge(
            "meridian_l7_round_trip_prefixes", help: "Client prefixes in the latest window of round trips.",
            Double(current.roundTrips.window?.prefixes.count ?? 0))
    }

    package func status() -> StatusValue {
        guard let current = running.withLock({ $0 }) else { return [:] }
        return StatusReport.status(
            current.published.load(), endpoints: current.health.endpoints, traffic: current.traffic,
            isAccepting: current.isAccepting)
    }

    package func explain(_ question: [String: String]) -> StatusValue? {
        guard question["kind"] == "http", let current = running.withLock({ $0 }) else { return nil }
        return StatusReport.explain(question, current.published.load(), endpoints: current.health.endpoints)
    }
}

/// The latencies of the last five to ten seconds: growth since an earlier reading.
private struct LatencyWindow {
    private static let length: UInt64 = 5_000_000_000

    private var older: [UInt64] = []
    private var newer: [UInt64] = []
    private var newerTime: UInt64 = 0

    mutating func advance(to counts: [UInt64], now: UInt64) -> [UInt64] {
        if newer.isEmpty || now &- newerTime >= Self.length {
            older = newer.isEmpty ? counts.map { _ in 0 } : newer
            newer = counts
            newerTime = now
        }
        return zip(counts, older).map { $0 &- $1 }
    }
}
