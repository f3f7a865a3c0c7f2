import CLinux
import Engine
import Glibc
import Logging
package import Model
import ServiceLifecycle
import Topology
import UnixSignals

/// A node from its command line to its exit: the boot, in order. The three programs differ in the tier that they hand in.
package enum NodeRuntime {
    /// Reads and validates everything that `serve` would need and stops there. Diagnostics go to standard error.
    ///
    /// Without a `node` every node of the tier is checked. Secrets are only read for a named one: those of other machines
    /// are not here.
    /// - Returns: the exit status: 0 valid, 1 invalid.
    package static func check(topology path: String, node name: String?, dataPlane: some DataPlane) -> Int32 {
        do {
            guard let snapshot = inspect(path, for: dataPlane.tier, tell: { StandardErrorLog.write($0) }) else {
                return 1
            }
            if let name {
                let node = try find(name, in: snapshot, tier: dataPlane.tier, topology: path)
                _ = try NodeSecrets(snapshot, node: node, topology: path)
                prepareProcess()
                _ = try DescriptorPlan(snapshot, node: node, limit: DescriptorShares.processLimit, topology: path)
                _ = try dataPlane.prepare(snapshot, node: node)
            } else {
                for index in snapshot.nodes.indices where snapshot.nodes[index].tier == dataPlane.tier {
                    _ = try dataPlane.prepare(snapshot, node: NodeID(index))
                }
            }
            return 0
        } catch {
            StandardErrorLog.write("\(error)")
            return 1
        }
    }

    /// Reads a topology and tells all that there is to say about it, warnings included, in the order of the file: what
    /// `meridianctl check` and the programs' own `check` begin with. Files that only DNS nodes use need not exist for others.
    ///
    /// - Parameters:
    ///   - path: the topology file.
    ///   - tier: that of the nodes that are checked; nil for all of them.
    ///   - tell: takes one diagnostic.
    /// - Returns: the topology; nil when there are errors.
    package static func inspect(_ path: String, for tier: Tier?, tell: (String) -> Void) -> Snapshot? {
        let inspection = TopologyLoader.inspect(path: path, lookingForFiles: tier == nil || tier == .dns)
        for diagnostic in inspection.diagnostics { tell(diagnostic.description) }
        return inspection.snapshot
    }

    /// Serves until SIGTERM, SIGINT or SIGQUIT, then says goodbye and finishes what is under way. After SIGQUIT it tells its peers
    /// that it restarts. SIGHUP reloads, SIGUSR1 and SIGUSR2 open logs anew.
    ///
    /// - Returns: the exit status: 0 after a graceful stop, 1 when the node cannot start.
    package static func serve<Plane: DataPlane>(
        topology path: String, node name: String, dataPlane: Plane
    ) async -> Int32 {
        prepareProcess()
        // Caught before anything is opened, and heard as soon as the node runs: a service manager may stop or reload what
        // it has only just started.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sigquit, .sighup, .sigusr1, .sigusr2)
        let running: RunningNode
        do {
            let snapshot = try TopologyLoader.load(path: path)
            let node = try find(name, in: snapshot, tier: dataPlane.tier, topology: path)
            let secrets = try NodeSecrets(snapshot, node: node, topology: path)
            try DescriptorPlan(snapshot, node: node, limit: DescriptorShares.processLimit, topology: path)
                .shares.putInForce()
            let prepared = try dataPlane.prepare(snapshot, node: node)
            let places = ListeningPlace.all(snapshot, node: node)
            // Admin and federation are last.
            let addresses = places.filter { $0.kind == .stream }.map(\.address)
            let lock = try NodeLock(node: name, topology: path, addresses: addresses, state: snapshot[node].state)
            // Between two processes of one node ports are shared for a while; with anybody else never.
            if !lock.isHandOver { try ListeningPlace.vet(places, topology: path) }

            StandardErrorLog.install(snapshot[node].log, node: name)
            running = try RunningNode(
                snapshot, node: node, topology: path, secrets: secrets, plane: dataPlane, lock: lock)
            running.startProbes()
            try dataPlane.start(prepared, health: running.board)
            try running.openListeners()
        } catch {
            StandardErrorLog.write("\(error)")
            // What it had begun to answer.
            await dataPlane.end()
            return 1
        }
        let logger = Logger(label: "node")
        let settings = running.state.configuration.me
        logger.notice(
            "started",
            metadata: [
                "tier": "\(settings.tier)", "region": "\(running.state.configuration.regionName)",
                "admin": "\(settings.admin.map(\.description) ?? "-")",
                "federation": "\(settings.federation.map(\.description) ?? "-")",
            ])
        do {
            try await run(services(of: running), of: running, heeding: signals)
        } catch {
            logger.critical("stopped by a failure", metadata: ["error": "\(error)"])
            return 1
        }
        logger.notice("stopped")
        return 0
    }

    /// Services stop in the opposite order, each after the one behind it is done: the goodbye first, then the traffic,
    /// then what reports on it.
    private static func services(of running: RunningNode) -> ServiceGroup {
        // The group's own lines are for its developers; ours say what the node does.
        var quiet = Logger(label: "lifecycle")
        quiet.logLevel = .error
        return ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: HealthService(running: running)),
                    .init(service: ControlListeners(running: running)),
                    .init(service: Traffic(running: running)),
                    .init(service: Farewell(running: running)),
                ], logger: quiet))
    }

    /// Until the group is done, which the first SIGTERM or SIGINT asks it to be.
    private static func run(
        _ group: ServiceGroup, of running: RunningNode, heeding signals: UnixSignalsSequence
    ) async throws {
        let listener = Task {
            for await signal in signals {
                switch signal {
                // Either outcome is recorded as an event, which is logged.
                case .sighup: running.requestReload()
                // Logrotate and its like send either.
                case .sigusr1, .sigusr2: running.reopenLogs()
                case .sigquit:
                    running.state.change { $0.isRestarting = true }
                    await group.triggerGracefulShutdown()
                default: await group.triggerGracefulShutdown()
                }
            }
        }
        defer { listener.cancel() }
        try await group.run()
    }

    static func find(
        _ name: String, in snapshot: Snapshot, tier: Tier, topology: String
    ) throws(InvalidTopology) -> NodeID {
        let known = snapshot.nodes.filter { $0.tier == tier }.map(\.name).joined(separator: ", ")
        guard let node = snapshot.node(named: name) else {
            throw InvalidTopology(diagnostics: [
                Diagnostic(
                    file: topology, message: "there is no node \(name)", hint: "\(tier.rawValue) nodes: \(known)")
            ])
        }
        guard snapshot[node].tier == tier else {
            throw InvalidTopology(diagnostics: [
                Diagnostic(
                    file: topology, message: "\(name) is a node of tier \(snapshot[node].tier.rawValue)",
                    hint: "\(tier.rawValue) nodes: \(known)")
            ])
        }
        return node
    }

    private static func prepareProcess() {
        // A peer that hangs up while we write is an error code, not a reason to die.
        _ = signal(SIGPIPE, SIG_IGN)
        // Until they are heeded: their default is to end the process.
        _ = signal(SIGUSR1, SIG_IGN)
        _ = signal(SIGUSR2, SIG_IGN)
        // Every connection is a descriptor: take what the system allows.
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        if unsafe getrlimit(files, &limit) == 0, limit.rlim_cur < limit.rlim_max {
            limit.rlim_cur = limit.rlim_max
            _ = unsafe setrlimit(files, &limit)
        }
    }
}
