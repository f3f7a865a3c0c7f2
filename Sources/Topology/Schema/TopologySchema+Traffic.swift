import Model

extension TopologySchema {
    // MARK: - HTTP

    static let http = RecordSchema(
        "http", "What the L7 nodes listen on and where requests go.",
        [
            .init("listeners", .map(.name, .record(httpListener)), "Where requests arrive."),
            .init(
                "routes", .list(.record(route)),
                "Where requests go. An exact host beats a `*.suffix` (longest first) beats any; then an exact path beats"
                    + " a prefix, and longer prefixes beat shorter ones. The order of the list does not matter."),
        ])

    static let httpListener = RecordSchema(
        "http.listeners.NAME", "A port for HTTP/1.1, on the address of every L7 node.",
        [
            .init("port", .integer(1...65_535), .required, "TCP port."),
            .init("limits", .record(httpLimits), .filled, "What a client may ask for."),
            .init("timeouts", .record(httpTimeouts), .filled, "How long a client may take."),
            .init("keepalive", .record(keepalive), .filled, "How silent connections are watched."),
            .init(
                "trustedProxies", .list(.scalar(.prefix)),
                "Addresses of proxies before the nodes. From them `X-Forwarded-For` (up to the last address that is not in"
                    + " this list), `X-Forwarded-Proto`, `-Port` and `-Host` are believed. From all others these fields are"
                    + " dropped. For connections that are made from then on."),
            .init(
                "rawTargets", .choice(HTTPListener.RawTargets.allCases.map(\.rawValue)), .standard("encode"),
                "UTF-8 beyond ASCII in a request target, and `\\` in its query, which clients should have percent-encoded:"
                    + " `encode` them, or `refuse` the request with 400."),
        ])

    static let httpLimits = RecordSchema(
        "http.listeners.NAME.limits", "What a client may ask for.",
        [
            .init(
                "headSize", .size(1_024...16_384), .standard("16KiB"),
                "Request line and header fields together; more is answered with 431."),
            .init("headerCount", .integer(1...256), .standard("100"), "Header fields; more is answered with 431."),
            .init(
                "bodySize", .word("unlimited", or: .size(0...(1 << 50))), .standard("unlimited"),
                "Request body; more is answered with 413. Bodies are streamed, never held."),
            .init(
                "connections", .integer(1...1_000_000), .derived("20000, or what descriptors allow"),
                "Client connections per worker; more are closed at once. A number that the limit on open files does"
                    + " not allow is an error at boot."),
        ])

    static let httpTimeouts = RecordSchema(
        "http.listeners.NAME.timeouts", "How long a client may take.",
        [
            .init(
                "head", .durations(.milliseconds(100) ... .seconds(3600)), .standard("10s"),
                "From the first octet of a request to the end of its head; longer is answered with 408."),
            .init(
                "body", .durations(.milliseconds(100) ... .seconds(86_400)), .standard("60s"),
                "Without progress of a body in either direction."),
            .init(
                "keepalive", .durations(.milliseconds(100) ... .seconds(86_400)), .standard("75s"),
                "Between requests."),
        ])

    static let route = RecordSchema(
        "http.routes[]", "Requests that match go to the pool.",
        [
            .init("name", .name, .required, "For logs, metrics and people."),
            .init("host", .hostPattern, .standard("*"), "A host, `*.suffix` for every name below it, `*` for any."),
            .init("path", .record(routePath), .derived("{prefix: /}"), "The paths that match."),
            .init("pool", .reference(.pool), .required, "An http pool."),
            .init(
                "upgrades", .list(.scalar(.upgrade)), .derived("[websocket]"),
                "Protocols that a client may change its connection to. A request for another one goes on without it."),
        ])

    static let routePath = RecordSchema(
        "http.routes[].path", "Which paths match.", oneOf: ["exact", "prefix"],
        [
            .init("exact", .urlPath, "This path only."),
            .init("prefix", .urlPath, "Whole segments: `/api` matches `/api` and `/api/x`, not `/apix`."),
        ])

    // MARK: - TCP

    static let tcp = RecordSchema(
        "tcp", "What the L4 nodes listen on.",
        [.init("listeners", .map(.name, .record(tcpListener)), "Where connections arrive.")])

    static let tcpListener = RecordSchema(
        "tcp.listeners.NAME", "A TCP port, on the address of every L4 node.",
        [
            .init("port", .integer(1...65_535), .required, "TCP port."),
            .init("pool", .reference(.pool), .required, "A tcp pool."),
            .init(
                "role", .choice(["any", "primary", "replica"]), .standard("any"),
                "Only servers in this role are used. Needs a postgresql check."),
            .init(
                "fallback", .choice(["primary"]),
                "With `role: replica`: `primary` sends new sessions to the primary while every replica is down or beyond"
                    + " its check's `maximumLag`. If absent, the replica that is least behind takes them."),
            .init(
                "connections", .integer(1...1_000_000), .derived("10000, or what descriptors allow"),
                "Client connections per worker; more are closed at once. Each takes two descriptors; a number that the"
                    + " limit on open files does not allow is an error at boot."),
            .init("keepalive", .record(keepalive), .filled, "How silent connections are watched."),
        ])
}
