import ControlPlane
import Engine
import Model

/// The families `meridian_l4_…`.
enum ForwardingMetrics {
    static func add(_ workers: WorkerGroup, _ routes: [Route], dropped: UInt64, to text: inout MetricsText) {
        let totals: [(name: String, help: String, cell: Int)] = [
            ("connections_total", "Connections accepted.", Tally.accepted),
            ("connections_finished_total", "Connections that ended, in whatever way.", Tally.finished),
            ("connections_over_limit_total", "Connections closed because their listener was full.", Tally.overLimit),
            ("connections_refused_total", "Connections for which no endpoint could be reached.", Tally.refused),
            (
                "connections_exhausted_total",
                "Connections for which this node lacked a descriptor, memory or a port.", Tally.exhausted
            ),
            ("connects_failed_total", "Connects to endpoints that failed or took too long.", Tally.connectFailures),
            ("connects_retried_total", "Connects to another endpoint after a failure.", Tally.retries),
            ("connections_closed_on_down_total", "Connections ended with their endpoint.", Tally.closedOnDown),
            ("connections_idle_total", "Connections ended by the idle timeout.", Tally.idle),
            ("connections_reset_total", "Connections that broke on either side.", Tally.resets),
            ("client_bytes_total", "Octets received from clients.", Tally.fromClients),
            ("endpoint_bytes_total", "Octets received from endpoints.", Tally.fromEndpoints),
        ]
        for total in totals {
            text.counter("meridian_l4_\(total.name)", help: total.help, workers.total(total.cell))
        }
        text.counter("meridian_l4_access_lines_dropped_total", help: "Access lines that found no room.", dropped)
        var seen: Set<Int> = []
        for route in routes {
            for (position, slot) in route.slots.enumerated() where seen.insert(slot).inserted {
                add(route, position, slot, to: &text)
            }
        }
    }

    private static func add(_ route: Route, _ position: Int, _ slot: Int, to text: inout MetricsText) {
        let (pool, address) = (route.plan.pool.name, route.plan.endpoints[position].address.description)
        text.gauge(
            "meridian_l4_endpoint_up", help: "1 when the endpoint's check passes.",
            labels: ["pool": pool, "endpoint": address], route.table.state(slot).contains(.up) ? 1 : 0)
        text.gauge(
            "meridian_l4_endpoint_connections", help: "Connections on the endpoint now.",
            labels: ["pool": pool, "endpoint": address], Double(route.table.inFlight(slot)))
        text.counter(
            "meridian_l4_endpoint_connects_total", help: "Connects that succeeded.",
            labels: ["pool": pool, "endpoint": address], route.table.successes(slot))
        text.counter(
            "meridian_l4_endpoint_connects_failed_total", help: "Connects that failed.",
            labels: ["pool": pool, "endpoint": address], route.table.failures(slot))
    }
}
