import Engine
import Federation
import HTTPExchange
import Health
import Model

/// `/metrics`: what every node has, then what its tier adds.
enum NodeMetrics {
    static func text(_ node: RunningNode) -> String {
        var text = MetricsText()
        ProcessMetrics.append(to: &text)
        identity(node, &text)
        configuration(node, &text)
        events(node, &text)
        verdicts(node, &text)
        overrides(node, &text)
        saved(node, &text)
        loads(node, &text)
        endpoints(node, &text)
        DatabaseMetrics.add(node.probing.databases, to: &text)
        candidates(node, &text)
        federation(node, &text)
        node.plane.metrics(into: &text)
        return text.rendered
    }

    private static func identity(_ node: RunningNode, _ text: inout MetricsText) {
        let configuration = node.state.configuration
        text.gauge(
            "meridian_node_info", help: "Constant 1; the labels say which node this is.",
            labels: [
                "node": node.name, "tier": node.plane.tier.rawValue, "region": configuration.regionName,
                "configuration": configuration.fingerprintText,
            ], 1)
        for shortage in Shortage.allCases {
            text.counter(
                "meridian_node_shortages_total", help: "Times that this process lacked something of its own.",
                labels: ["resource": shortage.label], ShortageCounts.process[shortage])
        }
        for (server, crowding) in node.crowding {
            for (fate, count) in [("evicted", crowding.evicted), ("refused", crowding.refused)] {
                text.counter(
                    "meridian_control_connections_crowded_total",
                    help:
                        "Connections to the admin API or federation that had to go for want of room: evicted for a newer"
                        + " one before they had proved who they are, or refused because all others were busy.",
                    labels: ["server": server, "fate": fate], count)
            }
        }
        text.counter(
            "meridian_node_standstills_total", help: "Times that this process did not run for two seconds or more.",
            node.standstills.count)
        let current = node.state.phase.state
        for state in Report.State.allCases {
            text.gauge(
                "meridian_node_state", help: "1 for the state that the node is in.", labels: ["state": state.rawValue],
                state == current ? 1 : 0)
        }
    }

    private static func configuration(_ node: RunningNode, _ text: inout MetricsText) {
        let configuration = node.state.configuration
        let reloads = node.state.reloads
        text.gauge(
            "meridian_config_generation", help: "1 at boot, one more with each reload.",
            Double(configuration.generation))
        text.gauge(
            "meridian_config_last_reload_successful",
            help: "1 when the latest reload, or the boot, was taken; 0 when it was refused and changed nothing.",
            reloads.latestWasRefused ? 0 : 1)
        text.gauge(
            "meridian_config_last_reload_success_timestamp_seconds",
            help: "When the configuration in force was taken, seconds since the Unix epoch.",
            Double(configuration.loadedAt.milliseconds) / 1000)
        for (result, count) in [("taken", reloads.taken), ("refused", reloads.refused)] {
            text.counter(
                "meridian_config_reloads_total", help: "Reloads since the start, by what became of them.",
                labels: ["result": result], count)
        }
    }

    private static func events(_ node: RunningNode, _ text: inout MetricsText) {
        for severity in Event.Severity.allCases {
            text.counter(
                "meridian_events_total", help: "Events since the start, by who has to look.",
                labels: ["severity": severity.rawValue], node.board.events.count(of: severity))
        }
    }

    private static func verdicts(_ node: RunningNode, _ text: inout MetricsText) {
        for each in node.board.verdicts {
            text.gauge(
                "meridian_service_healthy", help: "1 when the service can be used in the region.",
                labels: ["service": each.service, "region": each.region], each.verdict.healthy ? 1 : 0)
            text.gauge(
                "meridian_service_share", help: "Share of its traffic that a returning region takes, 0 to 1.",
                labels: ["service": each.service, "region": each.region], each.verdict.share)
            text.gauge(
                "meridian_service_stale", help: "1 while the verdict is the one from before a restart, not confirmed.",
                labels: ["service": each.service, "region": each.region], each.verdict.stale ? 1 : 0)
            text.gauge(
                "meridian_service_forced", help: "1 while an operator's word decides, not evidence.",
                labels: ["service": each.service, "region": each.region], each.verdict.forced == nil ? 0 : 1)
            text.gauge(
                "meridian_service_held_down", help: "1 while flapping keeps the service down in the region.",
                labels: ["service": each.service, "region": each.region], each.verdict.heldUntil == nil ? 0 : 1)
        }
        for service in Set(node.board.verdicts.map(\.service)).sorted() {
            text.gauge(
                "meridian_service_fail_open",
                help: "1 while the service is down in every region and answers hold all of them.",
                labels: ["service": service], node.board.failOpen(service: service) ? 1 : 0)
        }
        text.gauge(
            "meridian_verdicts_frozen", help: "1 while too many peers are silent and verdicts stand as they were.",
            node.loop.evaluation?.frozen == true ? 1 : 0)
    }

