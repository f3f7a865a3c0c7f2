import Model

extension TopologySchema {
    static let pool = RecordSchema(
        "pools.NAME", "A set of interchangeable servers in each region, with one way to choose and one way to check.",
        [
            .init("kind", .choice(["http", "tcp"]), .required, "Whether L7 routes or L4 listeners use it."),
            .init("service", .reference(.service), "The service that it implements."),
            .init(
                "balance", .choice(["roundRobin", "leastConnections", "sourceHash", "random"]),
                .standard("roundRobin"), "How a server is chosen. Weights are honoured by every algorithm."),
            .init(
                "endpoints",
                .map(.reference(.region), .list(.either(.socketAddress, endpoint), atLeast: 1), atLeast: 1),
                .required, "The servers of each region, as `address:port` or with a weight."),
            .init(
                "check", .record(check), "How servers are probed; without it they count as up until they fail traffic."),
            .init(
                "ejection", .record(ejection),
                "Takes servers that fail real traffic out for a while; off if absent."),
            .init("retry", .record(retry), "When a request goes on to another server (http)."),
            .init("timeouts", .record(poolTimeouts), .filled, "How long to wait for a server."),
            .init(
                "keepalive", .either(.integer(0...10_000), poolKeepalive), .standard("64"),
                "Idle connections kept to the pool's servers, per worker (http), and how all are watched."),
            .init(
                "closeOnDown", .boolean, .standard("true"),
                "Close established connections when their server goes down or loses its role (tcp)."),
        ])

    static let poolKeepalive = RecordSchema(
        "pools.NAME.keepalive",
        "Connections to the pool's servers: how many are kept, and how they are watched while nothing moves on them.",
        [
            .init(
                "connections", .integer(0...10_000), .standard("64"),
                "Idle connections kept to the pool's servers, per worker (http).")
        ] + keepaliveKeys)

    static let keepalive = RecordSchema(
        "A listener's keepalive", "How clients are watched while nothing moves on their connection.", keepaliveKeys)

    /// TCP keepalive. The last probe of a silent connection and the oldest octet that was not acknowledged are given the
    /// same time.
    private static let keepaliveKeys: [RecordSchema.Key] = [
        .init(
            "idle", .durations(.seconds(1) ... .seconds(32_767)), .standard("60s"),
            "Silence before the kernel asks for a sign of life."),
        .init("interval", .durations(.seconds(1) ... .seconds(32_767)), .standard("30s"), "Between two questions."),
        .init(
            "count", .integer(0...127), .standard("8"),
            "Questions without an answer. After `idle` and so many intervals the connection is cut, also when the"
                + " other side acknowledges or takes nothing for so long. 0 turns this off."),
    ]

    static let endpoint = RecordSchema(
        "pools.NAME.endpoints.REGION[]", "One server, in the long form.",
        [
            .init("address", .socketAddress, .required, "Where it listens."),
            .init("weight", .integer(0...65_535), .standard("1"), "Its share of traffic; 0 takes none."),
        ])

    static let ejection = RecordSchema(
        "pools.NAME.ejection", "Passive health: consecutive failures of real traffic take a server out for a while.",
        [
            .init("failures", .integer(1...1_000), .standard("3"), "Consecutive failures that take a server out."),
            .init(
                "on", failures, .derived("`[connect, reset, timeout]`"),
                "What counts as one: no connection; a connection that breaks before the response is whole, or carries"
                    + " none; silence for `timeouts.response`; a 502, 503 or 504 of the server (`gateway`); any 5xx. A"
                    + " tcp pool knows `connect` alone."),
            .init(
                "base", .durations(.milliseconds(100) ... .seconds(3600)), .standard("10s"),
                "How long the first time; it doubles each time, up to `maximum`. Checks that connect anew end it early"
                    + " when the server failed connects and nothing else."),
            .init(
                "maximum", .durations(.milliseconds(100) ... .seconds(86_400)), .standard("5m"),
                "The longest time out. At least `base`."),
            .init(
                "maximumShare", .share(0...100), .standard("50%"), "Never more of the pool than this is out at once."),
        ])

    /// Ways to fail, in the words of a topology.
    private static let failures = Shape.oneOrMany(.choice(TrafficFailures.names.map(\.name)))

