import Engine
import Federation
import HTTPExchange
import Health
import Logging
package import Model
import Synchronization
package import Topology

/// A node that is up: its parts, and how they are replaced together.
package final class RunningNode: Sendable {
    package let name: String
    package let topology: String
    package let state: NodeState
    package let board: HealthBoard
    package let hub: FederationHub
    package let polling: PeerPolling
    package let probing: EndpointProbing
    package let candidates: CandidateProbing
    package let overrides: OverrideBook
    package let keeper: StateKeeper
    package let plane: any DataPlane
    let loop: HealthLoop
    let wakes: Wakes
    let clock: SteadyClock
    let standstills: Standstills

    private let client = HTTPClient()
    private let reloading: @Sendable (Snapshot, NodeID) throws(InvalidTopology) -> @Sendable () -> Void
    private let lock: NodeLock?
    private let passwords: Passwords
    private let reloads = ReloadDesk()
    private let token: Mutex<[UInt8]?>
    private let listeners = Mutex<(admin: AdminServer?, federation: FederationServer?)>((nil, nil))
    /// One reload or refreshment at a time.
    private let reloadLock = Mutex(1)

    /// `lock`: what keeps other processes from being this node.
    package convenience init<Plane: DataPlane>(
        _ snapshot: Snapshot, node: NodeID, topology: String, secrets: NodeSecrets, plane: Plane, lock: NodeLock? = nil,
        clock: SteadyClock = SteadyClock(), wall: @escaping @Sendable () -> Timestamp = { .now }
    ) throws {
        // All that can fail comes first: Swift 6.3.1 stops at its own ownership check when it optimises an initialiser that
        // has to take down a Mutex half way.
        let table = EndpointTable()
        guard let configuration = Configuration(snapshot, node: node, table: table, generation: 1) else {
            throw InvalidTopology(diagnostics: [Self.tooMany(topology)])
        }
        self.init(
            configuration, table: table, waiter: try SocketWaiter(), topology: topology, secrets: secrets, plane: plane,
            lock: lock, clock: clock, wall: wall)
        try standstills.watch()
    }

    private init<Plane: DataPlane>(
        _ configuration: Configuration, table: EndpointTable, waiter: SocketWaiter, topology: String,
        secrets: NodeSecrets, plane: Plane, lock: NodeLock?, clock: SteadyClock,
        wall: @escaping @Sendable () -> Timestamp
    ) {
        let snapshot = configuration.snapshot
        name = configuration.me.name
        self.topology = topology
        self.plane = plane
        self.clock = clock
        let standstills = Standstills(clock: clock)
        self.standstills = standstills
        token = Mutex(secrets.adminToken)
        self.lock = lock
        let passwords = Passwords(secrets.passwords)
        self.passwords = passwords
        reloading = { snapshot, node throws(InvalidTopology) in
            let prepared = try plane.prepare(snapshot, node: node)
            return { plane.install(prepared) }
        }

        let wakes = Wakes()
        self.wakes = wakes
        let logger = Logger(label: "events")
        let events = EventLog(sink: { event in
            logger.log(
                level: event.severity.level, "\(event.text)",
                metadata: ["kind": "\(event.kind.rawValue)", "subject": "\(event.subject)"])
        })
        let mark = CheckMark(secrets.keyring)
        board = HealthBoard(endpoints: table, events: events, checkMark: mark) { wakes.ring() }
        state = NodeState(configuration)
        hub = FederationHub(
            name: name, tier: configuration.me.tier, region: configuration.regionName,
            settings: FederationHub.Settings(snapshot, keyring: secrets.keyring), clock: clock,
            timeOfDay: TimeOfDay(steady: clock, wall: wall)
        ) { wakes.ring() }
        polling = PeerPolling(hub: hub, client: client, standstills: standstills)
        overrides = OverrideBook { wakes.ring() }
        keeper = StateKeeper(
            node: configuration.me.name, path: configuration.me.state, events: events, lock: lock?.state)
        let saved = keeper.load(now: .now)
        overrides.merge(
            saved?.overrides ?? [], clockSkew: snapshot.federation.clockSkew, now: .now)
        _ = hub.restore((saved?.reports ?? []).map(\.signed))

        let secret: @Sendable (Secret) -> String? = { passwords.value(of: $0) }
        probing = EndpointProbing(
            table: table, client: client, waiter: waiter, secret: secret, standstills: standstills
        ) { change in
            events.record(.endpoint, "\(change.address)", change.words, severity: change.severity)
            wakes.ring()
        }
        // Before the first check: the first primary that answers may be the leftover.
        probing.merge(saved?.timelines ?? [])
        candidates = CandidateProbing(
            client: client, waiter: waiter, secret: secret, mark: mark, standstills: standstills
        ) { candidate, report in
            let words = report.up ? "reachable" : "unreachable: \(report.outcome.reason)"
            events.record(
                .endpoint, "\(candidate.name) in \(candidate.region) at \(candidate.address)", words,
                severity: report.up ? .notice : .warning)
            wakes.ring()
        }
        loop = HealthLoop(
            node: state, board: board, hub: hub, probing: probing, candidates: candidates, overrides: overrides,
            keeper: keeper, remembered: saved?.verdicts ?? [], plane: plane, clock: clock, standstills: standstills,
            wakes: wakes.stream)
        if saved != nil { loop.prime() }
    }

    package func startProbes() { follow(state.configuration) }

    /// Opens the federation and admin listeners.
    package func openListeners() throws {
        let me = state.configuration.me
        let federation =
            if let address = me.federation, hub.settings.keyring != nil {
                try FederationServer(address: address, hub: hub)
            } else { FederationServer?.none }
        let admin = try me.admin.map { try AdminServer(address: $0, node: self) }
        listeners.withLock { $0 = (admin, federation) }
    }

    /// What became of connections for which the control plane's servers had no room, by server.
    var crowding: [(server: String, HTTPServer.Crowding)] {
        let (admin, federation) = listeners.withLock { $0 }
        return [("admin", admin?.crowding), ("federation", federation?.crowding)].compactMap { name, crowding in
            crowding.map { (name, $0) }
        }
    }

    package func closeListeners() async {
        let (admin, federation) = listeners.withLock { listeners in
            defer { listeners = (nil, nil) }
            return listeners
        }
        hub.release()
        await federation?.stop()
        await admin?.stop()
    }

    /// Whether `presented` is the admin token; true when none is set. Takes as long for every wrong one.
    func admits(_ presented: String?) -> Bool {
        guard let token = token.withLock({ $0 }) else { return true }
        return ConstantTime.equal(Array((presented ?? "").utf8), token)
    }

    // MARK: - Reload

    /// Loads the topology anew on a thread of its own and puts it in force as a whole, or changes nothing and says why.
    ///
    /// - Parameter reply: told of the configuration that is in force then, on any thread.
    /// - Returns: false when the node is leaving or too many reloads wait; nothing comes of it then.
    @discardableResult
    package func requestReload(_ reply: @escaping ReloadDesk.Reply = { _ in }) -> Bool {
        reloads.reload(by: { Result { () throws(InvalidTopology) in try self.reload() } }, reply)
    }

    /// The same on this thread, which may take seconds.
    ///
    /// - Returns: the configuration that is in force now.
    package func reload() throws(InvalidTopology) -> Configuration {
        do {
            let configuration = try reloadLock.withLock { _ throws(InvalidTopology) in try replace() }
            state.noteReload(taken: true)
            board.events.record(
                .configuration, name,
                "generation \(configuration.generation) in force: \(configuration.fingerprintText)")
            return configuration
        } catch {
            state.noteReload(taken: false)
            board.events.record(
                .configuration, name,
                "reload refused, nothing changed: " + error.diagnostics.map(\.description).joined(separator: "; "),
                severity: .error)
            throw error
        }
    }

    private func replace() throws(InvalidTopology) -> Configuration {
        let snapshot = try TopologyLoader.load(path: topology)
        let old = state.configuration
        let node = try NodeRuntime.find(name, in: snapshot, tier: plane.tier, topology: topology)
        let secrets = try NodeSecrets(snapshot, node: node, topology: topology)
        let fixed = FixedKeys.changes(from: old.snapshot, old.node, to: snapshot, node, topology: topology)
        if !fixed.isEmpty { throw InvalidTopology(diagnostics: fixed) }
        let open = Set(ListeningPlace.all(old.snapshot, node: old.node).map { ListeningPlace.Spot($0) })
        try ListeningPlace.vet(
            ListeningPlace.all(snapshot, node: node).filter { !open.contains(ListeningPlace.Spot($0)) },
            topology: topology)
        let generation = old.generation + 1
        guard let new = Configuration(snapshot, node: node, table: board.endpoints, generation: generation) else {
            throw InvalidTopology(diagnostics: [Self.tooMany(topology)])
        }
        let descriptors = try DescriptorPlan(
            snapshot, node: node, limit: DescriptorShares.processLimit, topology: topology)
        let install = try reloading(snapshot, node)

        // From here on nothing can fail.
        descriptors.shares.replaceThoseInForce()
        board.checkMark.replace(secrets.keyring)
        install()
        state.install(new)
        token.withLock { $0 = secrets.adminToken }
        passwords.replace(secrets.passwords)
        StandardErrorLog.setLevel(new.me.log.level)
        hub.configure(FederationHub.Settings(snapshot, keyring: secrets.keyring))
        follow(new)
        wakes.ring()
        return new
    }

    /// Has files that grow opened anew, as after logrotate moved them.
    package func reopenLogs() {
        let troubles = plane.reopenLogs()
        for trouble in troubles { board.events.record(.configuration, "access log", trouble, severity: .error) }
        if troubles.isEmpty { board.events.record(.configuration, name, "logs opened anew") }
    }

    private func follow(_ configuration: Configuration) {
        probing.update(configuration.snapshot, node: configuration.node, slots: configuration.slots)
        candidates.update(configuration.snapshot, node: configuration.node)
        polling.update(configuration.snapshot, node: configuration.node)
    }

    private static func tooMany(_ topology: String) -> Diagnostic {
        Diagnostic(file: topology, message: "more than \(EndpointTable.capacity) endpoints in the life of the process")
    }

    /// Judges and reports until `stopWatching`.
    package func work() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    self.wakes.ring()
                    try? await Task.sleep(for: HealthLoop.tick)
                }
            }
            group.addTask { await self.refreshTier() }
            group.addTask { await ShortageWatch(node: self.name, events: self.board.events).run() }
            await loop.run()
            group.cancelAll()
        }
    }

    /// Has the tier look at its files and compile what it gathered, now and then.
    private func refreshTier() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(2))
            if Task.isCancelled { return }
            // It may take a second, which the cooperative threads do not have.
            let told = await withCheckedContinuation { continuation in
                do throws(SocketError) {
                    try Thread.start(name: "refresh") {
                        continuation.resume(returning: self.reloadLock.withLock { _ in self.plane.refresh() })
                    }
                } catch {
                    continuation.resume(returning: [Event.Remark(.warning, "\(error); tried again in 2 s")])
                }
            }
            for remark in told { board.events.record(.configuration, name, remark.text, severity: remark.severity) }
        }
    }

    /// Opens the tier to users once everything that the node checks was looked at, or had its time, and says that it serves.
    /// Returns at once when the task is cancelled.
    ///
    /// - Throws: when a port that was bound cannot be listened on.
    package func serveUsers() async throws {
        for await _ in loop.settled {}
        guard loop.isSettled, !Task.isCancelled else { return }
        try reloadLock.withLock { _ in try plane.open() }
        state.change { $0.ready = true }
        lock?.serves()
        board.events.record(.node, name, "serving")
        wakes.ring()
    }

    // MARK: - Going

    /// How long peers that listen have at least to hear the goodbye.
    static let leastFarewell = Duration.milliseconds(200)

    /// Says that the node is leaving, or restarts, and waits until the peers that listen have it, `limit` at most.
    package func sayGoodbye(within limit: Duration = leastFarewell) async {
        let listeners = hub.pollers(within: .seconds(3))
        let isAwaited = lock?.isAwaited ?? false
        let phase = state.change { phase in
            phase.leaving = true
            if isAwaited { phase.isRestarting = true }
        }
        board.events.record(.node, name, phase.isRestarting ? "restarting" : "leaving")
        var content = hub.published.map(FederationHub.Content.init) ?? FederationHub.Content(state: phase.state)
        content.state = phase.state
        let cursor = hub.publish(content)
        let deadline = ContinuousClock.now + limit
        while !hub.delivered(cursor, to: listeners), ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Whoever restarts is awaited for as long as whoever fell silent, and no longer: when its last connections take their
    /// time and nobody serves in its place, it is leaving.
    package func endRestart() async {
        guard state.phase.isRestarting else { return }
        do { try await Task.sleep(for: state.configuration.snapshot.federation.staleAfter) } catch { return }
        state.change { $0.isRestarting = false }
        board.events.record(.node, name, "leaving")
        wakes.ring()
    }

    /// Ends what must not happen while the tier stops, and lets another process be this node from now on. It gets the state
    /// file last.
    package func letSuccessorIn() async {
        lock?.leave()
        await reloads.close()
        await loop.handOver()
    }

    /// Longer than first results of checks are waited for.
    private static let successorPatience = Duration.seconds(10)

    /// Returns when no other process is starting as this node, so that users find one that listens.
    package func awaitSuccessor() async {
        let end = ContinuousClock.now + Self.successorPatience
        while let lock, lock.isSuccessorStarting, ContinuousClock.now < end {
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Stops everything that looks and listens; the tier is stopped by itself.
    package func stopWatching() async {
        await polling.stop()
        await probing.stop()
        await candidates.stop()
        await loop.save()
        wakes.end()
        client.shutdown()
    }
}

extension Event.Severity {
    fileprivate var level: Logger.Level {
        switch self {
        case .error: .error
        case .warning: .warning
        case .notice: .notice
        case .info: .info
        }
    }
}

extension EndpointProbing.Change {
    fileprivate var severity: Event.Severity {
        if isFenced { return .error }
        return report.up && trouble == nil ? .notice : .warning
    }

    fileprivate var words: String {
        guard report.up else { return "\(pool): down: \(report.outcome.reason)" }
        if let trouble { return "\(pool): up, \(trouble)" }
        return "\(pool): up" + (report.role.map { ", \($0.rawValue)" } ?? "")
    }
}

extension Configuration {
    /// As `/status` and reports show it.
    package var fingerprintText: String { String(snapshot.fingerprint, radix: 16) }
}

/// Comparison of secrets.
enum ConstantTime {
    /// Looks at every octet of `expected`, whatever `presented` is: the time tells nothing but the length.
    static func equal(_ presented: [UInt8], _ expected: [UInt8]) -> Bool {
        var difference: UInt8 = presented.count == expected.count ? 0 : 1
        for index in expected.indices {
            difference |= expected[index] ^ (index < presented.count ? presented[index] : 0)
        }
        return difference == 0
    }
}
