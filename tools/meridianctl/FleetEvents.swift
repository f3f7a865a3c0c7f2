import ControlPlane

/// The latest events of all nodes, in the order in which they happened.
enum FleetEvents {
    private static let shown = 12

    static func text(_ statuses: [StatusValue]) -> String {
        var events: [(time: Int64, node: String, value: StatusValue)] = []
        for status in statuses {
            for event in status["events"].array {
                events.append((event["time"].int ?? 0, status["node"].string ?? "", event))
            }
        }
        guard !events.isEmpty else { return "" }
        var table = Table(["time (UTC)", "node", "about", "event"])
        for event in events.sorted(by: { ($0.time, $0.node) < ($1.time, $1.node) }).suffix(shown) {
            table.add([
                clock(event.time), event.node, event.value["subject"].string ?? "", event.value["text"].string ?? "",
            ])
        }
        return table.text
    }

    /// The time of day, to the millisecond.
    static func clock(_ milliseconds: Int64) -> String {
        func digits(_ value: Int64, _ count: Int) -> String {
            let text = "\(value)"
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let day = ((milliseconds % 86_400_000) + 86_400_000) % 86_400_000
        return "\(digits(day / 3_600_000, 2)):\(digits(day / 60_000 % 60, 2)):\(digits(day / 1_000 % 60, 2))"
            + ".\(digits(day % 1_000, 3))"
    }
}
