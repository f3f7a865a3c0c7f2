import Model

extension TopologySchema {
    static let dns = RecordSchema(
        "dns", "What the DNS nodes answer, on UDP and TCP.",
        [
            .init("port", .integer(1...65_535), .standard("53"), "On the address of every DNS node."),
            .init(
                "maximumUDPSize", .integer(512...4_096), .standard("1232"),
                "Octets of the largest UDP answer; longer ones are truncated and asked again over TCP."),
            .init("locations", .record(locations), "Where clients are, by prefix, for `geo` and `proximity` steps."),
            .init(
                "prefixSets", .map(.name, .list(.scalar(.prefix), atLeast: 1)),
                "Sets of prefixes, by name, for `prefix` steps."),
            .init("groups", .map(.name, .record(group)), "Answers with steps of their own, for names to answer with."),
            .init("zones", .map(.domain, .record(zone)), "The zones that are served, by name."),
        ] + conduct)

    static let locations = RecordSchema(
        "dns.locations", "A file that maps prefixes to places.", oneOf: ["csv", "mmdb"],
        [
            .init(
                "csv", .file,
                "Lines of `prefix,continent,country,subdivision,city,latitude,longitude,asn`; the last five at will."),
            .init("mmdb", .file, "A MaxMind DB of the Country or City kind."),
            .init(
                "asn", .file,
                "A MaxMind DB of the ASN kind: the number of each client's network. It replaces the numbers of `csv`."),
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
                "ttlDegraded", .timeToLive, .derived("half of `ttl`, at least 1s"),
                "The same while any of the answers is unhealthy. At most `ttl`."),
            .init(
                "ramp", .durations(.zero ... .seconds(3600)), .standard("0s"),
                "How long a region that returns takes to its full share."),
            .init("check", .record(check), "How DNS nodes look at each region's addresses themselves."),
        ] + chain)

    static let group = RecordSchema(
        "dns.groups.NAME", "Answers that stand together, with steps of their own. A name answers with `{group: NAME}`.",
        [.init("service", .reference(.service), .derived("that of the name"), "Its verdict decides as for a name.")]
            + chain)

    /// What names and groups choose among, and how.
    private static let chain: [RecordSchema.Key] = [
        .init(
            "answers", .map(.name, .record(answers), atLeast: 1), .required,
            "What can be answered with, by region. Other names will do with `region`, `group` or `name`."),
        .init(
            "steps",
            .list(.either(.choice(["healthy", "proximity", "hash", "capacity", "shed"]), step), atLeast: 1),
            .derived("[healthy]"), "How answers are chosen, in this order. A word alone takes the step's defaults."),
        .init(
            "policy", .either(.choice(SteeringPolicy.allCases.map(\.rawValue)), policy),
            "Steps by the name that people know them by, in place of `steps`."),
    ]

    static let answers = RecordSchema(
        "dns.zones.ZONE.names.NAME.answers.REGION",
        "Records by type, one value or a list of them, as in a master file; or a group, or another dynamic name. CNAME stands"
            + " alone.",
        recordKeys + [
            .init("region", .reference(.region), .derived("the answer's name"), "Where it is."),
            .init(
                "service", .reference(.service), .derived("that of the name"), "Its verdict decides for this answer."),
            .init("group", .name, "Of `dns.groups`: its steps choose among its answers."),
            .init("name", .label, "A dynamic name, relative to the zone: its steps choose among its answers."),
        ])

    /// The types of records that a dynamic name answers with.
    static let recordTypes = recordKeys.map(\.name)

    private static let recordKeys: [RecordSchema.Key] = [
        .init("A", .oneOrMany(.text), "IPv4 addresses."),
        .init("AAAA", .oneOrMany(.text), "IPv6 addresses."),
        .init("CNAME", .scalar(.text), "The canonical name; with a final dot when it is absolute."),
        .init(
            "HTTPS", .oneOrMany(.text),
            "Priority, target and parameters: `1 . alpn=h2 ipv4hint=auto`; `auto` hints are the addresses that are chosen."
        ),
        .init("SVCB", .oneOrMany(.text), "The same for other services than HTTP."),
        .init("TXT", .oneOrMany(.text), "Character strings; quoted when they hold blanks."),
        .init("MX", .oneOrMany(.text), "Preference and host: `10 mail`."),
        .init("SRV", .oneOrMany(.text), "Priority, weight, port and host: `10 50 5432 db`."),
        .init("CAA", .oneOrMany(.text), "Flags, tag and value: `0 issue \"ca.example\"`."),
    ]
}
