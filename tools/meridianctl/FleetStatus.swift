import ControlPlane

/// What all nodes say, put together for one screen.
struct FleetStatus {
    typealias Answer = (target: Target, answer: Result<StatusValue, AdminClient.Failure>)

    private let answers: [Answer]
    /// Of the nodes that answered.
    private let statuses: [StatusValue]

    init(_ answers: [Answer]) {
        self.answers = answers
        statuses = answers.compactMap { try? $0.answer.get() }
    }

    var text: String {
        let verdicts = FleetVerdicts(statuses)
        return [
            nodes, overrides, safety, verdicts.table, verdicts.failOpen, verdicts.reasons, loads, pools, vantages,
            FleetEvents.text(statuses),
        ]
        .filter { !$0.isEmpty }.joined(separator: "\n")
    }

    /// Safety rules that do not hold, and gates, as the nodes see them; said once for all who say the same.
    private var safety: String {
        var told: Set<String> = []
        var lines = ""
        for rule in statuses.flatMap({ $0["safety"].array }) {
            let isGate = rule["kind"].string == "gate"
            guard isGate || rule["holds"].bool == false else { continue }
            let text = rule["text"].string ?? ""
            let line = isGate ? "gate: \(text)\n" : "SAFETY: rule \(rule["rule"].string ?? "") does not hold: \(text)\n"
            if told.insert(line).inserted { lines += line }
        }
        return lines
    }

    private var overrides: String {
        let table = OverrideTable(statuses.map { ($0["node"].string ?? "", $0["overrides"].array) })
        return table.isEmpty ? "" : table.text
    }

    private var nodes: String {
        var table = Table(["node", "tier", "region", "state", "up", "configuration", "rate", "peers"])
        for (target, answer) in answers {
            switch answer {
            case .failure(let failure):
                let state = failure.isUnreachable ? "no answer" : "refuses"
                table.add([target.name, "", "", "\(state): \(failure.description)"])
            case .success(let status):
                table.add([
                    status["node"].string ?? target.name, status["tier"].string ?? "", status["region"].string ?? "",
                    Self.state(status), Figure.age(status["uptimeSeconds"].double),
                    Self.configuration(status["configuration"]), Figure.rate(status["traffic"]["ratePerSecond"].double),
                    Self.peers(status["peers"].array),
                ])
            }
        }
        return table.text
    }

    private static func state(_ status: StatusValue) -> String {
        let state = status["state"].string ?? "unknown"
        let reason = status["drainReason"].string ?? ""
        return (reason.isEmpty ? state : "\(state) (\(reason))") + (status["frozen"].bool == true ? ", frozen" : "")
    }

    /// Nodes with the same topology show the same eight digits.
    private static func configuration(_ configuration: StatusValue) -> String {
        guard let fingerprint = configuration["fingerprint"].string else { return "" }
        return fingerprint.prefix(8) + (configuration["generation"].int.map { " #\($0)" } ?? "")
    }

    /// How many peers are heard, and the names of those that are not.
    private static func peers(_ peers: [StatusValue]) -> String {
        guard !peers.isEmpty else { return "" }
        let unheard = peers.filter { $0["voice"].string != "fresh" }
        let names = unheard.prefix(3).map { "\($0["node"].string ?? "") \($0["voice"].string ?? "unheard")" }
        let more = unheard.count > 3 ? " and \(unheard.count - 3) more" : ""
        return "\(peers.count - unheard.count)/\(peers.count)"
            + (names.isEmpty ? "" : " (\(names.joined(separator: ", "))\(more))")
    }

    /// What each region carries, as the freshest node sees it.
    private var loads: String {
        var freshest: [String: (age: Int64, value: StatusValue)] = [:]
        for load in statuses.flatMap({ $0["loads"].array }) {
            let key = "\(load["region"].string ?? "") \(load["service"].string ?? "")"
            let age = load["ageMilliseconds"].int ?? .max
            if let known = freshest[key], known.age <= age { continue }
            freshest[key] = (age, load)
        }
        var table = Table(["region", "service", "rate", "in flight", "region's rate", "capacity", "full"])
        for (_, load) in freshest.sorted(by: { $0.key < $1.key }) {
            let value = load.value
            table.add([
                value["region"].string ?? "", value["service"].string ?? "", Figure.rate(value["ratePerSecond"].double),
                Figure.plain((value["inFlight"].double ?? 0).rounded()),
                Figure.rate(value["regionRatePerSecond"].double),
                Figure.rate(value["capacity"].double), Figure.percent(value["utilization"].double),
            ])
        }
        return table.isEmpty ? "" : table.text
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
                    primaries > 0 || replicas > 0 ? "\(primaries) primary, \(replicas) replica" : "",
                    "\(pool["inFlight"].int ?? 0)", Figure.rate(pool["ratePerSecond"].double),
                    Figure.percent(pool["errorRate"].double), Figure.milliseconds(pool["p50Milliseconds"].double),
                    Figure.milliseconds(pool["p99Milliseconds"].double),
                    pool["troubles"].array.compactMap(\.string).joined(separator: "; "),
                ])
            }
        }
        return table.isEmpty ? "" : table.text
    }

    /// What DNS nodes see at the addresses that they answer with, where it is not good.
    private var vantages: String {
        var table = Table(["name", "region", "address", "seen by", "trouble"])
        for status in statuses {
            for candidate in status["candidates"].array where candidate["up"].bool == false {
                table.add([
                    candidate["name"].string ?? "", candidate["region"].string ?? "", candidate["address"].string ?? "",
                    status["node"].string ?? "", candidate["reason"].string ?? "",
                ])
            }
        }
        return table.isEmpty ? "" : table.text
    }
}
