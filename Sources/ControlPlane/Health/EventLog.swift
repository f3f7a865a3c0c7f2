package import Model
import Synchronization

/// Something that happened, for the people who watch.
package struct Event: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        /// A verdict moved.
        case verdict
        /// An endpoint went up or down, changed its role, was ejected.
        case endpoint
        /// A peer was heard of, fell silent, said goodbye.
        case peer
        /// All candidates of a name or all regions of a service are down: everything is used.
        case failOpen
        case configuration
        /// An operator's word began, changed or ended.
        case override
        /// A safety rule refused a change, was overridden, or does not hold.
        case safety
        /// The node itself: starting, serving, draining, leaving.
        case node
    }

    /// Who has to look, and when. The level of the event's line in the log.
    package enum Severity: String, Sendable, Hashable, CaseIterable {
        /// Broken until a person mends it, or users are served worse than the topology promises.
        case error
        /// Something failed and was worked around: less is left for the next failure.
        case warning
        /// Ordinary life that changes where traffic goes.
        case notice
        /// Ordinary life.
        case info
    }

    /// What a part of the node has to tell about itself.
    package struct Remark: Sendable, Hashable {
        package let severity: Severity
        package let text: String

        package init(_ severity: Severity, _ text: String) {
            self.severity = severity
            self.text = text
        }
    }

    /// Grows by one with each event of the process.
    package let number: UInt64
    package let time: Timestamp
    package let kind: Kind
    /// What it is about: `shop in eu-west`, `127.0.1.1:9001`.
    package let subject: String
    package let text: String
    package let severity: Severity
}

/// The latest events of this process. Safe from any thread.
package final class EventLog: Sendable {
    private struct State {
        var events: [Event] = []
        var next: UInt64 = 1
        var counts: [Event.Severity: UInt64] = [:]
    }

    private let capacity: Int
    private let clock: @Sendable () -> Timestamp
    private let sink: @Sendable (Event) -> Void
    private let state = Mutex(State())

    /// Keeps the latest `capacity` events (at least 1); `sink` is told of each event once, after it is kept.
    package init(
        capacity: Int = 256, clock: @escaping @Sendable () -> Timestamp = { .now },
        sink: @escaping @Sendable (Event) -> Void = { _ in }
    ) {
        self.capacity = max(1, capacity)
        self.clock = clock
        self.sink = sink
    }

    /// `Docs/Operations.md` has a table of what is how severe.
    package func record(
        _ kind: Event.Kind, _ subject: String, _ text: String, severity: Event.Severity = .notice
    ) {
        let time = clock()
        let event = state.withLock { state in
            let event = Event(
                number: state.next, time: time, kind: kind, subject: subject.printable, text: text.printable,
                severity: severity)
            state.next += 1
            state.counts[severity, default: 0] += 1
            if state.events.count == capacity { state.events.removeFirst() }
            state.events.append(event)
            return event
        }
        sink(event)
    }

    /// How many there were since the start.
    package func count(of severity: Event.Severity) -> UInt64 { state.withLock { $0.counts[severity] ?? 0 } }

    /// Oldest first; those after `number` only.
    package func events(after number: UInt64 = 0) -> [Event] {
        state.withLock { $0.events.filter { $0.number > number } }
    }
}
