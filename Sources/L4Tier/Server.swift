package import ControlPlane
import Engine
package import Model
import Synchronization
package import Topology

/// The TCP tier: forwards each connection of its listeners to an endpoint that is up and holds the wanted role.
package final class Server: DataPlane {
    package let tier = Tier.l4

    private struct Running {
        let workers: WorkerGroup
        let forwarders: WorkerConfined<Forwarder>
        let log: AccessLog?
        let health: HealthBoard
        let sockets: BoundListeners
        /// Users may come.
        var isOpen = false
        var plan: ForwardingPlan
        var routes: [Route]
    }

    /// What can go wrong at the start besides sockets.
    private struct TableFull: Error, CustomStringConvertible {
        let description = "more than \(EndpointTable.capacity) endpoints"
    }

    private let running = Mutex<Running?>(nil)

    package init() {}

    // MARK: - Configuration

    package func prepare(_ snapshot: Snapshot, node: NodeID) throws(InvalidTopology) -> PreparedForwarding {
        let plan = ForwardingPlan(snapshot, node: node)
        let (open, workers) = running.withLock { running in
            (Set(running?.plan.addresses ?? plan.addresses), running?.workers.count ?? 0)
        }
        do throws(SocketError) {
            let added = plan.addresses.filter { !open.contains($0) }
            return PreparedForwarding(plan: plan, sockets: try BoundListeners(added, workers: workers))
        } catch {
            throw InvalidTopology(diagnostics: [Diagnostic(file: snapshot[node].name, message: "\(error)")])
        }
    }

    package func start(_ prepared: PreparedForwarding, health: HealthBoard) throws {
        let plan = prepared.plan
        let settings = plan.snapshot[plan.node]
        guard let slots = health.endpoints.slots(for: plan.snapshot) else { throw TableFull() }
        let routes = plan.entrances.map { Route($0, table: health.endpoints, slots: slots) }
        let count = settings.workers ?? WorkerGroup.processors
        let sockets = try BoundListeners(plan.addresses, workers: count)
        let log = try settings.log.access.map { try AccessLog(path: $0, workers: count) }
        let forwarders = WorkerConfined<Forwarder>(workers: count)
        do {
            let workers = try WorkerGroup(count: count, name: "l4", counters: Tally.count) { worker in
                let line = log.map { AccessLine(AccessRecord($0.ring(worker.index), settings.log, of: settings)) }
                forwarders[worker] = Forwarder(worker, line: line, sockets: sockets) { health.endpointsChanged() }
            }
            running.withLock {
                $0 = Running(
                    workers: workers, forwarders: forwarders, log: log, health: health, sockets: sockets, plan: plan,
                    routes: routes)
            }
        } catch {
            log?.stop()
            throw error
        }
    }

    package func open() throws {
        guard let current else { return }
        try current.sockets.listen(at: current.plan.places)
        running.withLock { $0?.isOpen = true }
        let (forwarders, routes) = (current.forwarders, current.routes)
        current.workers.broadcast { worker in forwarders[worker]?.install(routes) }
    }

    package func install(_ prepared: PreparedForwarding) {
        running.withLock { running in
            guard let current = running, let slots = current.health.endpoints.slots(for: prepared.plan.snapshot) else {
                return
            }
            let routes = prepared.plan.entrances.map { Route($0, table: current.health.endpoints, slots: slots) }
            running?.plan = prepared.plan
            running?.routes = routes
            current.sockets.adopt(prepared.sockets, keeping: prepared.plan.addresses)
            guard current.isOpen else { return }
            do throws(SocketError) { try current.sockets.listen(at: prepared.plan.places) } catch {
                current.health.events.record(.configuration, "listener", "\(error)", severity: .error)
            }
            let forwarders = current.forwarders
            current.workers.broadcast { worker in forwarders[worker]?.install(routes) }
        }
        // Logrotate moves the file and sends SIGHUP, which comes to a reload.
        for trouble in reopenLogs() {
            current?.health.events.record(.configuration, "access log", trouble, severity: .error)
        }
    }

    package func reopenLogs() -> [String] {
        do throws(SocketError) { try current?.log?.reopen() } catch { return ["\(error)"] }
        return []
    }

    package func healthChanged() {
        guard let current else { return }
        let forwarders = current.forwarders
        current.workers.broadcast { worker in forwarders[worker]?.enforceHealth() }
    }

    // MARK: - Ending

    package func stopAccepting() {
        guard let current else { return }
        let forwarders = current.forwarders
        current.workers.broadcast { worker in forwarders[worker]?.closeEntrances() }
    }

    package func stop(deadline: Duration) async {
        guard let current else { return }
        stopAccepting()
        let forwarders = current.forwarders
        current.workers.broadcast { worker in forwarders[worker]?.drain() }
        let end = ContinuousClock.now + deadline
        // Listeners that retire still accept.
        while current.sockets.openCount > 0 || Self.active(current.workers) > 0, ContinuousClock.now < end {
            do { try await Task.sleep(for: .milliseconds(10)) } catch { break }
        }
        current.workers.broadcast { worker in
            forwarders[worker]?.closeConnections()
            forwarders[worker] = nil
        }
        await current.workers.stop()
        current.log?.stop()
        running.withLock { $0 = nil }
    }

    // MARK: - Telling

    package func facts() -> DataPlaneFacts {
        guard let current else { return DataPlaneFacts() }
        return DataPlaneFacts(
            operations: current.workers.total(Tally.accepted), pools: RouteReport.pools(current.routes))
    }

    package func metrics(into text: inout MetricsText) {
        guard let current else { return }
        ForwardingMetrics.add(current.workers, current.routes, dropped: current.log?.dropped ?? 0, to: &text)
    }

    package func status() -> StatusValue {
        guard let current else { return [:] }
        return [
            "connections": [
                "active": StatusValue(Self.active(current.workers)),
                "accepted": StatusValue(current.workers.total(Tally.accepted)),
                "refused": StatusValue(current.workers.total(Tally.refused)),
            ],
            "listeners": .array(current.routes.map(RouteReport.status)),
        ]
    }

    package func explain(_ question: [String: String]) -> StatusValue? {
        guard question["kind"] == "tcp" else { return nil }
        guard let current, let name = question["name"],
            let route = current.routes.first(where: { $0.plan.name == name })
        else { return ["error": "there is no such listener"] }
        return RouteReport.explain(route, client: question["client"].flatMap { IPAddress($0) })
    }

    private var current: Running? { running.withLock { $0 } }

    private static func active(_ workers: WorkerGroup) -> UInt64 {
        // Finished first: a connection between the two reads then counts as active, not as minus one.
        let finished = workers.total(Tally.finished)
        let accepted = workers.total(Tally.accepted)
        return accepted > finished ? accepted - finished : 0
    }
}
