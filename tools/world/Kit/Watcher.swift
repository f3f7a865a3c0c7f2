package import ControlPlane
import Foundation
import Model

/// Looks at all nodes once a second: the state of the world for the live view, and what happened since the last look.
package struct Watcher: Sendable {
    /// One look.
    package struct Look: Sendable {
        /// `/status` by node; nil for a node that does not answer.
        package var statuses: [String: StatusValue?]
        /// New events, `node: subject: text`, oldest first.
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
        var events: [(time: Int64, text: String)] = []
        for name in names {
            let status = statuses[name].flatMap { $0 }
            if let was = answering[name], was != (status != nil) {
                events.append((0, "\(name): \(status == nil ? "does not answer" : "answers again")"))
                // A new process counts its events anew.
                if status != nil { seen[name] = nil }
            }
            answering[name] = status != nil
            let last = seen[name] ?? 0
            for event in status?["events"].array ?? [] {
                guard let number = event["number"].int, number > last else { continue }
                seen[name] = max(seen[name] ?? 0, number)
                let subject = event["subject"].string.map { "\($0): " } ?? ""
                events.append((event["time"].int ?? 0, "\(name): \(subject)\(event["text"].string ?? "")"))
            }
        }
        return Look(statuses: statuses, events: events.sorted { $0.time < $1.time }.map(\.text))
    }
}
