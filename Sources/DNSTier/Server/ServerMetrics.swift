import ControlPlane
import Model
import Steering

/// The DNS tier's families of `/metrics`.
enum ServerMetrics {
    static func write(_ view: ServerView, into text: inout MetricsText) {
        for (transport, counter) in [("udp", QueryCounter.udp), ("tcp", .tcp)] {
            text.counter(
                "meridian_dns_queries_total", help: "Queries received.", labels: ["transport": transport],
                view.total(counter))
        }
        for (code, counter) in codes {
            text.counter(
                "meridian_dns_responses_total", help: "Replies by response code.", labels: ["code": code],
                view.total(counter))
        }
        for (name, help, counter) in totals { text.counter(name, help: help, view.total(counter)) }
        text.droppedLines("access", view.lostLines)
        text.droppedLines("explain", view.journal?.lost ?? 0)
        text.counter(
            "meridian_dns_explained_total", help: "Sampled answers that were explained in the log.",
            view.journal?.written ?? 0)
        text.gauge(
            "meridian_dns_connections_waiting", help: "TCP connections with answers that the client has not taken.",
            Double(view.total(.busyConnections)))
        text.gauge(
            "meridian_dns_table_generation", help: "Answer tables published since the start.",
            Double(view.table.generation))
        text.gauge("meridian_dns_zones", help: "Zones served.", Double(view.table.zones.segments.count))
        text.gauge(
            "meridian_dns_zones_kept", help: "Zones whose files could not be read anew and that are as they were.",
            Double(view.preparation.keptZones.count))
        text.gauge(
            "meridian_dns_zone_memory_bytes", help: "What the compiled zones take.",
            Double(view.table.zones.memorySize))
        measured(view, &text)
        // A family for each of very many zones would be longer than all else.
        for zone in view.table.zones.zones.prefix(1000) {
            text.gauge(
                "meridian_dns_zone_serial", help: "Serial number of a zone.", labels: ["zone": zone.origin],
                Double(zone.serial))
        }
        for total in view.state.answers.ledger.totals(view.answerCounts) {
            text.counter(
                "meridian_dns_answers_total",
                help: "Answers of dynamic names by region; one of several regions counts for each.",
                labels: ["name": total.name, "region": total.region], total.count)
        }
        for (index, name) in view.preparation.names.enumerated() {
            let facts = view.state.facts(of: index)
            text.gauge(
                "meridian_dns_name_fail_open",
                help: "1 while a dynamic name answers with candidates that are all unhealthy.",
                labels: ["name": name.settings.name], facts.failOpen ? 1 : 0)
            text.gauge(
                "meridian_dns_name_stale",
                help: "1 while a dynamic name answers by health that nothing heard now confirms.",
                labels: ["name": name.settings.name], facts.isStale ? 1 : 0)
            if name.plan.explores {
                text.gauge(
                    "meridian_dns_explored_answer_share",
                    help: "Expected share of a name's answers that try a region of which little is known.",
                    labels: ["name": name.settings.name], facts.explored)
            }
            let states = view.state.health(of: index)
            for (candidate, leaf) in name.candidates.enumerated() {
                let health = states[candidate]
                text.gauge(
                    "meridian_dns_candidate_share",
                    help: "Share of its answers that a candidate takes: 0 while it is unhealthy.",
                    labels: ["name": name.settings.name, "answer": leaf.answer, "region": leaf.region],
                    health.healthy ? health.share : 0)
            }
        }
    }

    private static func measured(_ view: ServerView, _ text: inout MetricsText) {
        guard view.preparation.snapshot.dns.measuresLatency else { return }
        let measured = view.measured
        text.gauge(
            "meridian_dns_latency_prefixes", help: "Client prefixes whose round trips are known, wider ones included.",
            Double(measured.prefixes))
        text.counter("meridian_dns_latency_samples_total", help: "Round trips that peers reported.", measured.samples)
        text.counter(
            "meridian_dns_latency_windows_total", help: "Windows of round trips that were taken, each once.",
            measured.windows)
        text.counter(
            "meridian_dns_latency_evicted_total", help: "Client prefixes forgotten for room.", measured.evicted)
        text.counter(
            "meridian_dns_latency_tables_total", help: "Latency tables made of measurements.", measured.tables)
        if let age = measured.age {
            text.gauge(
                "meridian_dns_latency_age_seconds", help: "Since the latest round trips were reported.",
                Double(age.milliseconds) / 1000)
        }
    }

    static let codes: [(String, QueryCounter)] = [
        ("NOERROR", .noError), ("FORMERR", .formatError), ("NXDOMAIN", .nameError), ("NOTIMP", .notImplemented),
        ("REFUSED", .refused), ("BADVERS", .badVersion), ("BADCOOKIE", .badCookie), ("other", .otherCode),
    ]

    private static let totals: [(String, String, QueryCounter)] = [
        ("meridian_dns_dropped_total", "Queries without a reply: no header, or replies themselves.", .dropped),
        ("meridian_dns_truncated_total", "Replies with TC set.", .truncated),
        ("meridian_dns_edns_total", "Queries with EDNS.", .edns),
        ("meridian_dns_client_subnet_total", "Queries with a client subnet.", .subnet),
        ("meridian_dns_cookies_total", "Queries with a cookie.", .cookies),
        ("meridian_dns_good_cookies_total", "Queries with a good cookie.", .goodCookies),
        ("meridian_dns_rate_dropped_total", "Replies over the rate limit that were not sent.", .rateDropped),
        ("meridian_dns_rate_slipped_total", "Replies over the rate limit that were sent truncated.", .rateSlipped),
        ("meridian_dns_proxy_refused_total", "Datagrams and connections without a good PROXY header.", .proxyRefused),
        ("meridian_dns_steered_total", "Replies that steering chose.", .dynamic),
        ("meridian_dns_stale_answers_total", "Answers that said that they are stale (EDE 3).", .stale),
        ("meridian_dns_connections_total", "TCP connections accepted.", .connections),
        ("meridian_dns_connections_refused_total", "TCP connections over the limit.", .connectionsRefused),
        ("meridian_dns_source_refused_total", "TCP connections over the limit for one source.", .sourceRefused),
        ("meridian_dns_connections_timed_out_total", "TCP connections closed for idleness.", .connectionsTimedOut),
    ]
}
