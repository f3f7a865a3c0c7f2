import CPostgres
import Engine
import Glibc
import Model

/// A login on one PostgreSQL server that asks for its role and replication lag. The connection stays open between probes:
/// a probe then is one round trip, and the server's death shows at once as the end of the stream.
///
/// Confined to the task that probes this target.
@safe
final class PostgreSQLSession {
    /// The role, and how many seconds a replica's data is behind. A replica that has replayed all that it received is
    /// level with an idle primary, although its last transaction may be hours old.
    private static let question = """
        SELECT pg_is_in_recovery(), CASE WHEN NOT pg_is_in_recovery() \
        OR pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn() THEN 0 \
        ELSE greatest(0, extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())) END
        """

    private let address: SocketAddress
    private let settings: PostgreSQLProbe
    private let secret: @Sendable (Secret) -> String?
    private let waiter: SocketWaiter
    private var connection: OpaquePointer?

    init(
        _ address: SocketAddress, _ settings: PostgreSQLProbe, waiter: SocketWaiter,
        secret: @escaping @Sendable (Secret) -> String?
    ) {
        self.address = address
        self.settings = settings
        self.waiter = waiter
        self.secret = secret
    }

    deinit { disconnect() }

    /// Logs in if need be and asks. After a failure the next probe logs in anew.
    func probe(timeout: Duration) async -> ProbeOutcome {
        let start = ContinuousClock.now
        let deadline = start + timeout
        do throws(Failure) {
            if unsafe connection == nil { try await connect(until: deadline) }
            let answer = try await ask(until: deadline)
            return outcome(answer, latency: start.duration(to: .now))
        } catch {
            disconnect()
            let latency = start.duration(to: .now)
            if let shortage = Self.shortage(in: error.text) {
                return .missed(shortage, reason: error.text, latency: latency)
            }
            return ProbeOutcome(up: false, reason: error.text, latency: latency)
        }
    }

    /// Waits until `deadline`, watching the idle connection.
    ///
    /// - Returns: why the server ended the connection, if it did; then this returns at once.
    func idle(until deadline: ContinuousClock.Instant) async -> String? {
        while let open = unsafe connection {
            guard unsafe await waiter.wait(PQsocket(open), for: .readable, until: deadline) else { break }
            // Parameter changes and notices arrive unasked as well.
            if unsafe PQconsumeInput(open) == 1, unsafe PQstatus(open) == CONNECTION_OK { continue }
            let text = unsafe message(open)
            disconnect()
            return text
        }
        try? await ContinuousClock().sleep(until: deadline)
        return nil
    }

    func disconnect() {
        if let open = unsafe connection { unsafe PQfinish(open) }
        unsafe connection = nil
    }

    // MARK: - Protocol

    private struct Failure: Error {
        let text: String
    }

    private struct Answer {
        let recovering: Bool
        let lag: Duration?
    }

    private func connect(until deadline: ContinuousClock.Instant) async throws(Failure) {
        var parameters = [
            ("hostaddr", "\(address.address)"), ("port", "\(address.port)"), ("user", settings.user),
            ("dbname", settings.database), ("application_name", "meridian-probe"),
            // Kerberos encryption would cost a round trip for nothing.
            ("gssencmode", "disable"),
        ]
        if let password = settings.password {
            guard let text = secret(password) else { throw Failure(text: "the password cannot be read") }
            parameters.append(("password", text))
        }
        guard let open = unsafe Self.start(parameters) else { throw Failure(text: "libpq is out of memory") }
        unsafe connection = unsafe open
        // Without this libpq writes the server's notices to standard error.
        unsafe PQsetNoticeProcessor(open, { _, _ in }, nil)
        guard unsafe PQstatus(open) != CONNECTION_BAD else { throw Failure(text: unsafe message(open)) }
        var step = PGRES_POLLING_WRITING
        while step != PGRES_POLLING_OK {
            guard step != PGRES_POLLING_FAILED else { throw Failure(text: unsafe message(open)) }
            let interest: SocketWaiter.Interest = step == PGRES_POLLING_WRITING ? .writable : .readable
            guard unsafe await waiter.wait(PQsocket(open), for: interest, until: deadline) else {
                throw Failure(text: "login timed out")
            }
            step = unsafe PQconnectPoll(open)
        }
        unsafe PQsetnonblocking(open, 1)
    }

