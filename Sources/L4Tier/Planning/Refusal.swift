import Model
import StreamWire

/// What a client is told when no endpoint can take it.
enum Refusal {
    /// The ErrorResponse for pools whose check speaks PostgreSQL; nil for others, whose clients get a reset.
    static func message(pool: Pool, role: Role, region: String) -> [UInt8]? {
        guard case .postgresql = pool.check?.probe else { return nil }
        let wanted = role == .any ? "server" : role.rawValue
        return PostgreSQLError.cannotConnectNow(
            "no \(wanted) of \(pool.name) is available in \(region)",
            hint: "Every \(wanted) is down, draining or beyond its replication lag; try again soon."
        ).encoded
    }
}
