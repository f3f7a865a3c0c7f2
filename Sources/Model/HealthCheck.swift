/// An active check of one endpoint.
package struct HealthCheck: Sendable, Hashable {
    package enum Probe: Sendable, Hashable {
        /// A completed TCP handshake.
        case tcp
        case http(HTTPProbe)
        case postgresql(PostgreSQLProbe)
    }

    package let probe: Probe
    package let interval: Duration
    package let timeout: Duration
    /// Consecutive successes that bring a down endpoint up.
    package let rise: Int
    /// Consecutive failures that take an up endpoint down.
    package let fall: Int

    package init(probe: Probe, interval: Duration, timeout: Duration, rise: Int, fall: Int) {
        self.probe = probe
        self.interval = interval
        self.timeout = timeout
        self.rise = rise
        self.fall = fall
    }

    /// Whether it looks at `port`, that of its endpoint, and not at another one.
    package func isOf(port: UInt16) -> Bool {
        guard case .http(let http) = probe else { return true }
        return http.port == nil || http.port == port
    }
}

package struct HTTPProbe: Sendable, Hashable {
    package let path: String
    /// The Host header; nil sends the endpoint's address.
    package let host: String?
    /// Answers that pass, such as `200 ... 399`.
    package let statuses: [ClosedRange<Int>]
    /// Text that must occur in the first 5,120 bytes of the body.
    package let contains: String?
    /// The port to ask; nil is the endpoint's own.
    package let port: UInt16?

    package init(path: String, host: String?, statuses: [ClosedRange<Int>], contains: String?, port: UInt16?) {
        self.path = path
        self.host = host
        self.statuses = statuses
        self.contains = contains
        self.port = port
    }
}

/// Logs in and asks for the server's place in replication.
package struct PostgreSQLProbe: Sendable, Hashable {
    /// libpq's `sslmode`.
    package enum TLSUse: String, Sendable, Hashable, CaseIterable {
        case disable
        /// When the server has it.
        case prefer
        case require
        case verifyCA = "verify-ca"
        case verifyFull = "verify-full"

        package var verifies: Bool { self == .verifyCA || self == .verifyFull }
    }

    package let user: String
    package let database: String
    package let password: Secret?
    /// New sessions avoid a replica that is further behind than this; nil means any lag will do.
    package let maximumLag: Duration?
    package let tls: TLSUse
    /// A file of certificates that the server's must lead to, with `verifyCA` and `verifyFull`; nil is what the system
    /// trusts.
    package let roots: String?
    /// The name in the server's certificate, with `verifyFull`; nil is its address.
    package let host: String?
    /// Whether an md5 request is answered. A request for the password in clear never is.
    package let allowsMD5: Bool

    package init(
        user: String, database: String, password: Secret?, maximumLag: Duration?, tls: TLSUse = .prefer,
        roots: String? = nil, host: String? = nil, allowsMD5: Bool = false
    ) {
        self.user = user
        self.database = database
        self.password = password
        self.maximumLag = maximumLag
        self.tls = tls
        self.roots = roots
        self.host = host
        self.allowsMD5 = allowsMD5
    }
}

extension HealthCheck {
    /// The same, with this Host header unless one was given.
    package func asking(for host: String) -> HealthCheck {
        guard case .http(let http) = probe, http.host == nil else { return self }
        let asked = HTTPProbe(
            path: http.path, host: host, statuses: http.statuses, contains: http.contains, port: http.port)
        return HealthCheck(probe: .http(asked), interval: interval, timeout: timeout, rise: rise, fall: fall)
    }
}
