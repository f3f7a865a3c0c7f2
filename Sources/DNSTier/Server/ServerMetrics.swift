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
        text.counter(
            "meridian_dns_log_lines_lost_total", help: "Access log lines that found no room.", view.lostLines)
        text.gauge(
            "meridian_dns_connections_waiting", help: "TCP connections with answers that the client has not taken.",
            Double(view.total(.busyConnections)))
        text.gauge(
            "meridian_dns_table_generation", help: "Answer tables published since the start.",
            Double(view.table.generation))
        for zone in view.table.zones.zones {
            text.gauge(
                "meridian_dns_zone_serial", help: "Serial number of a zone.", labels: ["zone": zone.origin],
                Double(zone.serial))
        }
        for (index, name) in view.preparation.names.enumerated() {
            text.gauge(
                "meridian_dns_name_fail_open",
                help: "1 while a dynamic name answers with candidates that are all unhealthy.",
                labels: ["name": name.settings.name], view.state.failOpen[index] ? 1 : 0)
            for (candidate, region) in name.regions.enumerated() {
                let health = view.state.health[index][candidate]
                text.gauge(
                    "meridian_dns_candidate_share",
                    help: "Share of its answers that a candidate takes: 0 while it is unhealthy.",
                    labels: ["name": name.settings.name, "region": region], health.healthy ? health.share : 0)
            }
        }
    }

    static let codes: [(String, QueryCounter)] = [
        ("NOERROR", .noError), ("FORMERR", .formatError), ("NXDOMAIN", .nameError), ("NOTIMP", .notImplemented),
        ("REFUSED", .refused), ("BADVERS", .badVersion), ("other", .otherCode),
    ]

    private static let totals: [(String, String, QueryCounter)] = [
        ("meridian_dns_dropped_total", "Queries without a reply: no header, or replies themselves.", .dropped),
        ("meridian_dns_truncated_total", "Replies with TC set.", .truncated),
        ("meridian_dns_edns_total", "Queries with EDNS.", .edns),
        ("meridian_dns_client_subnet_total", "Queries with a client subnet.", .subnet),
        ("meridian_dns_steered_total", "Replies that steering chose.", .dynamic),
        ("meridian_dns_connections_total", "TCP connections accepted.", .connections),
        ("meridian_dns_connections_refused_total", "TCP connections over the limit.", .connectionsRefused),
        ("meridian_dns_connections_timed_out_total", "TCP connections closed for idleness.", .connectionsTimedOut),
    ]
}