    private static func start(_ parameters: [(String, String)]) -> OpaquePointer? {
        var names: [UnsafePointer<CChar>?] = unsafe parameters.map { unsafe UnsafePointer(strdup($0.0)) } + [nil]
        var values: [UnsafePointer<CChar>?] = unsafe parameters.map { unsafe UnsafePointer(strdup($0.1)) } + [nil]
        defer {
            while let text = unsafe names.popLast() { unsafe free(UnsafeMutablePointer(mutating: text)) }
            while let text = unsafe values.popLast() { unsafe free(UnsafeMutablePointer(mutating: text)) }
        }
        return unsafe PQconnectStartParams(names, values, 0)
    }

    private func ask(until deadline: ContinuousClock.Instant) async throws(Failure) -> Answer {
        guard let open = unsafe connection else { throw Failure(text: "not connected") }
        guard unsafe PQsendQuery(open, Self.question) == 1 else { throw Failure(text: unsafe message(open)) }
        while unsafe PQflush(open) == 1 {
            guard unsafe await waiter.wait(PQsocket(open), for: .writable, until: deadline) else {
                throw Failure(text: "query timed out")
            }
        }
        var answer: Answer?
        while true {
            while unsafe PQisBusy(open) == 1 {
                guard unsafe await waiter.wait(PQsocket(open), for: .readable, until: deadline) else {
                    throw Failure(text: "query timed out")
                }
                guard unsafe PQconsumeInput(open) == 1 else { throw Failure(text: unsafe message(open)) }
            }
            guard let result = unsafe PQgetResult(open) else { break }
            defer { unsafe PQclear(result) }
            guard unsafe PQresultStatus(result) == PGRES_TUPLES_OK, unsafe PQntuples(result) == 1 else {
                throw Failure(text: unsafe message(open))
            }
            let lag = unsafe PQgetisnull(result, 0, 1) == 1 ? nil : Double(String(cString: PQgetvalue(result, 0, 1)))
            answer = Answer(
                recovering: unsafe PQgetvalue(result, 0, 0).pointee == CChar(UInt8(ascii: "t")),
                lag: lag.map { .milliseconds(Int64($0 * 1000)) })
        }
        guard let answer else { throw Failure(text: "no answer to the role query") }
        return answer
    }

    private func outcome(_ answer: Answer, latency: Duration) -> ProbeOutcome {
        guard answer.recovering else {
            return ProbeOutcome(up: true, role: .primary, reason: "primary", latency: latency)
        }
        guard let limit = settings.maximumLag else {
            return ProbeOutcome(up: true, role: .replica, lag: answer.lag, reason: "replica", latency: latency)
        }
        guard let lag = answer.lag else {
            return ProbeOutcome(up: false, role: .replica, reason: "replica with an unknown lag", latency: latency)
        }
        let up = lag <= limit
        let reason = up ? "replica" : "replica \(lag.milliseconds) ms behind, allowed \(limit.milliseconds) ms"
        return ProbeOutcome(up: up, role: .replica, lag: lag, reason: reason, latency: latency)
    }

    /// libpq's last error in one line, without the address that stands beside it anyway:
    /// `connection to server at "127.0.0.1", port 5433 failed: Connection refused` is `connection refused`.
    private func message(_ open: OpaquePointer) -> String {
        Self.brief(unsafe String(cString: PQerrorMessage(open)))
    }

    /// What libpq's message says that we ourselves lack. A server's own words, which begin with a severity, are no news of
    /// us.
    static func shortage(in message: String) -> Shortage? {
        guard !message.hasPrefix("FATAL"), !message.hasPrefix("ERROR") else { return nil }
        if message.hasPrefix("out of memory") || message.hasPrefix("libpq is out of memory") { return .memory }
        return [EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL].first { message.hasSuffix(SocketError.text($0)) }
            .flatMap { Shortage($0) }
    }

    static func brief(_ message: String) -> String {
        var line = message.split(separator: "\n").first.map(String.init) ?? "the connection broke"
        if let range = line.firstRange(of: " failed: ") { line = String(line[range.upperBound...]) }
        return line == "Connection refused" ? "connection refused" : line
    }
}
