extension TopologySchema {
    // MARK: - DNS

    static let dns = RecordSchema(
        "dns", "What the DNS nodes answer, on UDP and TCP.",
        [
            .init("port", .integer(1...65_535), .standard("53"), "On the address of every DNS node."),
            .init(
                "maximumUDPSize", .integer(512...4_096), .standard("1232"),
                "Octets of the largest UDP answer; longer ones are truncated and asked again over TCP."),
            .init("locations", .record(locations), "Where clients are, by prefix, for `geo` steps."),
            .init("zones", .map(.domain, .record(zone)), "The zones that are served, by name."),
        ])

    static let locations = RecordSchema(
        "dns.locations", "A file that maps prefixes to places.", oneOf: ["csv", "mmdb"],
        [
            .init("csv", .file, "Lines of `prefix,continent,country`."),
            .init("mmdb", .file, "A MaxMind DB of the Country or City kind."),
        ])

    static let zone = RecordSchema(
        "dns.zones.ZONE", "A zone: static records from a master file, and names that are answered dynamically.",
        [
            .init("file", .file, .required, "An RFC 1035 master file, with SOA and NS."),
            .init("names", .map(.label, .record(dynamicName)), "Dynamic names, relative to the zone; `@` is the zone."),
        ])

    static let dynamicName = RecordSchema(
        "dns.zones.ZONE.names.NAME", "A name whose answer depends on who asks and on what is healthy.",
        [
            .init("service", .reference(.service), "Its verdict decides which regions are healthy."),
            .init("ttl", .timeToLive, .standard("30s"), "How long resolvers may keep an answer."),
            .init(
                "ramp", .durations(.zero ... .seconds(3600)), .standard("0s"),
                "How long a region that returns takes to its full share."),
            .init("check", .record(check), "How DNS nodes look at each region's addresses themselves."),
            .init(
                "answers",
                .map(.reference(.region), .record(answers), atLeast: 1), .required, "What each region answers with."),
            .init(
                "steps", .list(.either(.choice(["healthy"]), step), atLeast: 1), .derived("[healthy]"),
                "How regions are chosen, in this order."),
        ])

    static let answers = RecordSchema(
        "dns.zones.ZONE.names.NAME.answers.REGION",
        "Records by type, one value or a list of them, as in a master file. CNAME stands alone.",
        [
            .init("A", .oneOrMany(.text), "IPv4 addresses."),
            .init("AAAA", .oneOrMany(.text), "IPv6 addresses."),
            .init("CNAME", .scalar(.text), "The canonical name; with a final dot when it is absolute."),
            .init("TXT", .oneOrMany(.text), "Character strings; quoted when they hold blanks."),
            .init("MX", .oneOrMany(.text), "Preference and host: `10 mail`."),
            .init("SRV", .oneOrMany(.text), "Priority, weight, port and host: `10 50 5432 db`."),
            .init("CAA", .oneOrMany(.text), "Flags, tag and value: `0 issue \"ca.example\"`."),
        ])

    static let step = RecordSchema(
        "dns.zones.ZONE.names.NAME.steps[]",
        "One step: it takes the regions that are left and hands on some of them. `healthy`, written alone, keeps the"
            + " healthy ones, or all when none is (fail-open).",
        oneOf: ["geo", "latency", "weighted", "failover", "limit"],
        [
            .init("geo", .record(geo), "Keeps the regions that serve the client's place."),
            .init("latency", .record(latency), "Keeps the regions that are nearest by measured latency."),
            .init(
                "weighted", .map(.reference(.region), .scalar(.integer(0...65_535)), atLeast: 1),
                "Chooses one region by weight; all-zero weights count as equal."),
            .init(
                "failover", .list(.scalar(.reference(.region)), atLeast: 1),
                "Keeps the first of these that is left."),
            .init("limit", .integer(1...64), "Keeps the first so many."),
        ])

    private static let regionList = Shape.list(.scalar(.reference(.region)), atLeast: 1)

    static let geo = RecordSchema(
        "A geo step",
        "Regions by the client's place, each list in order of preference. The longest prefix, those around it, the country,"
            + " the continent and the default are tried in turn, until a list names a region that is left; if none does,"
            + " all stay.",
        [
            .init(
                "prefixes", .map(.prefix, regionList), "By the client's address (EDNS client subnet, or the source)."),
            .init("countries", .map(.country, regionList), "By country, from `dns.locations`."),
            .init("continents", .map(.choice(continents), regionList), "By continent, from `dns.locations`."),
            .init("default", regionList, "For everybody else."),
        ])

    static let latency = RecordSchema(
        "A latency step", "Keeps the regions within `tolerance` of the smallest latency to the client's prefix.",
        [
            .init("file", .file, .required, "Lines of `prefix,region,milliseconds`."),
            .init(
                "tolerance", .durations(.zero ... .seconds(10)), .standard("20ms"),
                "How much more still counts as near."),
        ])

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
        ])

    static let httpLimits = RecordSchema(
        "http.listeners.NAME.limits", "What a client may ask for.",
        [
            .init(
                "headSize", .size(1_024...16_384), .standard("16KiB"),
                "Request line and header fields together; more is answered with 431."),
            .init("headerCount", .integer(1...1_000), .standard("100"), "Header fields; more is answered with 431."),
            .init(
                "bodySize", .word("unlimited", or: .size(0...(1 << 50))), .standard("unlimited"),
                "Request body; more is answered with 413. Bodies are streamed, never held."),
            .init(
                "connections", .integer(1...1_000_000), .standard("20000"),
                "Client connections per worker; more are closed at once."),
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
                "connections", .integer(1...1_000_000), .standard("10000"),
                "Client connections per worker; more are closed at once."),
        ])
}
