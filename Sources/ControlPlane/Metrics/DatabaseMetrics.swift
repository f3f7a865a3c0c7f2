import Health
import Model

/// The families `meridian_database_…`: what replication says of the databases that this node checks.
enum DatabaseMetrics {
    static func add(_ databases: [DatabaseStanding], to text: inout MetricsText) {
        for each in databases {
            let endpoint = "\(each.address)"
            for role in ["primary", "replica"] {
                text.gauge(
                    "meridian_database_role", help: "1 for what the server calls itself.",
                    labels: ["pool": each.pool, "endpoint": endpoint, "role": role], each.role == role ? 1 : 0)
            }
            let labels: MetricsText.Labels = ["pool": each.pool, "endpoint": endpoint]
            text.gauge(
                "meridian_database_written_to", help: "1 for the primary that takes the writes of its pool.",
                labels: labels, each.standing == .writer ? 1 : 0)
            var isFenced = false
            if case .fenced = each.standing { isFenced = true }
            text.gauge(
                "meridian_database_fenced",
                help: "1 for a primary that is not written to, because another one is later.",
                labels: labels, isFenced ? 1 : 0)
            if let timeline = each.timeline {
                text.gauge(
                    "meridian_database_timeline", help: "Promotions in the server's history, plus 1.", labels: labels,
                    Double(timeline))
            }
            guard case .replica(let lag, let isLate) = each.standing else { continue }
            text.gauge(
                "meridian_database_late", help: "1 for a replica further behind than its check allows.",
                labels: labels, isLate ? 1 : 0)
            guard let lag else { continue }
            text.gauge(
                "meridian_database_lag_seconds", help: "How long a replica has lacked what the primary has.",
                labels: labels, Double(lag.time.nanoseconds) / 1e9)
            if let octets = lag.octets {
                text.gauge(
                    "meridian_database_lag_bytes", help: "Octets of the primary's log that a replica has not replayed.",
                    labels: labels, Double(octets))
            }
        }
        for (pool, members) in Dictionary(grouping: databases, by: \.pool).sorted(by: { $0.key < $1.key }) {
            text.gauge(
                "meridian_database_primaries",
                help: "Servers of a pool that call themselves primary. More than 1 is wrong.",
                labels: ["pool": pool], Double(members.count { $0.role == "primary" }))
        }
    }
}

extension DatabaseStanding {
    fileprivate var role: String? {
        switch standing {
        case .none: nil
        case .writer, .fenced: "primary"
        case .replica: "replica"
        }
    }
}
