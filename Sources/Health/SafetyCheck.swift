package import Model

/// What a change would do to a safety rule.
package struct SafetyViolation: Sendable, Hashable {
    package let rule: String
    /// The rule, and the state that would follow.
    package let text: String
}

/// Holds changes against the topology's safety rules. A region is *on* for a service or a name while it may be answered with:
/// healthy by evidence, or by an operator's word.
package struct SafetyCheck: Sendable {
    private struct Subject {
        /// As people call it.
        let title: String
        let name: String?
        let service: String?
        let regions: Set<String>
        /// What stands behind a name, by region; empty for a service.
        var answers: [String: [Answer]] = [:]
    }

    /// One answer of a name.
    private struct Answer {
        let service: String?
        /// Those that the name's check looks at.
        let addresses: [SocketAddress]
    }

    private let snapshot: Snapshot

    package init(_ snapshot: Snapshot) { self.snapshot = snapshot }

    /// The rules that going from `before` to `after` breaks, by making or taking back `change`.
    ///
    /// An assertion is broken when a region goes off and fewer than it asks for are left; what was broken before and gets no
    /// worse is no reason to refuse. A closed gate is broken by any change to what it guards.
    package func violations(before: HealthView, after: HealthView, change: Override) -> [SafetyViolation] {
        if change.target.kind == .gate { return [] }
        return snapshot.safety.compactMap { rule in
            switch rule.kind {
            case .atLeast(let count): assertion(rule, count, before, after)
            case .gate(let isOpen): gate(rule, isOpen, before, change)
            }
        }
    }

    /// Rules that do not hold now, whoever is to blame; closed gates are none of them.
    package func broken(_ view: HealthView) -> [SafetyViolation] {
        snapshot.safety.compactMap { rule in
            guard case .atLeast(let count) = rule.kind else { return nil }
            for subject in subjects(rule) {
                let on = regionsOn(subject, view)
                if on.count < count {
                    return SafetyViolation(rule: rule.name, text: text(rule, count, subject, on, "are"))
                }
            }
            return nil
        }
    }

    package func isOpen(_ rule: SafetyRule, _ view: HealthView) -> Bool {
        guard case .gate(let isOpen) = rule.kind else { return true }
        return view.overrides.gate(rule.name).map { $0.action == .up } ?? isOpen
    }

    private func assertion(
        _ rule: SafetyRule, _ count: Int, _ before: HealthView, _ after: HealthView
    ) -> SafetyViolation? {
        for subject in subjects(rule) {
            let was = regionsOn(subject, before)
            let on = regionsOn(subject, after)
            guard on.count < count, !was.isSubset(of: on) else { continue }
            return SafetyViolation(rule: rule.name, text: text(rule, count, subject, on, "would be"))
        }
        return nil
    }

    private func text(
        _ rule: SafetyRule, _ count: Int, _ subject: Subject, _ on: Set<String>, _ verb: String
    ) -> String {
        let left = on.isEmpty ? "none" : on.sorted().joined(separator: ", ")
        return "at least \(count) of \(subject.regions.sorted().joined(separator: ", ")) must stay on for "
            + "\(subject.title); \(left) \(verb)"
    }

    private func gate(
        _ rule: SafetyRule, _ isOpen: Bool, _ view: HealthView, _ change: Override
    ) -> SafetyViolation? {
        if self.isOpen(rule, view) { return nil }
        let touched = subjects(rule).first { subject in
            subject.regions.contains { touches(change, subject, $0) }
        }
        guard let touched else { return nil }
        return SafetyViolation(
            rule: rule.name,
            text: "the gate \(rule.name) is closed, which guards \(touched.title) in "
                + touched.regions.sorted().joined(separator: ", "))
    }

    private func touches(_ change: Override, _ subject: Subject, _ region: String) -> Bool {
        if change.target.kind == .node {
            let pattern = Glob(change.target.pattern)
            return snapshot.nodes.contains { snapshot[$0.region].name == region && pattern.matches($0.name) }
        }
        let rules = OverrideRules([change])
        guard let name = subject.name else {
            return subject.service.map { rules.site(service: $0, region: region) != nil } ?? false
        }
        return rules.candidate(name: name, service: subject.service, region: region) != nil
    }

    private func regionsOn(_ subject: Subject, _ view: HealthView) -> Set<String> {
        subject.regions.filter { region in
            if let name = subject.name {
                return subject.answers[region, default: []].contains { isOn($0, of: name, in: region, view) }
            }
            return subject.service.flatMap { view.verdict(service: $0, region: region)?.healthy } ?? true
        }
    }

    /// Healthy, with an address that answers, or vouched for by an operator. What nobody looks at is taken to answer.
    private func isOn(_ answer: Answer, of name: String, in region: String, _ view: HealthView) -> Bool {
        let state = view.candidate(name: name, service: answer.service, region: region)
        guard state.healthy, state.forced != .up, !answer.addresses.isEmpty else { return state.healthy }
        return answer.addresses.contains {
            view.address($0, name: name, service: answer.service, region: region)?.isAlive ?? true
        }
    }

    /// A name's answers, by region.
    private func answers(_ name: DynamicName) -> [String: [Answer]] {
        let looked = Dictionary(grouping: name.lookedAt, by: \.leaf)
        var answers: [String: [Answer]] = [:]
        for (position, leaf) in name.leaves.enumerated() {
            guard let region = leaf.region else { continue }
            answers[snapshot[region].name, default: []].append(
                Answer(
                    service: leaf.service.map { snapshot[$0].name },
                    addresses: looked[position, default: []].map(\.address)))
        }
        return answers
    }

    private func subjects(_ rule: SafetyRule) -> [Subject] {
        let scope = Set(rule.regions.map { snapshot[$0].name })
        let services = rule.services.map { id in
            Subject(
                title: "service \(snapshot[id].name)", name: nil, service: snapshot[id].name, regions: scope)
        }
        let isAboutAll = rule.names.isEmpty && rule.services.isEmpty
        let wanted = Set(rule.names)
        let names = snapshot.dns.zones.flatMap(\.names).filter { isAboutAll || wanted.contains($0.name) }
        return services
            + names.compactMap { name in
                let answers = answers(name)
                let regions = scope.intersection(answers.keys)
                guard !regions.isEmpty else { return nil }
                return Subject(
                    title: name.name, name: name.name, service: name.service.map { snapshot[$0].name },
                    regions: regions, answers: answers)
            }
    }
}
