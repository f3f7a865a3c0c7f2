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
    }

    private let running = Mutex<Running?>(nil)

    package let tier = Tier.dns

    package init() {}

    package func prepare(_ snapshot: Snapshot, node: NodeID) throws(InvalidTopology) -> Preparation {
        let old = running.withLock { $0?.preparation.snapshot.dns.port }
        if let old, old != snapshot.dns.port {
            throw InvalidTopology(diagnostics: [
                Diagnostic(
                    file: "dns.port", message: "cannot change from \(old) to \(snapshot.dns.port) while the node runs",
                    hint: "restart the node")
            ])
        }
        return try Preparation(snapshot, node: node)
    }

    package func start(_ prepared: Preparation, health: HealthBoard) throws {
        let workers = prepared.node.workers ?? WorkerGroup.processors
        let state = HealthState(prepared.names, board: health)
        let shared = WorkerShared(
            table: AnswerTable(zones: prepared.zones, dynamics: state.dynamics, generation: 1),
            maximumUDPSize: prepared.snapshot.dns.maximumUDPSize)
        let settings = prepared.node.log
        let log = try settings.access.map { try AccessLog(path: $0, workers: workers) }
        let address = SocketAddress(prepared.node.address, port: prepared.snapshot.dns.port)
        do {
            let group = try WorkerGroup(
                count: workers, name: "dns", counters: QueryCounter.allCases.count
            ) { worker in
                let queryLog = log.map { QueryLog(ring: $0.ring(worker.index), worker: worker, settings: settings) }
                try WorkerSockets.open(worker, address: address, shared: shared, log: queryLog)
            }
            running.withLock {
                $0 = Running(
                    preparation: prepared, health: health, state: state, group: group, shared: shared, log: log)
            }
        } catch {
            log?.stop()
            throw error
        }
    }

    package func install(_ prepared: Preparation) {
        running.withLock { running in
            guard running != nil else { return }
            running?.preparation = prepared
            running?.publish()
        }
    }

    package func healthChanged() {
        running.withLock { $0?.publish() }
    }

    package func stopAccepting() {
        running.withLock { running in
            running?.shared.isAccepting.store(false, ordering: .releasing)
            running?.wakeWorkers()
        }
    }

    package func stop(deadline: Duration) async {
        stopAccepting()
        guard let parts = running.withLock({ $0.map { ($0.group, $0.log) } }) else { return }
        let end = ContinuousClock.now + deadline
        // Idle connections need no waiting: a resolver opens another when it has a query (RFC 7766 section 6.2.4).
        while parts.0.total(QueryCounter.busyConnections.rawValue) > 0, ContinuousClock.now < end {
            try? await Task.sleep(for: .milliseconds(10))
        }
        await parts.0.stop()
        parts.1?.stop()
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

    private var view: ServerView? {
        running.withLock { running in
            running.map {
                ServerView(
                    preparation: $0.preparation, state: $0.state, group: $0.group, table: $0.shared.table.load(),
                    board: $0.health, lostLines: $0.log?.dropped ?? 0)
            }
        }
    }
}

extension Server.Running {
    /// Compiles the dynamic names anew and gives the result to the workers.
    mutating func publish() {
        state = HealthState(preparation.names, board: health)
        let generation = shared.table.load().generation + 1
        shared.maximumUDPSize.store(preparation.snapshot.dns.maximumUDPSize, ordering: .relaxed)
        shared.table.publish(
            AnswerTable(zones: preparation.zones, dynamics: state.dynamics, generation: generation))
        wakeWorkers()
    }

    /// Has every worker end a turn, at which it looks at what is shared.
    func wakeWorkers() { group.broadcast { _ in } }
}

/// What the workers look at once a turn.
final class WorkerShared: Sendable {
    let table: Published<AnswerTable>
    let maximumUDPSize: Atomic<Int>
    let isAccepting = Atomic<Bool>(true)

    init(table: AnswerTable, maximumUDPSize: Int) {
        self.table = Published(table)
        self.maximumUDPSize = Atomic(maximumUDPSize)
    }
}

/// A server at one moment, for those who report on it.
struct ServerView {
    let preparation: Preparation
    let state: HealthState
    let group: WorkerGroup
    let table: AnswerTable
    let board: HealthBoard
    let lostLines: UInt64

    func total(_ counter: QueryCounter) -> UInt64 { group.total(counter.rawValue) }
}
