import ControlPlane
import Model

/// The overrides of a fleet for people: one line each, however many nodes know of it.
struct OverrideTable {
    private var rows: [(id: String, value: StatusValue, knownBy: [String])] = []
    private let nodeCount: Int

    /// `statuses` have a node's name and its list of overrides.
    init(_ statuses: [(node: String, overrides: [StatusValue])]) {
        nodeCount = statuses.count
        for (node, overrides) in statuses {
            for value in overrides {
                let id = value["id"].string ?? ""
                if let known = rows.firstIndex(where: { $0.id == id }) {
                    rows[known].knownBy.append(node)
                } else {
                    rows.append((id, value, [node]))
                }
            }
        }
        rows.sort { ($0.value["stamp"].int ?? 0, $0.id) < ($1.value["stamp"].int ?? 0, $1.id) }
    }

    var isEmpty: Bool { rows.isEmpty }

    /// Oldest first: where several match, the last decides.
    var text: String {
        var table = Table(["override", "on", "says", "left", "by", "reason", "known by"])
        for row in rows {
            let action = row.value["action"].string.flatMap(Override.Action.init)
            let isGate = row.value["kind"].string == Override.Target.Kind.gate.rawValue
            let against = row.value["against"].array.compactMap(\.string)
            let reason = row.value["reason"].string ?? ""
            table.add([
                row.id, row.value["target"].string ?? "", action.map { Self.word($0, isGate: isGate) } ?? "",
                Figure.age(row.value["remainingSeconds"].double), row.value["author"].string ?? "",
                (reason + (against.isEmpty ? "" : " (against \(against.joined(separator: ", ")))")).clipped(to: 100),
                knownBy(row.knownBy),
            ])
        }
        return table.text
    }

    private func knownBy(_ nodes: [String]) -> String {
        if nodes.count == nodeCount, nodeCount > 1 { return "every node" }
        return nodes.prefix(3).joined(separator: ", ") + (nodes.count > 3 ? " and \(nodes.count - 3) more" : "")
    }

    static func word(_ action: Override.Action, isGate: Bool = false) -> String {
        switch action {
        case .drain: "drained"
        case .up: isGate ? "open" : "forced up"
        case .down: isGate ? "closed" : "forced down"
        }
    }
}
