import Engine
import Federation
package import Health
package import Model
import Synchronization

/// The loop that turns what is known into verdicts and reports: on every change and at least ten times a second it ejects
/// and readmits endpoints, publishes the node's report, judges every region, and tells the tier what moved.
package final class HealthLoop: Sendable {
    /// Well under the half second in which a goodbye must reach the answers.
    package static let tick = Duration.milliseconds(100)

    private let node: NodeState
    private let board: HealthBoard
    private let hub: FederationHub
    private let probing: EndpointProbing
    private let candidates: CandidateProbing
    private let overrides: OverrideBook
    private let keeper: StateKeeper
    private let plane: any DataPlane
    private let clock: SteadyClock
    private let standstills: Standstills
    private let wakes: AsyncStream<Void>
    private let engine: Mutex<VerdictEngine>
    private let latest = Mutex(Evaluation?.none)
    private let facts = Mutex([PoolFact]())
    private let settling = AsyncStream<Never>.makeStream()
    private let hasSettled = Mutex(false)

    package init(
        node: NodeState, board: HealthBoard, hub: FederationHub, probing: EndpointProbing,
        candidates: CandidateProbing, overrides: OverrideBook, keeper: StateKeeper,
        remembered: [RememberedVerdict], plane: any DataPlane, clock: SteadyClock, standstills: Standstills,
        wakes: AsyncStream<Void>
    ) {
        self.standstills = standstills
        self.node = node
        self.board = board
        self.hub = hub
        self.probing = probing
        self.candidates = candidates
        self.overrides = overrides
        self.keeper = keeper
        engine = Mutex(VerdictEngine(remembering: remembered))
        self.plane = plane
        self.clock = clock
        self.wakes = wakes
    }

    /// The latest evaluation; nil before the first.
    package var evaluation: Evaluation? { latest.withLock { $0 } }
    /// The node's own pools as last published.
    package var pools: [PoolFact] { facts.withLock { $0 } }

    /// Ends when everything that the node checks was looked at or had its time, or when the loop ends. For one to wait on.
    package var settled: AsyncStream<Never> { settling.stream }
    package var isSettled: Bool { hasSettled.withLock { $0 } }

    /// Runs until the stream of wakes ends or the task is cancelled.
    package func run() async {
        defer { settling.continuation.finish() }
        var memory = Memory(startedAt: clock.now)
        for await _ in wakes {
            if Task.isCancelled { return }
            pass(&memory)
        }
    }

    // MARK: - One pass

    /// What the loop remembers between passes.
    private struct Memory {
        let startedAt: Timestamp
        var passive = PassiveHealth()
        var facts = OwnFacts()
        var voices: [String: Voice] = [:]
        var states: [String: Report.State] = [:]
        var tableChanges: UInt64 = .max
        var failOpen: Set<String> = []
        var frozen = false
        var watch = OverrideWatch()
        var load: (generation: Int, meter: LoadMeter)?
        var roundTrips: RoundTripWindow?
        var hearing = RoundTripHearing()
        var recovery = Recovery()
        /// What each peer's report said of timelines when it was last taken in.
        var timelines: [String: [ClusterTimeline]] = [:]
        var reticence = Reticence()

        init(startedAt: Timestamp) { self.startedAt = startedAt }
    }

    private func pass(_ memory: inout Memory) {
        let now = clock.now
        let configuration = node.configuration
        let standstill = memory.recovery.news(standstills, configuration.snapshot)
        if let standstill { doubt(after: standstill) }
        memory.passive.pass(configuration, board.endpoints, board.events, now: now)
        recover(configuration, &memory, now: now)
        settle(configuration, memory, now: now)
        let flow = plane.facts()
        memory.roundTrips = flow.roundTrips
        let pools = memory.facts.pass(
            configuration, board.endpoints, flow, reason: { probing.report($0)?.outcome.reason }, now: now)
        facts.withLock { $0 = pools }
        var heard = hub.heard(now: now)
        hearTimelines(heard, &memory)
        let rules = override(configuration, heard, &memory)
        publish(configuration, pools, memory)
        // Our own vote counts in the pass that saw it, like what we see of addresses.
        if let own = hub.published { heard[hub.name] = HeardReport(report: own, heardAt: now) }
        let windows = memory.hearing.news(in: heard, except: hub.name)
        if !windows.isEmpty { plane.heard(windows) }

        note(configuration, &memory, now: now)
        let sights = configuration.me.tier == .dns ? candidates.sights : []
        let known = Known(
            reports: heard, sights: memory.reticence.told(sights, home: configuration.regionName), overrides: rules)
        let evaluation = engine.withLock { judge(known, configuration, &$0, now: now) }
        latest.withLock { $0 = evaluation }
        listen(evaluation, configuration, &memory, now: now)
        record(evaluation, &memory)
        let verdictsMoved = board.publish(view(evaluation, rules, heard, configuration, &memory, now: now))
        let changes = board.endpoints.changes
        let endpointsMoved = changes != memory.tableChanges
        memory.tableChanges = changes
        if standstill != nil { board.doubted() }
        if verdictsMoved || endpointsMoved || standstill != nil { plane.healthChanged() }
        // A verdict that moved may change what this node states of itself.
        if verdictsMoved { publish(configuration, pools, memory) }
        hub.tick()
        keeper.pass(engine.withLock { $0 }, overrides.set, hub.entries, probing.timelines, now: now)
    }

    /// The verdicts with what is known of load and servers.
    private func view(
        _ evaluation: Evaluation, _ rules: OverrideRules, _ heard: [String: HeardReport],
        _ configuration: Configuration,
        _ memory: inout Memory, now: Timestamp
    ) -> HealthView {
        let snapshot = configuration.snapshot
        let staleAfter = snapshot.federation.staleAfter
        var meter =
            memory.load.flatMap { $0.generation == configuration.generation ? $0.meter : nil }
            ?? LoadMeter(configuration.map, snapshot, keeping: memory.load?.meter)
        meter.record(heard, hearing: evaluation.hearing, staleAfter: staleAfter, now: now)
        memory.load = (configuration.generation, meter)
        var upShares: [LoadMeter.Key: Double] = [:]
        for site in configuration.map.sites {
            let key = LoadMeter.Key(service: snapshot[site.service].name, region: snapshot[site.region].name)
            upShares[key] = ServerShare.up(site, service: key.service, heard, staleAfter: staleAfter, now: now)
        }
        return HealthView(
            evaluation, in: snapshot, overrides: rules,
            loads: meter.loads(capacities: configuration.capacities, now: now), upShares: upShares)
    }

    private func judge(
        _ known: Known, _ configuration: Configuration, _ engine: inout VerdictEngine, now: Timestamp
    ) -> Evaluation {
        engine.evaluate(
            known, own: hub.name, snapshot: configuration.snapshot, map: configuration.map,
            trustStatements: configuration.me.tier == .dns, now: now)
    }

    /// Publishes what is known before anything was looked at, so that the first answers go by it.
    package func prime() {
        let configuration = node.configuration
        let now = clock.now
        let rules = OverrideRules(overrides.set.live(at: hub.timeOfDay.now))
        var trial = engine.withLock { $0 }
        let known = Known(reports: hub.heard(now: now), overrides: rules)
        let evaluation = judge(known, configuration, &trial, now: now)
        board.publish(HealthView(evaluation, in: configuration.snapshot, overrides: rules))
    }

    /// How things would stand at once under these overrides: nothing is published and nobody is told.
    package func imagine(_ overrides: OverrideSet) -> HealthView {
        let configuration = node.configuration
        let now = clock.now
        let rules = OverrideRules(overrides.live(at: hub.timeOfDay.now))
        var trial = engine.withLock { $0 }
        let known = Known(
            reports: hub.heard(now: now), sights: configuration.me.tier == .dns ? candidates.sights : [],
            overrides: rules)
        let evaluation = judge(known, configuration, &trial, now: now)
        return HealthView(evaluation, in: configuration.snapshot, overrides: rules)
    }

    /// Saves the state for the last time.
    package func save() async {
        await keeper.finish(engine.withLock { $0 }, overrides.set, hub.entries, probing.timelines)
    }

    /// Saves the state for a successor, which may have the file from then on.
    package func handOver() async {
        await keeper.handOver(engine.withLock { $0 }, overrides.set, hub.entries, probing.timelines)
    }

    /// What was known before a standstill is no news: it stands, and says so, until it is confirmed.
    private func doubt(after standstill: Standstill) {
        node.change { $0.isDoubtful = true }
        engine.withLock { $0.doubt(after: standstill.length) }
        hub.doubt(before: standstill.end)
        probing.lookAgain()
        candidates.lookAgain()
        // Nor is our own report: to us as to others it says from now on that we have to look.
        var content = hub.published.map(FederationHub.Content.init) ?? FederationHub.Content(state: .starting)
        content.state = node.phase.state
        (content.pools, content.observations) = ([], [])
        hub.publish(content)
        board.events.record(
            .node, hub.name,
            "did not run for \(standstill.length.milliseconds) ms: what it knew is stale until it is confirmed",
            severity: .warning)
    }

    private func recover(_ configuration: Configuration, _ memory: inout Memory, now: Timestamp) {
        guard node.phase.isDoubtful, memory.recovery.isOver(hasLooked(configuration), now: now) else { return }
        node.change { $0.isDoubtful = false }
        board.events.record(.node, hub.name, "knows again what it serves")
    }

    /// Whether every endpoint and every address that this node checks was looked at.
    private func hasLooked(_ configuration: Configuration) -> Bool {
        let snapshot = configuration.snapshot
        // Only DNS nodes answer with what they look at; others vote when they have looked.
        return (configuration.me.tier != .dns || candidates.isSettled)
            && configuration.ownPools.filter { snapshot[$0].check != nil }
                .flatMap { snapshot.endpoints(of: $0, in: configuration.me.region) }
                .allSatisfy { board.endpoints.state(configuration.slots[$0.index]).contains(.checked) }
    }

    /// The longest that users wait for first results.
    private static let longestSettling = Duration.seconds(5)

    /// Users are let in once everything that the node checks was looked at, or had ample time to be.
    private func settle(_ configuration: Configuration, _ memory: Memory, now: Timestamp) {
        guard !isSettled else { return }
        let isOver = now - memory.startedAt > Self.longestSettling
        guard isOver || hasLooked(configuration) else { return }
        if isOver {
            board.events.record(
                .node, hub.name, "not waiting any longer for the first results of checks", severity: .warning)
        }
        hasSettled.withLock { $0 = true }
        settling.continuation.finish()
    }

    /// Takes the overrides that peers know of, and follows those about this node.
    private func override(
        _ configuration: Configuration, _ heard: [String: HeardReport], _ memory: inout Memory
    ) -> OverrideRules {
        let wall = hub.timeOfDay.now
        overrides.merge(
            heard.values.flatMap(\.report.overrides), clockSkew: configuration.snapshot.federation.clockSkew, now: wall)
        let rules = OverrideRules(memory.watch.pass(overrides.set, wall, board.events))
        let mine = rules.node(hub.name).flatMap { $0.action == .up ? nil : "\($0)" }
        if node.phase.overridden != mine { node.change { $0.overridden = mine } }
        return rules
    }

    /// Takes what peers know of databases' timelines, an operator's word about them included.
    private func hearTimelines(_ heard: [String: HeardReport], _ memory: inout Memory) {
        for (name, each) in heard where name != hub.name && memory.timelines[name] != each.report.timelines {
            memory.timelines[name] = each.report.timelines
            let before = probing.timelines
            for entry in probing.merge(each.report.timelines) {
                guard entry.accepted > before[entry.key]?.accepted ?? 0 else { continue }
                board.events.record(
                    .override, "pool \(entry.key.pool)",
                    "timeline \(entry.timeline) accepted in \(entry.key.region), as \(name) says", severity: .warning)
            }
        }
    }

    private func publish(_ configuration: Configuration, _ pools: [PoolFact], _ memory: Memory) {
        hub.publish(
            FederationHub.Content(
                state: node.phase.state, configuration: configuration.snapshot.fingerprint, pools: pools,
                observations: observations(configuration, pools, memory), rate: memory.facts.rate,
                overrides: overrides.set.all, roundTrips: memory.roundTrips, timelines: probing.timelines.sorted))
    }

    /// After an evaluation: whether this node may say what it sees of others.
    private func listen(
        _ evaluation: Evaluation, _ configuration: Configuration, _ memory: inout Memory, now: Timestamp
    ) {
        guard let hearing = evaluation.hearing else { return }
        memory.reticence.pass(
            candidates.observations, hearing, own: hub.name, snapshot: configuration.snapshot, map: configuration.map,
            now: now)
    }

    /// What this node sees, and what it knows of its own region. It votes by its checks: a DNS node on every region, others on
    /// regions that are not theirs. L7 and L4 nodes state how the services that they serve stand in their own region, which
    /// carries word of a dependency to those who do not hear from it themselves.
    private func observations(
        _ configuration: Configuration, _ pools: [PoolFact], _ memory: Memory
    ) -> [Observation] {
        let votes = memory.reticence.told(candidates.observations, home: configuration.regionName)
        return statements(configuration, pools) + votes
    }

    /// Facts only: what those whom it depends on say of themselves now. A verdict would be wrong for as long as it is damped,
    /// and what follows from silence others see for themselves.
    private func statements(_ configuration: Configuration, _ pools: [PoolFact]) -> [Observation] {
        guard configuration.me.tier != .dns, let evaluation else { return [] }
        // By names: the evaluation is of the topology before when a reload was in between.
        let snapshot = configuration.snapshot
        let region = configuration.regionName
        let served = Set(pools.compactMap(\.service))
        return snapshot.services.filter { served.contains($0.name) }.map { service in
            let broken = service.dependsOn.lazy.map { snapshot[$0].name }.compactMap { name in
                evaluation.complaints[VerdictSite(.service(name), in: region)].map { (name: name, reasons: $0) }
            }.first
            guard let broken else { return Observation(service: service.name, region: region, up: true) }
            let reason = broken.reasons.map { "\($0.source) says: \($0.text)" }.prefix(3).joined(separator: "; ")
            return Observation(
                service: service.name, region: region, up: false,
                reason: "depends on \(broken.name): \(reason)".clipped(to: 400))
        }
    }

    // MARK: - Events

    private func record(_ evaluation: Evaluation, _ memory: inout Memory) {
        for transition in evaluation.transitions {
            let reasons = transition.reasons.map(\.sentence).joined(separator: "; ")
            board.events.record(
                .verdict, "\(transition.service) in \(transition.region)",
                (transition.healthy ? "healthy" : "down") + (reasons.isEmpty ? "" : ": \(reasons)"),
                severity: transition.healthy ? .notice : .warning)
        }
        for service in evaluation.failOpen.subtracting(memory.failOpen).sorted() {
            board.events.record(
                .failOpen, service, "down in every region: answers hold all of them", severity: .error)
        }
        for service in memory.failOpen.subtracting(evaluation.failOpen).sorted() {
            board.events.record(.failOpen, service, "over: a region is healthy again")
        }
        memory.failOpen = evaluation.failOpen
        if evaluation.frozen != memory.frozen {
            memory.frozen = evaluation.frozen
            board.events.record(
                .peer, hub.name,
                evaluation.frozen
                    ? "too few regions or peers are heard: verdicts stand as they were"
                    : "enough regions and peers are heard again", severity: evaluation.frozen ? .error : .notice)
        }
    }

    private func note(_ configuration: Configuration, _ memory: inout Memory, now: Timestamp) {
        let staleAfter = configuration.snapshot.federation.staleAfter
        for (name, entry) in hub.entries where name != hub.name {
            let voice = Voice(entry, staleAfter: staleAfter, now: now)
            let state = entry.report.state
            let before = memory.voices.updateValue(voice, forKey: name)
            let stateBefore = memory.states.updateValue(state, forKey: name)
            guard before != voice || stateBefore != state else { continue }
            switch voice {
            case .fresh: board.events.record(.peer, name, state.rawValue)
            case .silent:
                board.events.record(
                    .peer, name, "silent for \((now - entry.heardAt).milliseconds) ms", severity: .warning)
            case .left: board.events.record(.peer, name, "said goodbye")
            case .unheard: break
            }
        }
    }
}

extension Verdict.Reason {
    /// `l4-eu-west says: 127.0.2.1:6432: connection refused`.
    package var sentence: String { "\(source) says: \(text)" }
}

extension Configuration {
    /// Per second, of the regions that have a limit.
    var capacities: [String: Double] {
        var capacities: [String: Double] = [:]
        for region in snapshot.regions { capacities[region.name] = region.capacity.map(Double.init) }
        return capacities
    }

    package var regionName: String { snapshot[me.region].name }
}