    private static func loads(_ node: RunningNode, _ text: inout MetricsText) {
        for (key, load) in node.board.view.allLoads {
            text.gauge(
                "meridian_region_rate", help: "Operations per second of a service in a region, smoothed.",
                labels: ["service": key.service, "region": key.region], load.rate)
            text.gauge(
                "meridian_region_in_flight", help: "Operations under way in a region, smoothed.",
                labels: ["service": key.service, "region": key.region], load.inFlight)
        }
        var told: Set<String> = []
        for (key, load) in node.board.view.allLoads where told.insert(key.region).inserted {
            guard let utilization = load.utilization else { continue }
            text.gauge(
                "meridian_region_utilization", help: "Load of a region as a part of its capacity: 1 is full.",
                labels: ["region": key.region], utilization)
        }
    }

    private static func saved(_ node: RunningNode, _ text: inout MetricsText) {
        let counters = node.keeper.counters
        text.counter("meridian_state_writes_total", help: "State files written.", counters.writes)
        text.counter("meridian_state_write_failures_total", help: "State files not written.", counters.failures)
        text.gauge("meridian_state_bytes", help: "Size of the state file.", Double(counters.size))
        if let written = counters.writtenAt {
            text.gauge(
                "meridian_state_written_timestamp_seconds", help: "When it was written, seconds since the Unix epoch.",
                Double(written.milliseconds) / 1000)
        }
    }

    private static func overrides(_ node: RunningNode, _ text: inout MetricsText) {
        for rule in Safety(node).value.array {
            let name = rule["rule"].string ?? ""
            // A closed gate does what it is for: nothing is broken, and no alert should say so.
            if let isOpen = rule["open"].bool {
                text.gauge(
                    "meridian_safety_gate_open", help: "1 while a gate is open, so that what it guards may be changed.",
                    labels: ["gate": name], isOpen ? 1 : 0)
            } else {
                text.gauge(
                    "meridian_safety_rule_holds", help: "1 while a safety rule holds, 0 while it is broken.",
                    labels: ["rule": name], rule["holds"].bool == true ? 1 : 0)
            }
        }
        let live = node.overrides.set.live(at: node.hub.timeOfDay.now)
        for action in Override.Action.allCases {
            text.gauge(
                "meridian_overrides", help: "Operators' overrides in force.", labels: ["action": action.rawValue],
                Double(live.count { $0.action == action }))
        }
        if let next = live.map(\.expires).min() {
            text.gauge(
                "meridian_overrides_next_expiry_timestamp_seconds",
                help: "When the next override expires, seconds since the Unix epoch.",
                Double(next.milliseconds) / 1000)
        }
    }

