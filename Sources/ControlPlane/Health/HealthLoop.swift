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
    private let plane: any DataPlane
    private let clock: SteadyClock
    private let wakes: AsyncStream<Void>
    private let latest = Mutex(Evaluation?.none)
    private let facts = Mutex([PoolFact]())

    package init(
        node: NodeState, board: HealthBoard, hub: FederationHub, probing: EndpointProbing,
        candidates: CandidateProbing, plane: any DataPlane, clock: SteadyClock, wakes: AsyncStream<Void>
    ) {
        self.node = node
        self.board = board
        self.hub = hub
        self.probing = probing
        self.candidates = candidates
        self.plane = plane
        self.clock = clock
        self.wakes = wakes
    }

    /// The latest evaluation; nil before the first.
    package var evaluation: Evaluation? { latest.withLock { $0 } }
    /// The node's own pools as last published.
    package var pools: [PoolFact] { facts.withLock { $0 } }

    /// Runs until the stream of wakes ends or the task is cancelled.
    package func run() async {
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
        var engine = VerdictEngine()
        var passive = PassiveHealth()
        var facts = OwnFacts()
        var voices: [String: Voice] = [:]
        var states: [String: Report.State] = [:]
        var tableChanges: UInt64 = .max
        var failOpen: Set<String> = []
        var frozen = false

        init(startedAt: Timestamp) { self.startedAt = startedAt }
    }

    private func pass(_ memory: inout Memory) {
        let now = clock.now
        let configuration = node.configuration
        memory.passive.pass(configuration, board.endpoints, board.events, now: now)
        settle(configuration, memory, now: now)
        let pools = memory.facts.pass(
            configuration, board.endpoints, plane.facts(), reason: { probing.report($0)?.outcome.reason }, now: now)
        facts.withLock { $0 = pools }
        publish(configuration, pools, memory)

        let heard = hub.heard(now: now)
        note(configuration, &memory, now: now)
        let evaluation = memory.engine.evaluate(
            heard, own: hub.name, snapshot: configuration.snapshot, map: configuration.map,
            trustStatements: configuration.me.tier == .dns, now: now)
        latest.withLock { $0 = evaluation }
        record(evaluation, &memory)
        let verdictsMoved = board.publish(
            evaluation.verdicts, in: configuration.snapshot, failOpen: evaluation.failOpen)
        let changes = board.endpoints.changes
        let endpointsMoved = changes != memory.tableChanges
        memory.tableChanges = changes
        if verdictsMoved || endpointsMoved { plane.healthChanged() }
        // A verdict that moved may change what this node states of itself.
        if verdictsMoved { publish(configuration, pools, memory) }
        hub.tick()
    }

    /// The node serves once everything that it checks was looked at, or had ample time to be.
    private func settle(_ configuration: Configuration, _ memory: Memory, now: Timestamp) {
        guard !node.phase.ready else { return }
        let snapshot = configuration.snapshot
        let endpoints = configuration.ownPools.filter { snapshot[$0].check != nil }
            .flatMap { snapshot.endpoints(of: $0, in: configuration.me.region) }
        let checked = endpoints.allSatisfy {
            board.endpoints.state(configuration.slots[$0.index]).contains(.checked)
        }
        let patience = snapshot.pools.compactMap(\.check?.timeout).max().map { $0 + .seconds(1) } ?? .zero
        guard (checked && candidates.isSettled) || now - memory.startedAt > patience + .seconds(2) else { return }
        node.change { $0.ready = true }
        board.events.record(.node, hub.name, "serving")
    }

    private func publish(_ configuration: Configuration, _ pools: [PoolFact], _ memory: Memory) {
        hub.publish(
            FederationHub.Content(
                state: node.phase.state, configuration: configuration.snapshot.fingerprint, pools: pools,
                observations: observations(configuration, pools), rate: memory.facts.rate))
    }

    /// A DNS node votes by its checks. Others state how the services that they serve stand in their own region, which
    /// carries word of a dependency to those who do not hear from it themselves.
    private func observations(_ configuration: Configuration, _ pools: [PoolFact]) -> [Observation] {
        if configuration.me.tier == .dns { return candidates.observations }
        guard let evaluation else { return [] }
        let snapshot = configuration.snapshot
        let services = Set(pools.compactMap(\.service))
        return evaluation.verdicts.compactMap { verdict in
            let service = snapshot[verdict.service]
            guard verdict.region == configuration.me.region, services.contains(service.name) else { return nil }
            let broken = evaluation.verdicts.first {
                !$0.healthy && $0.region == verdict.region && service.dependsOn.contains($0.service)
            }
            guard let broken else {
                return Observation(service: service.name, region: configuration.regionName, up: true)
            }
            let reason = broken.reasons.map { "\($0.source) says: \($0.text)" }.prefix(3).joined(separator: "; ")
            return Observation(
                service: service.name, region: configuration.regionName, up: false,
                reason: "depends on \(snapshot[broken.service].name): \(reason)".clipped(to: 400))
        }
    }

    // MARK: - Events

    private func record(_ evaluation: Evaluation, _ memory: inout Memory) {
        for transition in evaluation.transitions {
            let reasons = transition.reasons.map(\.sentence).joined(separator: "; ")
            board.events.record(
                .verdict, "\(transition.service) in \(transition.region)",
                (transition.healthy ? "healthy" : "down") + (reasons.isEmpty ? "" : ": \(reasons)"))
        }
        for service in evaluation.failOpen.subtracting(memory.failOpen).sorted() {
            board.events.record(.failOpen, service, "down in every region: answers hold all of them")
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
                    ? "too many peers fell silent at once: verdicts stand as they were" : "enough peers are heard again"
            )
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
            case .silent: board.events.record(.peer, name, "silent for \((now - entry.heardAt).milliseconds) ms")
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
    package var regionName: String { snapshot[me.region].name }
}
