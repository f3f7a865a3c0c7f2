import ControlPlane
import Model

/// A check of a puppet, with the password that `WatchedDatabase` knows.
func databaseCheck(
    password: Bool = true, md5: Bool = false, tls: PostgreSQLProbe.TLSUse = .prefer,
    interval: Duration = .milliseconds(50), timeout: Duration = .seconds(2), fall: Int = 1
) -> HealthCheck {
    let probe = PostgreSQLProbe(
        user: "u", database: "d", password: password ? .environment("P") : nil, maximumLag: .seconds(5), tls: tls,
        allowsMD5: md5)
    return HealthCheck(probe: .postgresql(probe), interval: interval, timeout: timeout, rise: 1, fall: fall)
}

/// A server that runs a script, and what its checks come to.
struct WatchedDatabase {
    static let password = "correct horse battery staple"

    let puppet: DatabasePuppet
    let reports = Reports()
    private let service: ProbeService<String>

    init(_ check: HealthCheck, _ script: @escaping @Sendable (DatabasePuppet.Peer) -> Void) throws {
        puppet = try DatabasePuppet(script)
        let reports = reports
        service = ProbeService<String>(
            client: HTTPClient(), waiter: try SocketWaiter(), secret: { _ in Self.password }
        ) { _, report in reports.add(report) }
        service.update([ProbeTarget(id: "a", address: puppet.address, check: check)])
    }

    func stop() async {
        await service.stop()
        puppet.stop()
    }
}
