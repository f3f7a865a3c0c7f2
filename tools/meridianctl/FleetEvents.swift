import ControlPlane

/// The latest events of all nodes, in the order in which they happened. What several nodes noticed within moments of each
/// other is told once.
enum FleetEvents {
    private static let shown = 12
    /// Milliseconds: longer than news takes to everybody, shorter than a thing takes to happen twice.
    private static let moment: Int64 = 3_000

    private struct Happening {
        let time: Int64
        let subject: String
        let text: String
        var nodes: [String]
    }

    static func text(_ statuses: [StatusValue]) -> String {
        var events: [(time: Int64, node: String, value: StatusValue)] = []
        for status in statuses {
            for event in status["events"].array {
                events.append((event["time"].int ?? 0, status["node"].string ?? "", event))
            }
        }
        guard !events.isEmpty else { return "" }
        // More than a screen needs, even when every node tells each of them.
        let latest = events.sorted { ($0.time, $0.node) < ($1.time, $1.node) }.suffix(1_000)
        var table = Table(["time (UTC)", "about", "event", "seen by"])
        for happening in gather(Array(latest)).suffix(shown) {
            let more = happening.nodes.count - 1
            table.add([
                clock(happening.time), happening.subject, happening.text.clipped(to: 100),
                happening.nodes[0] + (more > 0 ? " and \(more) more" : ""),
            ])
        }
        return table.text
    }

    private static func gather(_ events: [(time: Int64, node: String, value: StatusValue)]) -> [Happening] {
        var happenings: [Happening] = []
        for event in events {
            let subject = event.value["subject"].string ?? ""
            let text = event.value["text"].string ?? ""
            let known = happenings.lastIndex { earlier in
                earlier.subject == subject && earlier.text == text && event.time - earlier.time <= moment
                    && !earlier.nodes.contains(event.node)
            }
            if let known {
                happenings[known].nodes.append(event.node)
            } else {
                happenings.append(Happening(time: event.time, subject: subject, text: text, nodes: [event.node]))
            }
        }
        return happenings
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

extension String {
    /// At most `length` characters, the last three of them dots when something was left out.
    func clipped(to length: Int) -> String { count <= length ? self : prefix(length - 3) + "..." }
}
