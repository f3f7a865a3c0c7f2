import ControlPlane
import Engine

/// The tier's families in `/metrics`.
enum Metrics {
    static func append(
        total: (Int) -> UInt64, traffic: TrafficBook, routes: [String], pools: [String], dropped: UInt64,
        to text: inout MetricsText
    ) {
        func counter(_ name: String, _ help: String, _ index: Int) {
            text.counter("meridian_l7_\(name)_total", help: help, total(index))
        }
        counter("connections", "Client connections accepted.", WorkerCounter.connections)
        text.gauge(
            "meridian_l7_open_connections", help: "Client connections open now.",
            Double(total(WorkerCounter.connections) &- total(WorkerCounter.closed)))
        counter("connections_rejected", "Client connections over the listener's limit.", WorkerCounter.rejected)
        counter("connections_unwelcome", "Client connections refused for want of descriptors.", WorkerCounter.unwelcome)
        counter("requests", "Requests whose head was accepted.", WorkerCounter.requests)
        counter("checks", "Checks of our own nodes, which are counted nowhere else.", WorkerCounter.checks)
        counter("requests_refused", "Requests answered 4xx by this node.", WorkerCounter.refused)
        counter("requests_unrouted", "Requests that no route matched.", WorkerCounter.unrouted)
        counter("requests_aborted", "Requests whose client went away.", WorkerCounter.aborted)
        counter("received_bytes", "Octets of requests.", WorkerCounter.bytesIn)
        counter("sent_bytes", "Octets of responses.", WorkerCounter.bytesOut)
        for digit in 1...5 {
            text.counter(
                "meridian_l7_responses_total", help: "Responses by the first digit of their status.",
                labels: ["class": "\(digit)xx"], total(WorkerCounter.status + digit - 1))
        }
        text.droppedLines("access", dropped)
        for route in routes {
            for (cell, name) in ["none", "1xx", "2xx", "3xx", "4xx", "5xx"].enumerated() {
                text.counter(
                    "meridian_l7_route_requests_total",
                    help: "Requests by route and the class of their status; none when the client left before one.",
                    labels: ["route": route, "class": name], traffic.total(route: route, cell))
            }
        }
        for pool in pools { append(pool, traffic, to: &text) }
    }

    private static func append(_ pool: String, _ traffic: TrafficBook, to text: inout MetricsText) {
        func counter(_ name: String, _ help: String, _ index: Int) {
            text.counter(
                "meridian_l7_pool_\(name)_total", help: help, labels: ["pool": pool], traffic.total(pool, index))
        }
        counter("requests", "Requests routed to the pool.", PoolCounter.requests)
        counter("failures", "Requests that failed by the pool's fault.", PoolCounter.failures)
        counter(
            "exhausted", "Requests for which this node lacked a descriptor, memory or a port.", PoolCounter.exhausted)
        counter("retries", "Attempts after the first.", PoolCounter.retries)
        counter("connects", "Connections made to endpoints.", PoolCounter.connects)
        counter("reuses", "Requests sent on a kept connection.", PoolCounter.reuses)
        for digit in 1...5 {
            text.counter(
                "meridian_l7_pool_responses_total", help: "The pool's responses by the first digit of their status.",
                labels: ["pool": pool, "class": "\(digit)xx"], traffic.total(pool, PoolCounter.status + digit - 1))
        }
        // One bucket to each power of two: the four of the counters would be a page per pool.
        let counts = traffic.latencies(of: pool)
        var bounds = [LatencyBuckets.upperBound(0)]
        var merged = [counts[0]]
        for start in stride(from: 1, to: counts.count - 1, by: 4) {
            bounds.append(LatencyBuckets.upperBound(start + 3))
            merged.append(counts[start..<(start + 4)].reduce(0, +))
        }
        merged.append(counts[counts.count - 1])
        text.histogram(
            "meridian_l7_pool_latency_seconds", help: "From a request's head to the end of its response.",
            labels: ["pool": pool], bounds: bounds, counts: merged,
            sum: Double(traffic.total(pool, PoolCounter.nanoseconds)) / 1e9)
    }
}
