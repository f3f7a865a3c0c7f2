extension TopologySchema {
    // MARK: - DNS, beyond answering

    static let conduct: [RecordSchema.Key] = [
        .init(
            "zoneFolder", .file,
            "A folder of further zones without dynamic names, each a master file named like the zone: `shop.test.zone`."
        ),
        .init(
            "amplification", .integer(0...100), .standard("20"),
            "A UDP answer takes at most so many times the octets of its query on the network (the 28 of the headers count"
                + " for both), unless that shows a good cookie; longer ones are truncated and asked again over TCP. With 20"
                + " a query with EDNS may have the 1232 octets that resolvers take. 0 is no limit."),
        .init("identity", .record(identity), .filled, "What a node tells of itself."),
        .init(
            "cookies", .record(cookies), .filled, "DNS cookies (RFC 7873, RFC 9018): clients that show their address."),
        .init(
            "rateLimit", .record(rateLimit),
            "Limits alike UDP replies to one neighbourhood of clients, whose addresses may be forged. Absent, nothing is"
                + " limited; clients with a good cookie never are."),
        .init("tcp", .record(dnsTCP), .filled, "Limits on TCP connections."),
        .init(
            "proxy", .record(dnsProxy),
            "A listener of its own, UDP and TCP, for clients behind a proxy that says who they are (PROXY protocol"
                + " version 2, as dnsdist sends it)."),
    ]

    static let identity = RecordSchema(
        "dns.identity", "What a node tells of itself.",
        [
            .init("name", .text, .derived("the node's name"), "At most 128 octets."),
            .init("nsid", .boolean, .standard("true"), "Whether the name is told to those who ask by NSID (RFC 5001)."),
            .init(
                "chaos", .boolean, .standard("false"),
                "Whether `id.server`, `hostname.bind`, `version.server` and `version.bind` of class CHAOS are answered."
            ),
            .init("version", .text, .standard("Meridian"), "What the last two are answered with; at most 128 octets."),
        ])

    static let cookies = RecordSchema(
        "dns.cookies", "DNS cookies in the form that servers of any make share.",
        [
            .init(
                "secrets", .list(.record(secret)),
                "32 hexadecimal digits each: `openssl rand -hex 16`. The first makes cookies, all of them verify, so that"
                    + " secrets can be rotated. Nodes that share an address share secrets; without any, each process"
                    + " draws its own."),
            .init(
                "required", .boolean, .standard("false"),
                "Whether UDP queries with a cookie option, but without a good cookie, get BADCOOKIE and a good one."),
        ])

    static let rateLimit = RecordSchema(
        "dns.rateLimit", "How many alike UDP replies go to one prefix, as counted by each worker.",
        [
            .init(
                "responsesPerSecond", .integer(1...100_000), .standard("200"),
                "Answers that begin with the same data, and referrals."),
            .init(
                "negativesPerSecond", .integer(1...100_000), .derived("`responsesPerSecond`"),
                "NXDOMAIN, and answers without a record of the type."),
            .init(
                "errorsPerSecond", .integer(1...100_000), .derived("`responsesPerSecond`"),
                "REFUSED, FORMERR and the like."),
            .init(
                "slip", .integer(0...10), .standard("2"),
                "Every so many replies over the limit one is sent truncated, so that honest clients come over TCP; 0"
                    + " sends none."),
            .init(
                "window", .durations(.seconds(1) ... .seconds(15)), .standard("15s"),
                "For how long a client that does not stop asking remains limited. Whole seconds."),
            .init("ipv4Length", .integer(8...32), .standard("24"), "Bits of an IPv4 neighbourhood."),
            .init("ipv6Length", .integer(16...128), .standard("56"), "Bits of an IPv6 neighbourhood."),
            .init("exempt", .list(.scalar(.prefix)), "Clients that are never limited."),
            .init(
                "tableSize", .integer(1_024...16_777_216), .standard("65536"),
                "Neighbourhoods and kinds that each worker keeps, 16 octets each; the oldest make way."),
        ])

    static let dnsTCP = RecordSchema(
        "dns.tcp", "Limits on TCP connections of a DNS node.",
        [
            .init(
                "connections", .integer(10...1_000_000), .derived("20000, or what descriptors allow"),
                "Connections at once, shared evenly by the workers; more are closed at once."),
            .init(
                "perSource", .integer(1...1_000_000), .standard("200"),
                "Connections at once from one IPv4 address or IPv6 /64 to one worker; more are closed at once."),
            .init(
                "idle", .durations(.seconds(1) ... .seconds(3_600)), .standard("10s"),
                "A connection without a query for so long is closed; told to clients that ask (RFC 7828)."),
            .init(
                "message", .durations(.milliseconds(100) ... .seconds(60)), .standard("5s"),
                "A query must be whole so long after its first octet, and answers taken so long after they were made."),
        ])

    static let dnsProxy = RecordSchema(
        "dns.proxy", "A listener for proxies. What comes without a header, or not from a proxy, is dropped.",
        [
            .init("port", .integer(1...65_535), .required, "UDP and TCP, on the address of every DNS node."),
            .init("from", .list(.scalar(.prefix), atLeast: 1), .required, "The proxies' own addresses."),
        ])
}
