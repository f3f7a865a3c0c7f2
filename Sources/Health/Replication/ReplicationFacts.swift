import Model

/// What a PostgreSQL server says of its place in replication, read from the text of its answers. Nothing in them is taken
/// for granted: what is missing, NULL, too long or absurd is nil here.
package struct ReplicationFacts: Sendable, Hashable {
    /// The columns of one row in text format; a column is nil when it is NULL.
    package typealias Row = [[UInt8]?]

    /// How a replica gets its log.
    package enum Receiver: Sendable, Hashable {
        /// The server did not say.
        case unknown
        /// No process receives it: the primary cannot be reached, or the log comes from an archive.
        case gone
        /// Connected. `end` is where the sender's log ended when it was last heard; nil when the check's user may not know.
        case connected(end: UInt64?)
    }

    package var isReplica: Bool
    /// Where a primary's log ends.
    package var written: UInt64?
    /// How far a replica has received and replayed it.
    package var received: UInt64?
    package var replayed: UInt64?
    /// Since the last transaction that a replica replayed was committed, by the servers' clocks.
    package var sinceReplay: Duration?
    /// Counts promotions in a cluster's history.
    package var timeline: UInt32?
    /// The same in all servers that descend from one initdb.
    package var system: UInt64?
    package var receiver = Receiver.unknown

    package init(
        isReplica: Bool, written: UInt64? = nil, received: UInt64? = nil, replayed: UInt64? = nil,
        sinceReplay: Duration? = nil, timeline: UInt32? = nil, system: UInt64? = nil, receiver: Receiver = .unknown
    ) {
        self.isReplica = isReplica
        self.written = written
        self.received = received
        self.replayed = replayed
        self.sinceReplay = sinceReplay
        self.timeline = timeline
        self.system = system
        self.receiver = receiver
    }

    // MARK: - Asking

    /// Queries and the readers of their answers stand side by side. Everything is qualified and no operator or cast is
    /// used, so that nothing that a user of the database defined is ever run. They are separate because a server may
    /// refuse one of them: only the first is needed.
    package static let questions = [
        """
        SELECT pg_catalog.pg_is_in_recovery(), \
        CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL ELSE pg_catalog.pg_current_wal_lsn() END, \
        CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL \
        ELSE pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()) END, \
        pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn(), \
        pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()), \
        pg_catalog.date_part('epoch', pg_catalog.pg_last_xact_replay_timestamp())
        """,
        """
        SELECT c.timeline_id, s.system_identifier \
        FROM pg_catalog.pg_control_checkpoint() AS c, pg_catalog.pg_control_system() AS s
        """,
        "SELECT r.pid, r.latest_end_lsn FROM pg_catalog.pg_stat_wal_receiver AS r",
    ]

    /// `answers` are for each of `questions` its rows; nil where the server refused. Rows of any shape will do. Nil when the
    /// first answer does not say whether the server is a replica.
    package init?(answers: [[Row]?]) {
        func rows(_ index: Int) -> [Row]? { index < answers.count ? answers[index] : nil }
        guard let row = rows(0)?.first, let recovery = Self.text(row, 0), recovery == "t" || recovery == "f" else {
            return nil
        }
        isReplica = recovery == "t"
        written = Self.position(row, 1)
        received = Self.position(row, 3)
        replayed = Self.position(row, 4)
        if let now = Self.text(row, 5).flatMap({ Double($0) }), let last = Self.text(row, 6).flatMap({ Double($0) }) {
            // Not of `max(0, now - last)`, which makes 0 of what is no number.
            sinceReplay = Duration(checkedSeconds: now - last).map { max(.zero, $0) }
        }
        let control = rows(1)?.first ?? []
        // The checkpoint of a promoted server comes late; the name of the file that it writes to is there at once.
        timeline =
            Self.text(row, 2).flatMap { $0.utf8.count == 24 ? UInt32($0.prefix(8), radix: 16) : nil }
            ?? Self.text(control, 0).flatMap { UInt32($0) }
        system = Self.text(control, 1).flatMap { UInt64($0) }
        if let receivers = rows(2) {
            let row = receivers.first ?? []
            receiver = Self.text(row, 0) == nil ? .gone : .connected(end: Self.position(row, 1))
        }
    }

    private static func text(_ row: Row, _ column: Int) -> String? {
        guard column < row.count, let octets = row[column], octets.count <= 64 else { return nil }
        return String(decoding: octets, as: UTF8.self)
    }

    /// A position in the write-ahead log: `16/B374D848`.
    private static func position(_ row: Row, _ column: Int) -> UInt64? {
        guard let text = text(row, column) else { return nil }
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, let high = UInt32(halves[0], radix: 16), let low = UInt32(halves[1], radix: 16) else {
            return nil
        }
        return UInt64(high) << 32 | UInt64(low)
    }
}
