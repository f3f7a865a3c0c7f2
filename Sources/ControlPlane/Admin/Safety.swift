import HTTPExchange
import Health
import Model

/// Holds an operator's changes against the topology's safety rules, as this node sees the world.
struct Safety {
    private let node: RunningNode
    private let snapshot: Snapshot
    private let check: SafetyCheck

    init(_ node: RunningNode) {
        self.node = node
        snapshot = node.state.configuration.snapshot
        check = SafetyCheck(snapshot)
    }

    /// Nil when `override` may be made; it then holds the names of the rules that it is made against.
    func refusal(of override: inout Override, despite: Bool, now: Timestamp) -> HTTPServer.Response? {
        guard !snapshot.safety.isEmpty else { return nil }
        var after = node.overrides.set
        guard after.add(override, now: now) != nil else { return nil }
        let found = violations(after, override)
        override.against = Array(found.map(\.rule).prefix(8))
        return answer(found, override.target, despite, by: override.author, reason: override.reason)
    }

    func refusal(
        ofReleasing id: String, despite: Bool, author: String, reason: String, now: Timestamp
    ) -> HTTPServer.Response? {
        guard !snapshot.safety.isEmpty else { return nil }
        var after = node.overrides.set
        guard let released = after.release(id: id, by: author, reason: reason, now: now) else { return nil }
        // What it touches is what it was on.
        var change = released
        change.isReleased = false
        return answer(violations(after, change), released.target, despite, by: author, reason: reason)
    }

    /// The same for a drain of this node alone.
    func refusalOfDraining(_ despite: Bool, reason: String) -> HTTPServer.Response? {
        guard !snapshot.safety.isEmpty else { return nil }
        let now = node.hub.timeOfDay.now
        let change = Override(
            id: OverrideBook.newID(), target: Override.Target(.node, node.name), action: .drain, stamp: now,
            expires: now + .seconds(3600), author: node.name, reason: reason)
        var after = node.overrides.set
        _ = after.add(change, now: now)
        return answer(violations(after, change), change.target, despite, by: node.name, reason: reason)
    }

    private func violations(_ after: OverrideSet, _ change: Override) -> [SafetyViolation] {
        check.violations(
            before: node.loop.imagine(node.overrides.set), after: node.loop.imagine(after), change: change)
    }

    private func answer(
        _ found: [SafetyViolation], _ target: Override.Target, _ despite: Bool, by author: String, reason: String
    ) -> HTTPServer.Response? {
        guard !found.isEmpty else { return nil }
        let words = found.map { "rule \($0.rule): \($0.text)" }
        let what = despite ? "overridden by \(author) (\(reason))" : "refused to \(author)"
        node.board.events.record(
            .safety, "\(target)", "\(what): \(words.joined(separator: "; "))", severity: .warning)
        if despite { return nil }
        return .json(
            [
                "error": .string(words.joined(separator: "; ")),
                "violations": .array(found.map { ["rule": .string($0.rule), "text": .string($0.text)] }),
                "cure": "wait, or insist with overrideSafety and a reason",
            ], status: 409)
    }

    /// Every rule and whether it holds now.
    var value: StatusValue {
        guard !snapshot.safety.isEmpty else { return [] }
        let view = node.board.view
        let broken = Dictionary(check.broken(view).map { ($0.rule, $0.text) }) { first, _ in first }
        return .array(
            snapshot.safety.map { rule in
                let isOpen = check.isOpen(rule, view)
                let gate = "\(rule.name) is \(isOpen ? "open" : "closed")"
                // A closed gate is a rule at work, not a broken one: it has no `holds` to be false.
                return rule.isGate
                    ? [
                        "rule": .string(rule.name), "kind": "gate", "open": .bool(isOpen), "text": .string(gate),
                    ]
                    : [
                        "rule": .string(rule.name), "kind": "atLeast", "holds": .bool(broken[rule.name] == nil),
                        "text": .string(broken[rule.name] ?? ""),
                    ]
            })
    }
}