    static let retry = RecordSchema(
        "pools.NAME.retry",
        "When a request goes on to another server: while none of the response has gone to the client and all of the request"
            + " is still here. After a failed connect any request does; otherwise those whose method is idempotent, and"
            + " those of which the server took nothing.",
        [
            .init(
                "on", failures, .derived("`[connect, reset]`"),
                "After which failures; the words are those of `ejection.on`."),
            .init("attempts", .integer(1...10), .standard("3"), "Servers that a request asks at most; 1 is no retry."),
        ])

    static let poolTimeouts = RecordSchema(
        "pools.NAME.timeouts", "How long to wait for a server.",
        [
            .init(
                "connect", .durations(.milliseconds(1) ... .seconds(300)), .standard("1s"),
                "For an established connection."),
            .init(
                "response", .durations(.milliseconds(10) ... .seconds(86_400)), .standard("30s"),
                "From the last octet of the request to the first of the response, then between octets (http)."),
            .init(
                "idle", .durations(.milliseconds(100) ... .seconds(604_800)), .derived("60s (http), 1h (tcp)"),
                "Without an octet in either direction; for http, how long an idle connection is kept."),
        ])

    static let check = RecordSchema(
        "A check", "An active probe, and when to believe it.",
        oneOf: ["http", "tcp", "postgresql"],
        [
            .init("http", .record(httpProbe), "A GET request whose answer is judged."),
            .init("tcp", .record(tcpProbe), "A completed TCP handshake; written `tcp: {}`."),
            .init("postgresql", .record(postgresqlProbe), "A login that learns the role and the replication lag."),
            .init("interval", .durations(.milliseconds(100) ... .seconds(3600)), .standard("1s"), "Between probes."),
            .init(
                "timeout", .durations(.milliseconds(10) ... .seconds(300)), .standard("500ms"),
                "A probe that takes longer has failed. At most `interval`."),
            .init("rise", .integer(1...100), .standard("3"), "Consecutive successes that bring a server up."),
            .init("fall", .integer(1...100), .standard("2"), "Consecutive failures that take it down."),
        ])

    static let httpProbe = RecordSchema(
        "An http check", "A GET request whose answer is judged.",
        [
            .init("path", .urlPath, .standard("/"), "What is asked for."),
            .init("host", .host, .derived("the name; for a pool the server's address"), "The Host header."),
            .init("statuses", .oneOrMany(.statuses), .standard("200-399"), "Answers that pass."),
            .init("contains", .text, "Text that must occur in the first 5 KiB of the body."),
            .init(
                "port", .integer(1...65_535), .derived("the server's"), "Needed where a name's addresses are checked."),
        ])

    static let tcpProbe = RecordSchema(
        "A tcp check", "A completed TCP handshake.",
        [
            .init("port", .integer(1...65_535), .derived("the server's"), "Only where a name's addresses are checked.")
        ])

    static let postgresqlProbe = RecordSchema(
        "A postgresql check",
        "Logs in on PostgreSQL 10 or later, then asks for the server's role, its timeline and how far it is behind. The password is never given in"
            + " clear: a server that asks for that fails its check.",
        [
            .init("user", .text, .required, "Needs no more than the right to connect."),
            .init("database", .text, .standard("postgres"), "Where it logs in."),
            .init("password", .record(secret), "Its password, if the server asks for one (scram-sha-256)."),
            .init(
                "md5", .boolean, .standard("false"),
                "Whether a request for an md5 password is answered, which who listens can use in place of the password."
            ),
            .init(
                "sslmode", .choice(["disable", "prefer", "require", "verify-ca", "verify-full"]), .standard("prefer"),
                "As libpq's: `prefer` uses TLS if the server has it, `require` insists, `verify-ca` wants a certificate"
                    + " that it can trust, `verify-full` one for the server's `host`."),
            .init(
                "sslrootcert", .file, .derived("what the system trusts"),
                "Certificates in PEM to trust, with `verify-ca` and `verify-full`."),
            .init(
                "host", .domain, .derived("the server's address"),
                "The name that the server's certificate is for, with `verify-full`."),
            .init(
                "maximumLag", .durations(.zero ... .seconds(604_800)),
                "New sessions avoid a replica that is further behind; for the check of a name it is down. Any lag will do"
                    + " if absent."),
            .init("port", .integer(1...65_535), .derived("the server's"), "Only where a name's addresses are checked."),
        ])
}
