package import Federation
package import Health
package import Model
import Synchronization

/// Everything that this node says and hears: its own report, the peers' latest, and the long polls that wait for news.
/// Safe from any thread.
package final class FederationHub: Sendable {
    /// What the topology and its secrets say; replaced by a reload.
    package struct Settings: Sendable {
        package var tiers: [String: Tier]
        package var plan: FederationPlan
        /// Nil without keys: the node says nothing to others and believes nobody.
        package var keyring: Keyring?
        package var limits = ReportLimits()

        package init(_ snapshot: Snapshot, keyring: Keyring?) {
            tiers = Dictionary(snapshot.nodes.map { ($0.name, $0.tier) }) { first, _ in first }
            plan = snapshot.federation
            self.keyring = keyring
        }
    }

    /// What this node has to say, before it gets a number and a signature.
    package struct Content: Sendable, Hashable {
        package var state: Report.State
        package var configuration: UInt64
        package var pools: [PoolFact]
        package var observations: [Observation]
        package var rate: Double
        package var overrides: [Override]
        package var roundTrips: RoundTripWindow?
        package var timelines: [ClusterTimeline]

        package init(
            state: Report.State, configuration: UInt64 = 0, pools: [PoolFact] = [], observations: [Observation] = [],
            rate: Double = 0, overrides: [Override] = [], roundTrips: RoundTripWindow? = nil,
            timelines: [ClusterTimeline] = []
        ) {
            self.state = state
            self.configuration = configuration
            self.pools = pools
            self.observations = observations
            self.rate = rate
            self.overrides = overrides
            self.roundTrips = roundTrips
            self.timelines = timelines
        }
    }

    package struct Counters: Sendable, Hashable {
        package var published: UInt64 = 0
        package var accepted: UInt64 = 0
        package var duplicates: UInt64 = 0
        package var superseded: UInt64 = 0
        package var refused: [Refusal: UInt64] = [:]
        package var pollsAnswered: UInt64 = 0
        package var pollsRefused: UInt64 = 0
    }

    private struct State {
        var settings: Settings
        var store: ReportStore
        var incarnation: UInt64
        var sequence: UInt64 = 0
        var published: Report?
        /// The cursor of the last change that cannot wait.
        var urgent: UInt64 = 0
        var polls: [UInt64: Poll] = [:]
        var nextPoll: UInt64 = 0
        /// Each peer's latest poll; as many as the topology has nodes.
        var pollers: [String: (since: UInt64, at: Timestamp)] = [:]
        var counters = Counters()
        var refutedAt: Timestamp?
        var released = false

        func isDue(_ now: Timestamp) -> Bool {
            guard let own = published, let entry = store.entries[own.node] else { return true }
            return now - entry.heardAt >= settings.plan.interval
        }
    }

    private struct Poll {
        let node: String
        let since: UInt64
        /// Before this only urgent news is worth an answer: heartbeats are batched.
        let earliest: Timestamp
        let deadline: Timestamp
        let reply: @Sendable (ReportBatch) -> Void
    }

    /// Long polls of one peer kept at once; more mean that it lost track of the older ones.
    private static let pollsPerNode = 4

    package let name: String
    private let tier: Tier
    private let region: String
    private let clock: SteadyClock
    package let timeOfDay: TimeOfDay
    private let state: Mutex<State>
    private let changed: @Sendable () -> Void

    /// `changed` is called when somebody's report moved in substance: on any thread, never under the hub's lock.
    package init(
        name: String, tier: Tier, region: String, settings: Settings, clock: SteadyClock = SteadyClock(),
        timeOfDay: TimeOfDay? = nil,
        incarnation: UInt64 = UInt64(clamping: Timestamp.now.milliseconds), changed: @escaping @Sendable () -> Void
    ) {
        let timeOfDay = timeOfDay ?? TimeOfDay(steady: clock)
        timeOfDay.follow(Set(settings.tiers.keys), interval: settings.plan.interval)
        self.timeOfDay = timeOfDay
        self.name = name
        self.tier = tier
        self.region = region
        self.clock = clock
        self.changed = changed
        // Microseconds: a store takes fewer than a thousand reports per millisecond, so that the cursors of a later
        // process are larger than all of this one's.
        let store = ReportStore(own: name, start: incarnation &* 1000)
        state = Mutex(State(settings: settings, store: store, incarnation: incarnation))
    }

    package func configure(_ settings: Settings) {
        state.withLock { state in
            state.settings = settings
            state.store.keep(Set(settings.tiers.keys))
            state.pollers = state.pollers.filter { settings.tiers[$0.key] != nil }
        }
        timeOfDay.follow(Set(settings.tiers.keys), interval: settings.plan.interval)
        changed()
    }

    package var settings: Settings { state.withLock { $0.settings } }
    package var counters: Counters { state.withLock { $0.counters } }
    package var entries: [String: ReportStore.Entry] { state.withLock { $0.store.entries } }
    package var published: Report? { state.withLock { $0.published } }

    /// The latest reports, our own heard now.
    package func heard(now: Timestamp) -> [String: HeardReport] {
        state.withLock { state in
            state.store.entries.mapValues { entry in
                HeardReport(
                    report: entry.report, heardAt: entry.report.node == name ? now : entry.heardAt,
                    isRestored: entry.isRestored)
            }
        }
    }

    // MARK: - Saying

    /// Publishes `content` when it is news or `interval` has passed since the last report. Long polls are answered at
    /// once when it is news.
    ///
    /// - Returns: the cursor of the report in force.
    @discardableResult
    package func publish(_ content: Content) -> UInt64 {
        let now = clock.now
        let (cursor, due) = state.withLock { state in
            let isNews = state.published?.substance != substance(content, in: state)
            guard isNews || state.isDue(now) else { return (state.store.cursor, [Answer]()) }
            publish(content, isNews: isNews, in: &state, now: now)
            return (state.store.cursor, takeDue(&state, now: now))
        }
        for answer in due { answer() }
        return cursor
    }

    private func report(_ content: Content, in state: borrowing State, sequence: UInt64) -> Report {
        Report(
            node: name, tier: tier, region: region, incarnation: state.incarnation, sequence: sequence,
            issuedAt: Timestamp(milliseconds: timeOfDay.now.milliseconds), state: content.state,
            configuration: content.configuration, pools: content.pools, observations: content.observations,
            rate: content.rate, overrides: content.overrides, roundTrips: content.roundTrips,
            timelines: content.timelines)
    }

    private func substance(_ content: Content, in state: borrowing State) -> Report {
        report(content, in: state, sequence: 0).substance
    }

    private func publish(_ content: Content, isNews: Bool, in state: inout State, now: Timestamp) {
        state.sequence += 1
        let report = report(content, in: state, sequence: state.sequence)
        // Encoding fails for numbers that are not finite only, and facts are built from finite ones.
        guard let bytes = try? ReportCodec.encode(report) else { return }
        let signed = state.settings.keyring?.sign(bytes) ?? SignedReport(key: "", bytes: bytes, signature: [])
        state.store.publish(signed, report, now: now)
        state.published = report
        state.counters.published += 1
        if isNews { state.urgent = state.store.cursor }
    }

    // MARK: - Hearing

    /// What an answer was worth.
    package struct Hearing: Sendable, Hashable {
        /// Reports that were news to us.
        package var accepted = 0
        /// Reports that are what they claim to be, and known.
        package var known = 0
        /// Whether it held the latest report of the peer itself, made or relayed lately.
        package var isOfPeer = false
    }

    /// A peer that lives has said something new within so many intervals.
    static let silentIntervals = 6

    /// Takes what a peer answered.
    ///
    /// - Parameters:
    ///   - batch: the answer.
    ///   - peer: whom we asked; nil where nobody wants to know whether it spoke of itself.
    /// - Returns: what the answer was worth.
    @discardableResult
    package func receive(_ batch: ReportBatch, from peer: String? = nil) -> Hearing {
        let now = clock.now
        var moved = false
        var hearing = Hearing()
        let due = state.withLock { state in
            for item in batch.items {
                let admission = admit(item, in: &state, now: now)
                state.counters.count(admission)
                switch admission {
                case .accepted: hearing.accepted += 1
                case .duplicate, .superseded: hearing.known += 1
                case .refused: break
                }
                if case .accepted(let report, let previous) = admission, previous?.substance != report.substance {
                    state.urgent = state.store.cursor
                    moved = true
                }
            }
            if let peer, let latest = state.store.entries[peer], !latest.isRestored,
                now - latest.heardAt < state.settings.plan.interval * Self.silentIntervals
            {
                hearing.isOfPeer = batch.items.contains { $0.signed == latest.signed }
            }
            return takeDue(&state, now: now)
        }
        for answer in due { answer() }
        if moved { changed() }
        return hearing
    }

    /// Takes what an earlier process had heard. Reports that no key of ours signed are left out.
    ///
    /// - Returns: how many were taken.
    package func restore(_ reports: [SignedReport]) -> Int {
        let now = clock.now
        return state.withLock { state in
            let settings = state.settings
            return reports.count { signed in
                guard settings.keyring?.verifies(signed) == true, let report = try? ReportCodec.decode(signed.bytes)
                else { return false }
                return state.store.restore(
                    signed, report, tiers: settings.tiers, limits: settings.limits, now: now)
            }
        }
    }

    /// After a standstill: what peers said before it says nothing until they are heard again.
    package func doubt(before end: Timestamp) { state.withLock { $0.store.doubt(before: end) } }

    private func admit(
        _ item: ReportBatch.Item, in state: inout State, now: Timestamp
    ) -> ReportStore.Admission {
        let settings = state.settings
        if item.signed.bytes.count > settings.limits.size { return .refused(.tooLarge) }
        guard let keyring = settings.keyring, keyring.verifies(item.signed) else { return .refused(.signature) }
        let report: Report
        do { report = try ReportCodec.decode(item.signed.bytes) } catch { return .refused(error) }
        let admission = state.store.admit(
            item.signed, report, tiers: settings.tiers, limits: settings.limits, clockSkew: settings.plan.clockSkew,
            heardAt: now - item.age, wall: timeOfDay.nearest(to: report.issuedAt))
        if case .accepted = admission { timeOfDay.heard(report.node, issuedAt: report.issuedAt, age: item.age) }
        if admission == .refused(.impostor) { refute(report, in: &state, now: now) }
        return admission
    }

    /// Somebody holds a report in our name that would win over ours: an earlier life with a clock ahead of today's. Our
    /// next report is made to win. At most once per interval, or two processes with one name would race each other.
    private func refute(_ report: Report, in state: inout State, now: Timestamp) {
        if let last = state.refutedAt, now - last < state.settings.plan.interval { return }
        state.refutedAt = now
        state.incarnation = max(state.incarnation, report.incarnation + 1)
        state.sequence = 0
        guard let own = state.published else { return }
        publish(Content(own), isNews: true, in: &state, now: now)
    }

    // MARK: - Answering

    /// Answers a peer's poll: at once when there is urgent news after `since`, with heartbeats when some were gathered,
    /// with nothing after `wait`.
    package func poll(
        from node: String, since: UInt64, wait: Duration, reply: @escaping @Sendable (ReportBatch) -> Void
    ) {
        let now = clock.now
        let due = state.withLock { state in
            let poll = Poll(
                node: node, since: since > state.store.cursor ? 0 : since,
                earliest: now + state.settings.plan.interval / 2, deadline: state.released ? now : now + wait,
                reply: reply)
            state.polls[state.nextPoll] = poll
            state.nextPoll += 1
            state.pollers[node] = (poll.since, now)
            var due = takeDue(&state, now: now)
            let waiting = state.polls.filter { $0.value.node == node }.keys.sorted()
            for id in waiting.dropLast(Self.pollsPerNode) { due.append(answer(id, in: &state, now: now)) }
            return due
        }
        for answer in due { answer() }
    }

    package func countRefusedPoll() { state.withLock { $0.counters.pollsRefused += 1 } }

    /// Answers the polls whose time has come. Call it every 100 ms or so.
    package func tick() {
        let now = clock.now
        let due = state.withLock { takeDue(&$0, now: now) }
        for answer in due { answer() }
    }

    /// Peers that asked for news lately.
    package func pollers(within time: Duration) -> Set<String> {
        let now = clock.now
        return state.withLock { state in
            Set(state.pollers.filter { _, poller in now - poller.at <= time }.keys)
        }
    }

    /// Whether each of `nodes` has come back for what follows `cursor`, which proves that it has what stands before.
    package func delivered(_ cursor: UInt64, to nodes: Set<String>) -> Bool {
        state.withLock { state in nodes.allSatisfy { state.pollers[$0]?.since ?? 0 >= cursor } }
    }

    /// Answers all polls with what there is, from now on without waiting: the node is going.
    package func release() {
        let now = clock.now
        let due = state.withLock { state in
            state.released = true
            return state.polls.keys.map { answer($0, in: &state, now: now) }
        }
        for answer in due { answer() }
    }

    private typealias Answer = @Sendable () -> Void

    private func takeDue(_ state: inout State, now: Timestamp) -> [Answer] {
        let due = state.polls.filter { _, poll in
            state.urgent > poll.since || now >= poll.deadline
                || (state.store.cursor > poll.since && (poll.since == 0 || now >= poll.earliest))
        }
        return due.keys.map { answer($0, in: &state, now: now) }
    }

    private func answer(_ id: UInt64, in state: inout State, now: Timestamp) -> Answer {
        guard let poll = state.polls.removeValue(forKey: id) else { return {} }
        let items = state.store.changes(since: poll.since).map { entry in
            ReportBatch.Item(signed: entry.signed, age: max(.zero, now - entry.heardAt))
        }
        state.counters.pollsAnswered += 1
        let batch = ReportBatch(node: name, cursor: state.store.cursor, items: items)
        return { poll.reply(batch) }
    }
}

extension FederationHub.Counters {
    fileprivate mutating func count(_ admission: ReportStore.Admission) {
        switch admission {
        case .accepted: accepted += 1
        case .duplicate: duplicates += 1
        case .superseded: superseded += 1
        case .refused(let refusal): refused[refusal, default: 0] += 1
        }
    }
}

extension FederationHub.Content {
    init(_ report: Report) {
        self.init(
            state: report.state, configuration: report.configuration, pools: report.pools,
            observations: report.observations, rate: report.rate, overrides: report.overrides,
            roundTrips: report.roundTrips, timelines: report.timelines)
    }
}