    private static func endpoints(_ node: RunningNode, _ text: inout MetricsText) {
        let configuration = node.state.configuration
        let snapshot = configuration.snapshot
        let table = node.board.endpoints
        for pool in configuration.ownPools {
            for endpoint in snapshot.endpoints(of: pool, in: configuration.me.region) {
                let slot = configuration.slots[endpoint.index]
                let (name, address) = (snapshot[pool].name, "\(snapshot[endpoint].address)")
                let labels: MetricsText.Labels = ["pool": name, "endpoint": address]
                text.gauge(
                    "meridian_endpoint_up", help: "1 when the endpoint's check passes, by its rise and fall.",
                    labels: labels, table.state(slot).contains(.up) ? 1 : 0)
                text.gauge(
                    "meridian_endpoint_ejected", help: "1 while the endpoint is out because real traffic failed on it.",
                    labels: labels, table.state(slot).contains(.ejected) ? 1 : 0)
                text.gauge(
                    "meridian_endpoint_usable", help: "1 when new traffic may go to the endpoint.", labels: labels,
                    table.state(slot).isUsable ? 1 : 0)
                text.gauge(
                    "meridian_endpoint_in_flight", help: "Requests or connections on the endpoint.", labels: labels,
                    Double(max(0, table.inFlight(slot))))
                text.counter(
                    "meridian_endpoint_successes_total", help: "Operations that the endpoint served.", labels: labels,
                    table.successes(slot))
                text.counter(
                    "meridian_endpoint_failures_total", help: "Operations that failed by the endpoint's fault.",
                    labels: labels, table.failures(slot))
                text.summary(
                    "meridian_endpoint_latency_seconds",
                    help: "HTTP: from a request's head to the end of its response. TCP: until the connection stands.",
                    labels: labels, sum: Double(table.latencySum(slot)) / 1e9, count: table.successes(slot))
                checks(node.probing.checks(slot), pool: name, endpoint: address, &text)
            }
        }
    }

    private static func checks(
        _ checks: EndpointProbing.Checks?, pool: String, endpoint: String, _ text: inout MetricsText
    ) {
        guard let checks else { return }
        let labels: MetricsText.Labels = ["pool": pool, "endpoint": endpoint]
        text.gauge(
            "meridian_endpoint_check_passed", help: "1 when the latest check passed, whatever rise and fall say.",
            labels: labels, checks.latest.up ? 1 : 0)
        text.gauge(
            "meridian_endpoint_check_duration_seconds", help: "How long the latest check took.", labels: labels,
            Double(checks.latest.latency.nanoseconds) / 1e9)
        for (result, count) in [("passed", checks.passed), ("failed", checks.failed)] {
            text.counter(
                "meridian_endpoint_checks_total", help: "Checks of the endpoint, by how they ended.",
                labels: ["pool": pool, "endpoint": endpoint, "result": result], count)
        }
    }

    /// What a DNS node sees of the addresses that it answers with.
    private static func candidates(_ node: RunningNode, _ text: inout MetricsText) {
        var told: Set<String> = []
        for (candidate, report) in node.candidates.candidates {
            guard let report, told.insert("\(candidate.name) \(candidate.region) \(candidate.address)").inserted else {
                continue
            }
            text.gauge(
                "meridian_name_check_up", help: "1 when an address that a name answers with can be reached from here.",
                labels: ["name": candidate.name, "region": candidate.region, "address": "\(candidate.address)"],
                report.up ? 1 : 0)
        }
    }

    private static func federation(_ node: RunningNode, _ text: inout MetricsText) {
        let counters = node.hub.counters
        let staleAfter = node.state.configuration.snapshot.federation.staleAfter
        let entries = node.hub.entries
        for peer in node.state.configuration.snapshot.nodes where peer.federation != nil && peer.name != node.name {
            text.gauge(
                "meridian_federation_peer_fresh", help: "1 when the peer was heard within staleAfter.",
                labels: ["peer": peer.name],
                Voice(entries[peer.name], staleAfter: staleAfter, now: node.clock.now) == .fresh ? 1 : 0)
        }
        text.counter(
            "meridian_federation_reports_published_total", help: "Reports that this node signed.", counters.published)
        text.counter(
            "meridian_federation_reports_accepted_total", help: "Reports of peers that were news.", counters.accepted)
        text.counter(
            "meridian_federation_reports_repeated_total", help: "Reports that were known already.",
            counters.duplicates + counters.superseded)
        for refusal in Refusal.allCases {
            text.counter(
                "meridian_federation_reports_refused_total", help: "Reports that were not believed, by reason.",
                labels: ["reason": refusal.rawValue], counters.refused[refusal] ?? 0)
        }
        text.counter(
            "meridian_federation_polls_answered_total", help: "Long polls of peers that were answered.",
            counters.pollsAnswered)
        text.counter(
            "meridian_federation_polls_refused_total", help: "Requests without a valid authorization.",
            counters.pollsRefused)
    }
}
