import Engine
import Federation
import Health
package import Model
import Synchronization

/// Reads the state file at boot and keeps it true while the node runs: at most once a second when something changed, at once
/// when a database told a later timeline, at least once a minute, and at the stop. Writing happens on a thread of its own, because a disk may take its time.
package final class StateKeeper: Sendable {
    package struct Counters: Sendable, Hashable {
        package var writes: UInt64 = 0
        package var failures: UInt64 = 0
        /// Octets of the last file.
        package var size = 0
        package var writtenAt: Timestamp?
        /// Why the last write failed; empty when it did not.
        package var trouble = ""
    }

    private struct State {
        var file: StateFile?
        var counters = Counters()
        var isWriting = false
        /// What was handed to the last write, without what changes all the time.
        var substance: Substance?
        /// What was handed to the last write, whatever came of it.
        var timelines: [ClusterTimeline] = []
        var lookedAt: Timestamp?
        var handedAt: Timestamp?
        /// A successor may have the file by now.
        var isHandedOver = false
    }

    /// What makes a new file worth writing.
    private struct Substance: Equatable {
        let verdicts: [RememberedVerdict]
        let overrides: [Override]
        let reports: [String: Report]
        let timelines: [ClusterTimeline]
    }

    /// Between two writes.
    static let least = Duration.seconds(1)
    /// After which the file is written though nothing happened, so that its reports' numbers stay near.
    static let most = Duration.seconds(60)

    private let node: String
    private let events: EventLog
    private let lock: StateLock?
    private let state: Mutex<State>

    /// `lock`: the right to write the file; nil where nobody else can be there.
    package init(node: String, path: String?, events: EventLog, lock: StateLock? = nil) {
        self.node = node
        self.events = events
        self.lock = lock
        state = Mutex(State(file: path.map(StateFile.init)))
    }

    package var counters: Counters { state.withLock { $0.counters } }
    package var path: String? { state.withLock { $0.file?.path } }

    /// What an earlier process left; nil when there is nothing that can be used, which is told.
    package func load(now: Timestamp) -> SavedState? {
        guard let file = state.withLock({ $0.file }) else { return nil }
        do {
            let saved = try StateCodec.decode(try file.read(limit: StateCodec.limit), node: node)
            let age = max(0, (now - saved.savedAt).milliseconds / 1000)
            let down = saved.verdicts.count { !$0.healthy }
            events.record(
                .node, node,
                "goes on from \(file.path), \(age) s old: \(saved.verdicts.count) verdicts (\(down) down), "
                    + "\(saved.overrides.count) overrides, \(saved.reports.count) reports; stale until confirmed")
            return saved
        } catch {
            refuse(file, error)
            return nil
        }
    }

    private func refuse(_ file: StateFile, _ problem: StateProblem) {
        guard problem != .missing else { return }
        let what = "state file \(file.path) refused, starting without it: \(problem)"
        if problem.isOurs {
            let place = file.putAside().map { "; it is now \($0)" } ?? ""
            events.record(.node, node, what + place, severity: .error)
        } else {
            state.withLock { $0.file = nil }
            events.record(.node, node, what + "; nothing will be saved", severity: .error)
        }
    }

    /// Looks whether there is something to write. Called by the health loop on every pass; cheap between two seconds.
    func pass(
        _ engine: VerdictEngine, _ overrides: OverrideSet, _ entries: [String: ReportStore.Entry],
        _ timelines: TimelineMemory = TimelineMemory(), now: Timestamp
    ) {
        let told = timelines.sorted
        let isDue = state.withLock { state in
            guard state.file != nil, !state.isWriting, !state.isHandedOver else { return false }
            // Who forgets a promotion has a leftover written to: that cannot wait.
            let isUrgent = state.timelines != told
            if let last = state.lookedAt, now - last < Self.least, !isUrgent { return false }
            state.lookedAt = now
            return true
        }
        guard isDue else { return }
        let substance = Self.substance(node, engine, overrides, entries, told)
        let file = state.withLock { state in
            let isOld = state.handedAt.map { now - $0 >= Self.most } ?? true
            guard isOld || state.substance != substance else { return StateFile?.none }
            state.isWriting = true
            state.substance = substance
            state.timelines = told
            state.handedAt = now
            return state.file
        }
        guard let file else { return }
        let saved = Self.saved(node, substance, entries)
        do throws(SocketError) {
            try Thread.start(name: "state") {
                self.write(saved, to: file)
                self.state.withLock { $0.isWriting = false }
            }
        } catch {
            state.withLock { $0.isWriting = false }
            settle(file, trouble: "\(error)")
        }
    }

    /// Writes what there is and lets a successor have the file.
    func handOver(
        _ engine: VerdictEngine, _ overrides: OverrideSet, _ entries: [String: ReportStore.Entry],
        _ timelines: TimelineMemory = TimelineMemory()
    ) async {
        await finish(engine, overrides, entries, timelines)
        state.withLock { $0.isHandedOver = true }
        // A write that takes longer than anybody waits for keeps the file; the process's end gives it back.
        if !state.withLock({ $0.isWriting }) { lock?.release() }
    }

    /// Writes what there is, after a write that is under way, and returns when it is on the disk. What a successor has taken
    /// over is left to it.
    func finish(
        _ engine: VerdictEngine, _ overrides: OverrideSet, _ entries: [String: ReportStore.Entry],
        _ timelines: TimelineMemory = TimelineMemory()
    ) async {
        guard lock?.retake() ?? true else { return }
        let deadline = ContinuousClock.now + .seconds(2)
        while state.withLock({ $0.isWriting }), ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(5))
        }
        guard let file = state.withLock({ $0.isWriting ? nil : $0.file }) else { return }
        let substance = Self.substance(node, engine, overrides, entries, timelines.sorted)
        write(Self.saved(node, substance, entries), to: file)
    }

    private static func substance(
        _ node: String, _ engine: VerdictEngine, _ overrides: OverrideSet, _ entries: [String: ReportStore.Entry],
        _ timelines: [ClusterTimeline]
    ) -> Substance {
        // Our own reports begin anew with each process.
        let reports = entries.filter { $0.key != node }.mapValues(\.report.substance)
        return Substance(
            verdicts: engine.remembered, overrides: overrides.all, reports: reports, timelines: timelines)
    }

    private static func saved(
        _ node: String, _ substance: Substance, _ entries: [String: ReportStore.Entry]
    ) -> SavedState {
        SavedState(
            node: node, savedAt: Timestamp(milliseconds: Timestamp.now.milliseconds), verdicts: substance.verdicts,
            overrides: substance.overrides,
            reports: entries.filter { $0.key != node }.sorted { $0.key < $1.key }.map {
                SavedState.Heard(signed: $0.value.signed, heardAt: $0.value.heardAt)
            }, timelines: substance.timelines)
    }

    private func write(_ saved: SavedState, to file: StateFile) {
        var trouble = ""
        var size = 0
        do {
            let bytes = try StateCodec.encode(saved)
            size = bytes.count
            try file.replace(with: bytes)
        } catch {
            trouble = "\(error)"
        }
        settle(file, trouble: trouble, size: size, savedAt: saved.savedAt)
    }

    /// Counts an attempt to write, and tells when its outcome is another than that of the one before.
    private func settle(_ file: StateFile, trouble: String, size: Int = 0, savedAt: Timestamp? = nil) {
        let isNew = state.withLock { state in
            let isNew = state.counters.trouble != trouble
            state.counters.trouble = trouble
            if trouble.isEmpty {
                state.counters.writes += 1
                state.counters.size = size
                state.counters.writtenAt = savedAt
            } else {
                state.counters.failures += 1
                // Tried again at the next look.
                state.substance = nil
            }
            return isNew
        }
        if isNew {
            events.record(
                .node, node,
                trouble.isEmpty
                    ? "state is saved in \(file.path) again" : "state cannot be saved in \(file.path): \(trouble)",
                severity: trouble.isEmpty ? .notice : .error)
        }
    }
}
