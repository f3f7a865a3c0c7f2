import ControlPlane

/// What all nodes say, put together for one screen.
struct FleetStatus {
    private let answers: [(target: Target, answer: Result<StatusValue, AdminClient.Failure>)]
    /// Of the nodes that answered.
    private let statuses: [StatusValue]

    init(_ answers: [(target: Target, answer: Result<StatusValue, AdminClient.Failure>)]) {
        self.answers = answers
        statuses = answers.compactMap { try? $0.answer.get() }
    }

    var text: String {
        [nodes, services, reasons, pools, events].filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private var nodes: String {
        var table = Table(["node", "tier", "region", "state", "up", "configuration", "rate", "peers"])
        for (target, answer) in answers {
            switch answer {
            case .failure(let failure):
                table.add([
                    target.name, "", "", failure.isUnreachable ? "no answer" : "refuses", "", failure.description,
                ])
            case .success(let status):
                let peers = status["peers"].array
                let fresh = peers.count { $0["fresh"].bool == true }
                table.add([
                    status["node"].string ?? target.name, status["tier"].string ?? "", status["region"].string ?? "",
                    Self.state(status), Self.duration(status["uptimeSeconds"].double),
                    status["configuration"].string ?? "", Self.rate(status["rate"].double),
                    peers.isEmpty ? "" : "\(fresh)/\(peers.count)",
                ])
            }
        }
        return table.text
    }

    /// One line per service, one column per region, as each tier sees it: a verdict grows from L4 over L7 to DNS.
    private var services: String {
        var regions: [String] = []
        var rows: [(service: String, seenBy: String, cells: [String: String])] = []
        for status in statuses {
            let seenBy = status["node"].string ?? ""
            for verdict in status["verdicts"].array {
                guard let service = verdict["service"].string, let region = verdict["region"].string else { continue }
                if !regions.contains(region) { regions.append(region) }
                let cell = Self.cell(verdict)
                if let row = rows.firstIndex(where: { $0.service == service && $0.seenBy == seenBy }) {
                    rows[row].cells[region] = cell
                } else {
                    rows.append((service, seenBy, [region: cell]))
                }
            }
        }
        guard !rows.isEmpty else { return "" }
        var table = Table(["service", "seen by"] + regions)
        for row in rows.sorted(by: { ($0.service, $0.seenBy) < ($1.service, $1.seenBy) }) {
            table.add([row.service, row.seenBy] + regions.map { row.cells[$0] ?? "-" })
        }
        return table.text
    }

    /// Why something is down, said once for all who say the same.
    private var reasons: String {
        var chains: [(title: String, lines: [String], seenBy: [String])] = []
        for status in statuses {
            for verdict in status["verdicts"].array where verdict["healthy"].bool == false {
                let title = "\(verdict["service"].string ?? "") in \(verdict["region"].string ?? "") is down"
                let lines = ReasonChain.lines(verdict["reasons"])
                let node = status["node"].string ?? ""
                if let known = chains.firstIndex(where: { $0.title == title && $0.lines == lines }) {
                    chains[known].seenBy.append(node)
                } else {
                    chains.append((title, lines, [node]))
                }
            }
        }
        return chains.map { chain in
            (["\(chain.title) (\(chain.seenBy.joined(separator: ", ")))"] + chain.lines.map { "  \($0)" })
                .joined(separator: "\n") + "\n"
        }.joined()
    }

    private var pools: String {
        var table = Table(["pool", "node", "up", "roles", "in flight", "rate", "errors", "p50", "p99", "trouble"])
        for status in statuses {
            for pool in status["pools"].array {
                let primaries = pool["primaries"].int ?? 0
                let replicas = pool["replicas"].int ?? 0
                table.add([
                    pool["pool"].string ?? "", status["node"].string ?? "",
                    "\(pool["up"].int ?? 0)/\(pool["total"].int ?? 0)",
                    primaries + replicas > 0 ? "\(primaries) primary, \(replicas) replica" : "",
                    "\(pool["inFlight"].int ?? 0)", Self.rate(pool["ratePerSecond"].double),
                    Self.percent(pool["errorRate"].double), Self.milliseconds(pool["p50Milliseconds"].double),
                    Self.milliseconds(pool["p99Milliseconds"].double),
                    pool["troubles"].array.compactMap(\.string).joined(separator: "; "),
                ])
            }
        }
        return table.isEmpty ? "" : table.text
    }

    private var events: String { "" }

    // MARK: - Cells

    private static func state(_ status: StatusValue) -> String {
        let state = status["state"].string ?? "unknown"
        let reason = status["drainReason"].string ?? ""
        return reason.isEmpty ? state : "\(state) (\(reason))"
    }

    private static func cell(_ verdict: StatusValue) -> String {
        var text = verdict["healthy"].bool == false ? "DOWN" : "healthy"
        if let share = verdict["share"].double, share < 1, verdict["healthy"].bool != false {
            text += " \(Int((share * 100).rounded()))%"
        }
        if verdict["frozen"].bool == true { text += " (frozen)" }
        return text
    }

    static func duration(_ seconds: Double?) -> String {
        guard let seconds, seconds.isFinite, seconds >= 0 else { return "" }
        let whole = Int(min(seconds, 1e12))
        switch whole {
        case ..<120: return "\(whole)s"
        case ..<7_200: return "\(whole / 60)m"
        case ..<172_800: return "\(whole / 3_600)h"
        default: return "\(whole / 86_400)d"
        }
    }

    static func rate(_ rate: Double?) -> String {
        guard let rate, rate.isFinite else { return "" }
        return rate >= 10 || rate == 0 ? "\(Int(min(rate, 1e15)))/s" : "\((rate * 10).rounded() / 10)/s"
    }

    static func percent(_ share: Double?) -> String {
        guard let share, share.isFinite else { return "" }
        return "\((share * 1_000).rounded() / 10)%"
    }

    static func milliseconds(_ value: Double?) -> String {
        guard let value, value.isFinite, value > 0 else { return "" }
        return "\((value * 100).rounded() / 100) ms"
    }
}
