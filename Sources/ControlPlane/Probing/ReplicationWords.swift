import Health
import Model

/// How a database's place in replication reads in events, `/status` and reports.
enum ReplicationWords {
    static func late(_ lag: Lag?, _ limit: Duration?) -> String {
        let allowed = limit.map { ", allowed \($0.milliseconds) ms" } ?? ""
        guard let lag else { return "replica, nobody knows how far behind" + allowed }
        return "replica \(lag.time.milliseconds) ms behind" + allowed
    }

    /// Nil when the check's own words say it all.
    static func trouble(_ standing: ReplicationGroup.Standing, _ limit: Duration?, pool: String) -> String? {
        switch standing {
        case .none, .writer, .replica(_, isLate: false): nil
        case .fenced(.pastTimeline(let own?, let highest)):
            "\(ReplicationGroup.Reason.pastTimeline(own, than: highest)): not written to; if it is right nevertheless:"
                + " meridianctl accept-timeline NODE --pool \(pool) --timeline \(own)"
        case .fenced(let reason): "\(reason): not written to"
        case .replica(let lag, isLate: true): late(lag, limit)
        }
    }
}
