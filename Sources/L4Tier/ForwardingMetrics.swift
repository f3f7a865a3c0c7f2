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
            ("received_bytes_total", "Octets received from clients.", Tally.fromClients),
            ("sent_bytes_total", "Octets of endpoints, sent to clients.", Tally.fromEndpoints),
        ]
        for total in totals {
            text.counter("meridian_l4_\(total.name)", help: total.help, workers.total(total.cell))
        }
        text.droppedLines("access", dropped)
    }
}
