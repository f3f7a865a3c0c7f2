import Model
import StreamWire

/// Logs in on a PostgreSQL server without giving the password away: it answers SCRAM-SHA-256, md5 only where the topology
/// allows it, and a request for the password in clear never.
///
/// libpq 15 answers whatever a server asks for, reads messages of a gigabyte and hashes as many rounds as the server likes,
/// within one call. This is the small part of the protocol that a check needs, with bounds.
struct PostgreSQLLogin {
    let address: SocketAddress
    let settings: PostgreSQLProbe
    let waiter: SocketWaiter
    /// Nil when there is none.
    let password: String?
    let memory: ScramExchange.Memory

    func connect(until deadline: ContinuousClock.Instant) async throws(ProbeFailure) -> ServerConnection {
        let connection = try await ServerConnection(address, waiter, until: deadline)
        if let trust = settings.trust(address.address) {
            let isEncrypted = try await connection.encrypt(trust, until: deadline)
            guard isEncrypted || settings.tls == .prefer else {
                throw ProbeFailure("it has no TLS, which sslmode: \(settings.tls.rawValue) asks for")
            }
        }
        let startup = PostgreSQLRequest.startup([
            ("user", settings.user), ("database", settings.database), ("application_name", "meridian-probe"),
        ])
        try await connection.send(startup, until: deadline)
        try await authenticate(on: connection, until: deadline)
        connection.isLoggedIn = true
        return connection
    }

    private func authenticate(
        on connection: ServerConnection, until deadline: ContinuousClock.Instant
    ) async throws(ProbeFailure) {
        var scram: ScramExchange?
        var isVerified = false
        while true {
            switch try await connection.next(until: deadline) {
            case .authentication(let kind, let data):
                switch kind {
                case 0:
                    // A server that began SCRAM and then lets us in has not shown that it knows the password.
                    guard scram == nil || isVerified else { throw ProbeFailure("it broke its SCRAM exchange off") }
                case 3: throw ProbeFailure("it asks for the password in clear, which is never given")
                case 5:
                    guard settings.allowsMD5 else {
                        throw ProbeFailure("it asks for an md5 password: use scram-sha-256, or md5: true in the check")
                    }
                    guard data.count == 4, scram == nil else { throw Self.malformed }
                    let words = MD5Answer.text(user: settings.user, password: try known(), salt: data)
                    try await connection.send(PostgreSQLRequest.password(words), until: deadline)
                case 10:
                    let mechanisms = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
                    guard mechanisms.contains(ScramExchange.mechanism), scram == nil else {
                        throw ProbeFailure("it offers no \(ScramExchange.mechanism)")
                    }
                    let exchange = ScramExchange(password: try known(), nonce: ScramExchange.randomNonce())
                    scram = exchange
                    try await connection.send(
                        PostgreSQLRequest.saslInitial(mechanism: ScramExchange.mechanism, exchange.opening),
                        until: deadline)
                case 11:
                    guard var exchange = scram, !isVerified else { throw Self.malformed }
                    let answer: [UInt8]
                    do throws(ScramExchange.Refusal) {
                        answer = try await exchange.answer(data, memory: memory, until: deadline)
                    } catch { throw ProbeFailure("\(error)") }
                    scram = exchange
                    try await connection.send(PostgreSQLRequest.saslResponse(answer), until: deadline)
                case 12:
                    guard let exchange = scram else { throw Self.malformed }
                    do throws(ScramExchange.Refusal) {
                        try exchange.verify(data)
                    } catch { throw ProbeFailure("\(error)") }
                    isVerified = true
                default: throw ProbeFailure("it asks for a login of kind \(kind), which a check does not know")
                }
            case .ready: return
            case .error(let complaint): throw ProbeFailure(complaint)
            case .detail, .unasked: break
            case .row, .completed, .unexpected: throw Self.malformed
            }
        }
    }

    private func known() throws(ProbeFailure) -> String {
        guard let password else { throw ProbeFailure("it asks for a password, and the check has none") }
        return password
    }

    private static let malformed = ProbeFailure("what it says is not PostgreSQL's protocol")
}

extension PostgreSQLProbe {
    /// Whom to believe to be the server at `address`; nil when TLS is not wanted.
    func trust(_ address: IPAddress) -> TLSChannel.Trust? {
        switch tls {
        case .disable: nil
        case .prefer, .require: .anybody
        case .verifyCA: .certificate(roots: roots)
        case .verifyFull: .name(host, address, roots: roots)
        }
    }
}
