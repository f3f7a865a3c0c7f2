import Health
import Model
import StreamWire

/// A login on one PostgreSQL server that asks for its place in replication. The connection stays open between probes: a
/// probe then is one round trip, and the server's death shows at once as the end of the stream.
///
/// Every fifth probe, and every one that follows a failure or a slow answer, logs in anew: the sessions of a server whose
/// postmaster hangs go on answering while nobody else gets in.
///
/// Confined to the task that probes this target.
final class PostgreSQLSession {
    /// too_many_connections: it takes a living server to say so.
    private static let tooManyConnections = "53300"
    private static let probesPerLogin = 5

    private let address: SocketAddress
    private let settings: PostgreSQLProbe
    private let secret: @Sendable (Secret) -> String?
    private let waiter: SocketWaiter
    private var connection: ServerConnection?
    private var probes = 0
    private var isDoubtful = false
    private let memory = ScramExchange.Memory()

    init(
        _ address: SocketAddress, _ settings: PostgreSQLProbe, waiter: SocketWaiter,
        secret: @escaping @Sendable (Secret) -> String?
    ) {
        self.address = address
        self.settings = settings
        self.waiter = waiter
        self.secret = secret
    }

    /// Logs in if need be and asks.
    func probe(timeout: Duration) async -> ProbeOutcome {
        let start = ContinuousClock.now
        let deadline = start + timeout
        let isDue = connection == nil || isDoubtful || probes % Self.probesPerLogin == 0
        probes &+= 1
        var connects = false
        do throws(ProbeFailure) {
            if isDue {
                do throws(ProbeFailure) {
                    connection = try await login().connect(until: deadline)
                    connects = true
                } catch {
                    // The old session still tells the role.
                    let mayStay = error.state == Self.tooManyConnections || error.shortage != nil
                    guard mayStay, connection != nil else { throw error }
                }
            }
            let facts = try await ask(until: deadline)
            let latency = start.duration(to: .now)
            isDoubtful = latency > timeout / 2
            var outcome = ProbeOutcome(
                up: true, role: facts.isReplica ? .replica : .primary, reason: facts.isReplica ? "replica" : "primary",
                latency: latency, replication: facts)
            outcome.connects = connects
            return outcome
        } catch {
            connection = nil
            isDoubtful = true
            if let shortage = error.shortage {
                return .missed(shortage, reason: error.text, latency: start.duration(to: .now))
            }
            let isAlive = error.state == Self.tooManyConnections
            return ProbeOutcome(
                up: isAlive, reason: String(plain: error.text.utf8, atMost: PostgreSQLComplaint.longest),
                latency: start.duration(to: .now), keepsRole: isAlive)
        }
    }

    /// Waits until `deadline`, reading what the server says unasked.
    ///
    /// - Returns: why the connection ended, if it did; then this returns at once.
    func idle(until deadline: ContinuousClock.Instant) async -> String? {
        do throws(ProbeFailure) {
            connection?.renewAllowance()
            while let connection, try await connection.listen(until: deadline) {
                while let message = try connection.arrived() { try Self.checkUnasked(message) }
            }
        } catch {
            connection = nil
            isDoubtful = true
            return String(plain: error.text.utf8, atMost: PostgreSQLComplaint.longest)
        }
        try? await ContinuousClock().sleep(until: deadline)
        return nil
    }

    private func login() throws(ProbeFailure) -> PostgreSQLLogin {
        var password: String?
        if let place = settings.password {
            guard let text = secret(place) else { throw ProbeFailure("the password cannot be read") }
            password = text
        }
        return PostgreSQLLogin(address: address, settings: settings, waiter: waiter, password: password, memory: memory)
    }

    private func ask(until deadline: ContinuousClock.Instant) async throws(ProbeFailure) -> ReplicationFacts {
        guard let connection else { throw ProbeFailure("not connected") }
        connection.renewAllowance()
        try await connection.send(ReplicationFacts.questions.flatMap(PostgreSQLRequest.query), until: deadline)
        var answers: [[ReplicationFacts.Row]?] = []
        var refusal: PostgreSQLComplaint?
        for question in ReplicationFacts.questions.indices {
            var rows: [ReplicationFacts.Row]? = []
            var isOver = false
            while !isOver {
                switch try await connection.next(until: deadline) {
                case .row(let columns):
                    guard rows?.isEmpty ?? false else { throw ProbeFailure("it answers with more than a row") }
                    rows?.append(columns)
                case .error(let complaint):
                    guard !["FATAL", "PANIC"].contains(complaint.severity) else { throw ProbeFailure(complaint) }
                    rows = nil
                    if question == 0 { refusal = complaint }
                case .ready: isOver = true
                case .completed, .detail, .unasked: break
                case .authentication, .unexpected: throw ProbeFailure("what it says is not PostgreSQL's protocol")
                }
            }
            answers.append(rows)
        }
        if let refusal { throw ProbeFailure(refusal) }
        guard let facts = ReplicationFacts(answers: answers) else { throw ProbeFailure("no answer to the role query") }
        return facts
    }

    private static func checkUnasked(_ message: PostgreSQLMessage) throws(ProbeFailure) {
        switch message {
        case .unasked: break
        case .error(let complaint): throw ProbeFailure(complaint)
        default: throw ProbeFailure("it answers what nobody asked")
        }
    }
}
