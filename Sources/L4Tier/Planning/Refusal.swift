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
            hint: "Every \(wanted) is down, draining or out after failures; try again soon."
        ).encoded
    }

    /// The same when this node cannot open a connection: 53000 insufficient_resources, so that nobody looks for the
    /// trouble in the database.
    static func exhausted(pool: Pool) -> [UInt8]? {
        guard case .postgresql = pool.check?.probe else { return nil }
        return PostgreSQLError(
            state: "53000", message: "the balancer before \(pool.name) is out of descriptors or ports",
            hint: "Its operator can raise the limit on open files; try again soon."
        ).encoded
    }

    /// What an established session is told when this node stops: 57P01 admin_shutdown, after which clients connect anew.
    static func stopping(pool: Pool) -> [UInt8]? {
        guard case .postgresql = pool.check?.probe else { return nil }
        return PostgreSQLError(
            state: "57P01", message: "the balancer before \(pool.name) is being stopped",
            hint: "Connect again; a transaction that was open is rolled back."
        ).encoded
    }

    /// Terminate, by which a client takes its leave of a server.
    static let terminate: [UInt8] = [UInt8(ascii: "X"), 0, 0, 0, 4]
}
