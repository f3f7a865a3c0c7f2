/// Every key of a topology: its type, range, default and meaning. The parser, the JSON Schema and the tables of
/// Docs/Configuration.md are all made from this.
enum TopologySchema {
    static let root = RecordSchema(
        "The file", "The top level of a topology.",
        [
            .init(
                "include", .list(.scalar(.file)),
                "Further files. Sections are merged; defining the same thing twice is an error."),
            .init("federation", .record(federation), .filled, "How nodes tell each other what they know."),
            .init(
                "stateDirectory", .writtenFile,
                "A folder where each node keeps what it knows over a restart, in `NODE.state`. Nothing is kept if absent."
            ),
            .init("regions", .map(.name, .record(region), atLeast: 1), .required, "The places that serve users."),
            .init("nodes", .map(.name, .record(node), atLeast: 1), .required, "The processes: one per tier and place."),
            .init(
                "services", .map(.name, .record(service)),
                "What users and other services rely on, region by region. Its health is federated."),
            .init("safety", .list(.record(safety)), "What operators may not do by mistake."),
            .init("pools", .map(.name, .record(pool)), "Sets of interchangeable servers."),
            .init("dns", .record(dns), .filled, "What the DNS nodes answer."),
            .init("http", .record(http), .filled, "What the L7 nodes listen on and where requests go."),
            .init("tcp", .record(tcp), .filled, "What the L4 nodes listen on."),
        ])

    static let secret = RecordSchema(
        "A secret", "Where a secret is kept; its value never stands in a topology.", oneOf: ["env", "file"],
        isSecret: true,
        [
            .init("env", .environmentVariable, "The environment variable that holds it."),
            .init("file", .file, "The file that holds it; blanks and line ends around it do not count."),
        ])

    // MARK: - Federation

    static let federation = RecordSchema(
        "federation", "Nodes with a `federation` address exchange signed reports of what they know.",
        [
            .init(
                "keys", .list(.record(federationKey)),
                "The first signs reports, all of them verify, so that keys can be rotated. Needed once two nodes have a"
                    + " federation address."),
            .init(
                "interval", .durations(.milliseconds(100) ... .seconds(60)), .standard("1s"),
                "A report is made at least this often, and at once when something changes."),
            .init(
                "staleAfter", .durations(.milliseconds(500) ... .seconds(600)), .standard("5s"),
                "An older report no longer counts. Longer than `interval`."),
            .init(
                "clockSkew", .durations(.seconds(1) ... .seconds(3600)), .standard("30s"),
                "Reports whose issue time is further from the reader's clock are refused."),
            .init(
                "failStaticShare", .share(1...100), .standard("60%"),
                "Where fewer than three regions have nodes: when at least this share of peers fell silent at once, "
                    + "verdicts are kept as they are."),
            .init("damping", .record(damping), .filled, "How long evidence must last before a verdict changes."),
        ])

    static let federationKey = RecordSchema(
        "federation.keys[]", "One key that signs and verifies reports (HMAC-SHA256).",
        [
            .init("id", .name, .required, "Travels with each signature, so that the right key verifies it."),
            .init(
                "secret", .record(secret), .required, "At least 16 octets, best random ones: `openssl rand -hex 32`."),
        ])

    static let damping = RecordSchema(
        "federation.damping", "How long evidence must last before a verdict changes.",
        [
            .init(
                "rise", .durations(.zero ... .seconds(3600)), .standard("3s"),
                "Evidence of health, before a down service is called healthy."),
            .init(
                "fall", .durations(.zero ... .seconds(3600)), .standard("0s"),
                "Evidence of failure, before a healthy service is called down. A node that says goodbye is not damped."),
            .init(
                "holdDown", .record(holdDown), .filled, "What keeps a place that fails again and again out for longer."),
        ])

    static let holdDown = RecordSchema(
        "federation.damping.holdDown",
        "A service that failed `failures` times in a region within `window` stays down there for `base`, after the next"
            + " failure for twice that, and so on up to `maximum`, however healthy it looks. Goodbyes do not count.",
        [
            .init("failures", .integer(0...64), .standard("4"), "0 turns it off."),
            .init(
                "window", .durations(.seconds(1) ... .seconds(86_400)), .standard("5m"),
                "Time in which it is held down does not count."),
            .init("base", .durations(.seconds(1) ... .seconds(3600)), .standard("30s"), "The first hold."),
            .init("maximum", .durations(.seconds(1) ... .seconds(86_400)), .standard("10m"), "The longest hold."),
        ])

    // MARK: - Regions, nodes, services

