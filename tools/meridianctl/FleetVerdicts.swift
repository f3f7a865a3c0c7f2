import ControlPlane
import Model

/// Services by region, as the nodes judge them. Nodes that see the same share a line: where they differ, it shows.
struct FleetVerdicts {
    private struct View {
        let service: String
        let cells: [String: String]
        var seenBy: [String]
    }

    private struct Chain {
        let title: String
        let lines: [String]
        var seenBy: [String]
    }

    private let nodeCount: Int
    private var regions: [String] = []
    private var views: [View] = []
    private var chains: [Chain] = []
    private var open: [(service: String, seenBy: [String])] = []

    init(_ statuses: [StatusValue]) {
        nodeCount = statuses.count
        for status in statuses {
            let node = status["node"].string ?? ""
            for service in status["services"].array { add(service, seenBy: node) }
        }
    }

    private mutating func add(_ service: StatusValue, seenBy node: String) {
        let name = service["service"].string ?? ""
        var cells: [String: String] = [:]
        for verdict in service["regions"].array {
            guard let region = verdict["region"].string else { continue }
            if !regions.contains(region) { regions.append(region) }
            cells[region] = Self.cell(verdict)
            if verdict["healthy"].bool == false { addChain("\(name) in \(region) is down", verdict["reasons"], node) }
        }
        if let known = views.firstIndex(where: { $0.service == name && $0.cells == cells }) {
            views[known].seenBy.append(node)
        } else {
            views.append(View(service: name, cells: cells, seenBy: [node]))
        }
        guard service["failOpen"].bool == true else { return }
        if let known = open.firstIndex(where: { $0.service == name }) {
            open[known].seenBy.append(node)
        } else {
            open.append((name, [node]))
        }
    }

    private mutating func addChain(_ title: String, _ reasons: StatusValue, _ node: String) {
        let lines = ReasonChain.lines(reasons)
        if let known = chains.firstIndex(where: { $0.title == title && $0.lines == lines }) {
            chains[known].seenBy.append(node)
        } else {
            chains.append(Chain(title: title, lines: lines, seenBy: [node]))
        }
    }

    private static func cell(_ verdict: StatusValue) -> String {
        var text = verdict["healthy"].bool == false ? "DOWN" : "healthy"
        if let share = verdict["share"].double, share < 1, verdict["healthy"].bool != false {
            text += " \(Figure.percent(share))"
        }
        var notes: [String] = []
        switch verdict["forced"].string.flatMap(Override.Action.init) {
        case .drain: notes.append("drained")
        case .up, .down: notes.append("forced")
        case nil: break
        }
        if verdict["heldUntil"].int != nil { notes.append("held down") }
        if verdict["frozen"].bool == true { notes.append("frozen") }
        if verdict["stale"].bool == true { notes.append("stale") }
        return notes.isEmpty ? text : text + " (\(notes.joined(separator: ", ")))"
    }

    var table: String {
        guard !views.isEmpty else { return "" }
        var table = Table(["service"] + regions + ["seen by"])
        // Stable: views of one service stay in the order of the nodes.
        for (_, view) in views.enumerated().sorted(by: {
            ($0.element.service, $0.offset) < ($1.element.service, $1.offset)
        }) {
            table.add([view.service] + regions.map { view.cells[$0] ?? "-" } + [names(view.seenBy)])
        }
        return table.text
    }

    /// Services that are down everywhere and are therefore used everywhere.
    var failOpen: String {
        open.map {
            "FAIL-OPEN: \($0.service) is down in every region, so all of them are used (\(names($0.seenBy)))\n"
        }.joined()
    }

    /// Why something is down, said once for all who say the same.
    var reasons: String {
        chains.map { chain in
            "\(chain.title) (\(names(chain.seenBy)))\n" + chain.lines.map { "  \($0)\n" }.joined()
        }.joined()
    }

    private func names(_ nodes: [String]) -> String {
        if nodes.count == nodeCount, nodeCount > 1 { return "every node" }
        return nodes.prefix(4).joined(separator: ", ") + (nodes.count > 4 ? " and \(nodes.count - 4) more" : "")
    }
}
