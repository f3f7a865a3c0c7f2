package import Model

/// The overrides that count at one moment, ready to be asked. Where several match, the latest decides, however narrow or
/// wide the others are.
package struct OverrideRules: Sendable, Hashable {
    private struct Rule: Hashable {
        let override: Override
        let pattern: Glob
        let region: Glob
        /// Every region matches.
        let isEverywhere: Bool

        init(_ override: Override) {
            self.override = override
            pattern = Glob(override.target.pattern)
            region = Glob(override.target.region)
            isEverywhere = override.target.region == "*"
        }

        func matches(_ name: String, in place: String) -> Bool {
            (isEverywhere || region.matches(place)) && pattern.matches(name)
        }
    }

    /// Latest first.
    private let nodes: [Rule]
    private let gates: [Rule]
    /// Regions and services.
    private let sites: [Rule]
    /// Regions, services and names.
    private let candidates: [Rule]
    /// Whether any of them is about names, which verdicts do not cover.
    package let hasNames: Bool

    /// - Parameter live: in the order of their stamps.
    package init(_ live: [Override] = []) {
        let rules = live.reversed().map(Rule.init)
        nodes = rules.filter { $0.override.target.kind == .node }
        gates = rules.filter { $0.override.target.kind == .gate }
        candidates = rules.filter { [.region, .service, .name].contains($0.override.target.kind) }
        sites = candidates.filter { $0.override.target.kind != .name }
        hasNames = sites.count < candidates.count
    }

    package var isEmpty: Bool { nodes.isEmpty && gates.isEmpty && candidates.isEmpty }

    package func node(_ name: String) -> Override? { nodes.first { $0.pattern.matches(name) }?.override }

    package func gate(_ name: String) -> Override? { gates.first { $0.pattern.matches(name) }?.override }

    /// What decides about a service in a region.
    package func site(service: String, region: String) -> Override? {
        sites.first { rule in
            rule.override.target.kind == .region
                ? rule.pattern.matches(region) : rule.matches(service, in: region)
        }?.override
    }

    /// What decides about a DNS name, which may answer with a service, in a region.
    package func candidate(name: String, service: String?, region: String) -> Override? {
        candidates.first { rule in
            switch rule.override.target.kind {
            case .region: rule.pattern.matches(region)
            case .service: service.map { rule.matches($0, in: region) } ?? false
            default: rule.matches(name, in: region)
            }
        }?.override
    }

    /// The reports as they count: a node that is drained or forced down says that it drains, one that is forced up is heard,
    /// serves, and nothing that it complains of is held against it.
    package func applied(to reports: [String: HeardReport], now: Timestamp) -> [String: HeardReport] {
        if nodes.isEmpty { return reports }
        return reports.mapValues { heard in
            guard let override = node(heard.report.node), heard.report.state != .leaving else { return heard }
            var heard = heard
            heard.forced = override.action
            if override.action == .up {
                heard.report.state = .serving
                heard.heardAt = now
            } else {
                heard.report.state = .draining
            }
            return heard
        }
    }
}

extension Override {
    /// As one fact of a verdict.
    package var verdictReason: Verdict.Reason { Verdict.Reason(source: "override \(id)", text: description) }
}