    static let region = RecordSchema(
        "regions.NAME", "A place that serves users: a data centre, a cloud region.",
        [
            .init("location", .record(location), .filled, "Where it is, for steering by distance and for people."),
            .init("address", .address, "Its nodes use this address unless they name their own."),
            .init(
                "capacity", .integer(1...1_000_000_000), "Requests per second that it can carry. Unlimited if absent."),
        ])

    static let safety = RecordSchema(
        "safety[]",
        "A rule that overrides and drains are held against. What would break it is refused, unless the operator insists.",
        oneOf: ["atLeast", "gate"],
        [
            .init("name", .name, .required, "What refusals call it; the name of its gate."),
            .init("atLeast", .integer(1...1000), "So many of the regions stay on."),
            .init(
                "gate", .choice(["open", "closed"]),
                "Changes need the gate to be open. This is what it is unless an operator opens or closes it."),
            .init("of", .list(.scalar(.reference(.region)), atLeast: 1), .derived("every region"), "The regions."),
            .init("services", .list(.scalar(.reference(.service))), "The services that it is about."),
            .init(
                "names", .list(.scalar(.domain)),
                "The dynamic names that it is about; without services and names it is about every dynamic name."),
        ])

    static let location = RecordSchema(
        "regions.NAME.location", "Where a region is. Each part may be left out.",
        [
            .init("continent", .choice(continents), "Two-letter continent code."),
            .init("country", .country, "ISO 3166-1 alpha-2, in capitals."),
            .init("latitude", .number(-90...90), "Degrees north (WGS 84). Goes with `longitude`."),
            .init("longitude", .number(-180...180), "Degrees east (WGS 84). Goes with `latitude`."),
        ])

    static let continents = ["AF", "AN", "AS", "EU", "NA", "OC", "SA"]

    static let node = RecordSchema(
        "nodes.NAME", "One process of one tier: `meridian-TIER serve --topology FILE --node NAME`.",
        [
            .init("tier", .choice(["dns", "l7", "l4"]), .required, "Which program it is."),
            .init("region", .reference(.region), .required, "Where it runs."),
            .init("address", .address, .derived("the region's"), "Where its listeners bind."),
            .init(
                "workers", .word("auto", or: .integer(1...256)), .standard("auto"),
                "Data-plane threads, in a DNS node pairs of them, one for UDP and one for all else; `auto` is one per"
                    + " processor."),
            .init(
                "admin", .socketAddress,
                "Where the admin API listens; off if absent. Anywhere but loopback it needs `adminToken`."),
            .init("adminToken", .record(secret), "The bearer token of the admin API."),
            .init(
                "federation", .socketAddress,
                "Where peers fetch this node's reports; it takes no part in federation if absent."),
            .init(
                "drainTimeout", .durations(.zero ... .seconds(3600)), .standard("10s"),
                "How long a graceful stop waits for connections to finish, once no new ones are taken."),
            .init(
                "leaveDelay", .durations(.zero ... .seconds(3600)), .standard("1s"),
                "How long a node that was told to stop still takes new connections and queries, while peers, balancers and resolvers learn that it goes."
            ),
            .init("log", .record(log), .filled, "What it writes about itself and its traffic."),
            .init(
                "state", .writtenFile, .derived("`NODE.state` in `stateDirectory`"),
                "The file where it keeps what it knows over a restart."),
        ])

    static let log = RecordSchema(
        "nodes.NAME.log", "What a node writes about itself (standard error) and its traffic (access log).",
        [
            .init(
                "format", .choice(["text", "json"]), .standard("text"), "One line per event, for people or programs."),
            .init(
                "level", .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]),
                .standard("info"), "Events below it are not written."),
            .init("access", .fileOrOutput, "Where access lines go; none are written if absent."),
            .init(
                "accessSample", .integer(1...1_000_000), .standard("1"),
                "One access line for every so many operations."),
            .init(
                "explain", .fileOrOutput,
                "Where a DNS node explains answers of dynamic names, a line each; it explains none if absent."),
            .init(
                "explainSample", .integer(1...1_000_000), .standard("1000"),
                "One explanation for every so many answers of dynamic names."),
        ])

    static let service = RecordSchema(
        "services.NAME", "Something that regions offer. A region's pools implement it by naming it as their `service`.",
        [
            .init(
                "dependsOn", .list(.scalar(.reference(.service))),
                "Services that must be healthy in the same region for this one to be."),
            .init(
                "threshold", .share(1...100), .standard("50%"),
                "With a smaller share of its servers up in a region, it is down there."),
            .init(
                "requires", .choice(["any", "primary", "replica"]), .standard("any"),
                "The database role that at least one server must hold. Needs a postgresql check."),
        ])
}
