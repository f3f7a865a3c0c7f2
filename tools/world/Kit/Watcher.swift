package import ControlPlane
import Foundation
import Model

/// Looks at all nodes once a second: the state of the world for the live view, and what happened since the last look.
package struct Watcher: Sendable {
    /// One look.
    package struct Look: Sendable {
        /// `/status` by node; nil for a node that does not answer.
        package var statuses: [String: StatusValue?]
        /// New events, `subject: text (who noticed)`, oldest first.
        package var events: [String]
    }

    private let world: World
    /// The number of the last event seen, by node and incarnation.
    private var seen: [String: Int64] = [:]
    private var answering: [String: Bool] = [:]

    package init(_ world: World) { self.world = world }

    package mutating func look() async -> Look {
        let world = world
        let names = world.snapshot.nodes.map(\.name)
        let statuses = await withTaskGroup(of: (String, StatusValue?).self) { group in
            for name in names { group.addTask { (name, await world.status(of: name)) } }
            return await group.reduce(into: [String: StatusValue?]()) { $0[$1.0] = .some($1.1) }
        }
        var news: [News] = []
        for name in names {
            let status = statuses[name].flatMap { $0 }
            if let was = answering[name], was != (status != nil) {
                news.append(
                    News(
                        time: 0, subject: name, text: status == nil ? "does not answer" : "answers again", nodes: []))
                // A new process counts its events anew.
                if status != nil { seen[name] = nil }
            }
            answering[name] = status != nil
            let last = seen[name] ?? 0
            for event in status?["events"].array ?? [] {
                guard let number = event["number"].int, number > last else { continue }
                seen[name] = max(seen[name] ?? 0, number)
                let item = News(
                    time: event["time"].int ?? 0, subject: event["subject"].string ?? "",
                    text: event["text"].string ?? "", nodes: [name])
                if let known = news.firstIndex(where: { $0.isSame(as: item) }) {
                    news[known].nodes.append(name)
                } else {
                    news.append(item)
                }
            }
        }
        return Look(statuses: statuses, events: news.sorted { $0.time < $1.time }.map(\.line))
    }

    /// Something that one or more nodes noticed.
    private struct News {
        /// Milliseconds since the Unix epoch.
        let time: Int64
        let subject: String
        let text: String
        /// Who noticed; nobody when we did.
        var nodes: [String]

        /// The same but for the figures in its text: each node counts its own milliseconds.
        func isSame(as other: News) -> Bool {
            subject == other.subject && text.filter { !$0.isNumber } == other.text.filter { !$0.isNumber }
        }

        var line: String {
            let witnesses =
                switch nodes.count {
                case 0: ""
                case 1: " (\(nodes[0]))"
                default: " (\(nodes[0]) and \(nodes.count - 1) more)"
                }
            return "\(subject): \(text)\(witnesses)"
        }
    }
}
