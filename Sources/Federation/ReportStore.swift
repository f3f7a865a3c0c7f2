package import Model

/// The latest report of every node, merged last-writer-wins by (incarnation, sequence): idempotent, commutative,
/// associative, whatever the order and however often reports arrive. Bounded by the topology: strangers are refused.
package struct ReportStore: Sendable {
    package struct Entry: Sendable, Hashable {
        package let signed: SignedReport
        package let report: Report
        /// When this report was news, by our clock: its arrival, less the time that it had lain at whoever relayed it.
        package let heardAt: Timestamp
        /// Position in the order in which this store took reports; what a poller asks `since`.
        package let cursor: UInt64
        /// From before a restart, not heard since.
        package let isRestored: Bool
    }

    package enum Admission: Sendable, Hashable {
        /// It is newer than what we had. The first report of a node has no `previous`.
        case accepted(Report, previous: Report?)
        case duplicate
        /// Something newer is known: a replay, or a slower path.
        case superseded
        case refused(Refusal)
    }

    package private(set) var entries: [String: Entry] = [:]
    /// The cursor of the latest change. Starts above zero, so that `since=0` means everything.
    package private(set) var cursor: UInt64
    private let own: String

    /// - Parameters:
    ///   - own: this node's name; reports in its name are only taken by `publish`.
    ///   - start: the first cursor; larger than any of an earlier process (its start in milliseconds), so that a poller
    ///     that knew the earlier one misses nothing.
    package init(own: String, start: UInt64) {
        self.own = own
        cursor = start
    }

    /// Takes our own report.
    package mutating func publish(_ signed: SignedReport, _ report: Report, now: Timestamp) {
        insert(signed, report, heardAt: now)
    }

    /// Takes a peer's report whose signature was verified. `tiers` are the nodes of the topology, `heardAt` is when the
    /// report was news, `wall` our wall clock, to compare with the author's.
    package mutating func admit(
        _ signed: SignedReport, _ report: Report, tiers: [String: Tier], limits: ReportLimits, clockSkew: Duration,
        heardAt: Timestamp, wall: Timestamp
    ) -> Admission {
        if signed.bytes.count > limits.size { return .refused(.tooLarge) }
        guard report.isAcceptable(limits) else { return .refused(.malformed) }
        guard let tier = tiers[report.node] else { return .refused(.unknownNode) }
        guard tier == report.tier else { return .refused(.wrongTier) }
        let distance = wall - report.issuedAt
        // An incarnation is a time too: one from the future would outlive every honest restart.
        guard distance <= clockSkew, distance >= .zero - clockSkew,
            report.incarnation <= UInt64(clamping: (wall + clockSkew).milliseconds)
        else { return .refused(.outOfTime) }

        if let entry = entries[report.node] {
            switch Self.order(report, signed, entry) {
            case .older: return report.node == own ? .duplicate : .superseded
            // It stays as old as it was: hearing it again makes nobody fresh.
            case .same where !entry.isRestored: return .duplicate
            case .same: break
            case .newer: break
            }
        }
        if report.node == own { return .refused(.impostor) }
        let previous = entries[report.node]
        // A node that was heard has not fallen silent because somebody passes on its next report late, or says so.
        let latest = previous.map { $0.isRestored ? heardAt : max(heardAt, $0.heardAt) } ?? heardAt
        insert(signed, report, heardAt: latest)
        return .accepted(report, previous: previous?.report)
    }

    /// Takes what an earlier process of this node had heard, its signature verified: it counts from `now` on, as awaited, and
    /// keeps older reports out. Peers are not told of it.
    ///
    /// - Returns: whether it was taken.
    @discardableResult
    package mutating func restore(
        _ signed: SignedReport, _ report: Report, tiers: [String: Tier], limits: ReportLimits, now: Timestamp
    ) -> Bool {
        guard report.node != own, entries[report.node] == nil, signed.bytes.count <= limits.size,
            report.isAcceptable(limits), tiers[report.node] == report.tier
        else { return false }
        entries[report.node] = Entry(signed: signed, report: report, heardAt: now, cursor: 0, isRestored: true)
        return true
    }

    /// After a standstill that ended at `end`: what was heard before counts from then on as awaited, like what an earlier process
    /// had heard, and nobody is told of it. Nobody was silent only because this node did not listen.
    package mutating func doubt(before end: Timestamp) {
        for (name, entry) in entries where name != own && entry.heardAt < end {
            entries[name] = Entry(
                signed: entry.signed, report: entry.report, heardAt: end, cursor: 0, isRestored: true)
        }
    }

    /// What changed after `cursor`, oldest first. A cursor from another life of this store asks for everything.
    package func changes(since: UInt64) -> [Entry] {
        let since = since > cursor ? 0 : since
        return entries.values.filter { $0.cursor > since }.sorted { $0.cursor < $1.cursor }
    }

    /// Forgets nodes that a new topology no longer has.
    package mutating func keep(_ nodes: Set<String>) {
        entries = entries.filter { nodes.contains($0.key) || $0.key == own }
    }

    private mutating func insert(_ signed: SignedReport, _ report: Report, heardAt: Timestamp) {
        cursor += 1
        entries[report.node] = Entry(
            signed: signed, report: report, heardAt: heardAt, cursor: cursor, isRestored: false)
    }

    private enum Order {
        case older
        case same
        case newer
    }

    private static func order(_ report: Report, _ signed: SignedReport, _ entry: Entry) -> Order {
        let new = (report.incarnation, report.sequence)
        let old = (entry.report.incarnation, entry.report.sequence)
        if new != old { return new < old ? .older : .newer }
        if signed.bytes == entry.signed.bytes { return .same }
        // One author, one number, two contents: a broken node. Any fixed choice keeps all stores alike.
        return signed.bytes.lexicographicallyPrecedes(entry.signed.bytes) ? .older : .newer
    }
}
