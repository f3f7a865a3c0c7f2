import Model

extension TopologySchema {
    static let step = RecordSchema(
        "dns.zones.ZONE.names.NAME.steps[]",
        "One step: it takes the answers that are left and hands on some of them, the best first. One that would leave nobody"
            + " leaves them as they are. Docs/Steering.md has each with an example.",
        oneOf: [
            "healthy", "geo", "prefix", "proximity", "nearest", "latency", "weighted", "priority", "failover",
            "capacity",
            "shed", "take", "sample", "limit",
        ],
        [
            .init("healthy", .record(healthy), "Keeps the healthy ones, or all when too few are (fail-open)."),
            .init("geo", .record(geo), "Keeps those that serve the client's place."),
            .init(
                "prefix", .map(.clients, answerList, atLeast: 1),
                "By the client's address: the longest prefix, given itself or in a set of `dns.prefixSets`. `*` is for"
                    + " everybody else, and may be `none`."),
            .init("proximity", .record(proximity), "Keeps the nearest by distance."),
            .init("nearest", .either(.integer(1...128), nearest), "Keeps so many of the nearest, the nearest first."),
            .init("latency", .record(latency), "Keeps those that are nearest by measured latency."),
            .init(
                "weighted", .map(.candidate, .scalar(.integer(0...65_535)), atLeast: 1),
                "Chooses one by weight; 0 is chosen only when nothing else is left."),
            .init("priority", .record(priority), "Keeps the first of an order that is left."),
            .init(
                "failover", .list(.scalar(.candidate), atLeast: 1), "The same as `priority` with this order alone."),
            .init("capacity", .record(capacity), "Fills answers in their order up to what each can carry."),
            .init("shed", .record(shed), "Leaves answers out the more, the more loaded they are."),
            .init(
                "take", .integer(1...8),
                "Keeps the first so many; where nothing tells them apart for a client, those that its prefix chooses."),
            .init("sample", .integer(1...8), "Keeps so many, others for each reply."),
            .init("limit", .integer(1...64), "The same; its name in older topologies."),
            .init(
                "fence", .choice(["open", "closed"]), .derived("`closed` with a default of `none`; else there is none"),
                "Beside `geo` or `prefix`: nobody is sent beyond the lists that name him. When nobody of them is left, a"
                    + " `closed` one gives no answer, an `open` one that of the smallest place all the same."),
        ])

    private static let answerList = Shape.oneOrMany(.candidate)

    static let policy = RecordSchema(
        "dns.zones.ZONE.names.NAME.policy", "A preset with what it needs to know. `check --expand` prints its steps.",
        oneOf: ["weighted", "latency", "failover", "geolocation", "geoproximity", "multivalue", "ip-based"],
        [
            .init(
                "weighted", .map(.candidate, .scalar(.integer(0...65_535)), atLeast: 1),
                "The healthy by weight. Without weights all have the same."),
            .init("latency", .record(latency), "The healthy one with the smallest latency."),
            .init(
                "failover", .list(.scalar(.candidate), atLeast: 1),
                "The first of these that is healthy. Without an order that of the answers."),
            .init(
                "geolocation", .record(geo),
                "The healthy one of the smallest place, or the one of the smallest place when none that match are; no answer"
                    + " without `default` where none matches."),
            .init("geoproximity", .record(proximity), "The healthy one that is nearest."),
            .init(
                "multivalue", .integer(1...8),
                "So many of the healthy together, others for each reply; 8 without a number."),
            .init(
                "ip-based", .map(.clients, answerList, atLeast: 1),
                "The healthy one of the longest prefix, or the one of the longest prefix when none that match are; no answer"
                    + " without `*` where none matches."),
        ])

    static let healthy = RecordSchema(
        "A healthy step", "Keeps what is healthy. All of it when too little is: then answers fail open.",
        [
            .init(
                "servers", .share(0...100), .standard("0%"),
                "The part of its servers that an answer needs up, beyond a healthy verdict."),
            .init(
                "quorum", .share(0...100), .standard("0%"),
                "The part of the answers that must be healthy; with fewer all are kept. One is always needed."),
        ])

    static let geo = RecordSchema(
        "A geo step",
        "Answers by the client's place, each list in order of preference. The longest prefix, those around it, the network,"
            + " the city, the subdivision, the country, the continent and the default are tried in turn, until a list names"
            + " one that is left; if none does, all stay.",
        [
            .init(
                "prefixes", .map(.prefix, answerList), "By the client's address (EDNS client subnet, or the source)."),
            .init("networks", .map(.network, answerList), "By the number of the client's autonomous system."),
            .init(
                "cities", .map(.city, answerList),
                "By country or subdivision and English name: `FR/Paris`, `US-CA/Los Angeles`."),
            .init("subdivisions", .map(.subdivision, answerList), "By ISO 3166-2 code: `US-CA`."),
            .init("countries", .map(.country, answerList), "By country, from `dns.locations`."),
            .init("continents", .map(.choice(continents), answerList), "By continent, from `dns.locations`."),
            .init(
                "default", answerList,
                "For everybody else. `none` gives them no answer, and makes the lists a fence (see `fence`)."
            ),
        ])

    static let proximity = RecordSchema(
        "A proximity step",
        "Keeps the nearest by great-circle distance, from `dns.locations` to the region's coordinates.",
        [.init("bias", bias, "Percent: positive makes an answer nearer than it is, negative further away.")])

    static let nearest = RecordSchema(
        "A nearest step", "Keeps so many of the nearest, the nearest first.",
        [
            .init("count", .integer(1...128), .required, "How many."),
            .init("bias", bias, "As in a proximity step."),
        ])

    private static let bias = Shape.map(.candidate, .scalar(.integer(-99...99)))

    static let latency = RecordSchema(
        "A latency step", "Keeps the answers within `tolerance` of the smallest latency to the client's prefix.",
        [
            .init("file", .file, "Lines of `prefix,region,milliseconds`."),
            .init(
                "measured", .boolean, .standard("false"),
                "Whether the round trips of clients that L7 nodes measure count, in place of what the file says."
                    + " Docs/LatencyMap.md tells how."),
            .init(
                "tolerance", .durations(.zero ... .seconds(10)), .standard("20ms"),
                "How much more still counts as near."),
            .init(
                "explore", .share(0...50), .standard("1%"),
                "With `measured`: so much of the answers tries a region that may be nearer than the best known one."),
        ])

    static let priority = RecordSchema(
        "A priority step", "Keeps the first of an order that is left.",
        [
            .init("order", .list(.scalar(.candidate), atLeast: 1), .required, "The most wanted first."),
            .init(
                "trickle", .share(0...50), .standard("0%"),
                "So much of the answers goes to the next one all the time, so that it is warm and known to work."),
        ])

    static let capacity = RecordSchema(
        "A capacity step",
        "Fills answers in their order, each up to what it can carry, by the loads and capacities that regions report. What"
            + " earlier steps passed over comes after what they kept.",
        [.init("limit", .share(1...100), .standard("90%"), "Of its capacity that an answer is filled to.")])

    static let shed = RecordSchema(
        "A shed step", "Leaves an answer out of a part of the replies that grows with its load, in a straight line.",
        [
            .init("low", .share(0...100), .standard("80%"), "Of its capacity up to which it keeps everything."),
            .init("high", .share(1...200), .standard("100%"), "From which on it gets nothing. More than `low`."),
        ])
}
