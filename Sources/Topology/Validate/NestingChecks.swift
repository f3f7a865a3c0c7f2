import Model

/// Answers that are groups or other names lead somewhere, and not back to where they began.
struct NestingChecks {
    /// A group, or a dynamic name by its absolute form.
    enum Chain: Hashable {
        case group(String)
        case name(String)

        var title: String {
            switch self {
            case .group(let name): "group \(name)"
            case .name(let name): "name \(name)"
            }
        }
    }

    /// An answer that is a chain.
    private struct Link {
        let target: Chain
        let position: Position
        let path: String
    }

    private var order: [Chain] = []
    private var positions: [Chain: Position] = [:]
    private var links: [Chain: [Link]] = [:]
    /// Answers with records.
    private var records: [Chain: Int] = [:]
    /// Chains behind those that they answer with.
    private var innermostFirst: [Chain] = []
    private var diagnostics: [Diagnostic] = []

    static func run(on root: Record) -> [Diagnostic] {
        var checks = NestingChecks()
        let dns = root.section("dns")
        for group in dns.records("groups") {
            checks.add(.group(group.name), group.record, group.position, "dns.groups.\(group.name)", origin: nil)
        }
        for zone in dns.entries("zones") {
            guard case .text(let origin) = zone.key, let record = zone.value.record else { continue }
            for entry in record.entries("names") {
                guard case .text(let relative) = entry.key, let chain = entry.value.record,
                    let name = DomainText.join(relative, origin: origin)
                else { continue }
                checks.add(
                    .name(name), chain, entry.position, "dns.zones.\(zone.name).names.\(entry.name)", origin: origin)
            }
        }
        checks.findUnknown()
        if checks.diagnostics.isEmpty { checks.findLoops() }
        if checks.diagnostics.isEmpty { checks.measure() }
        return checks.diagnostics
    }

    /// What an answer's `group` or `name` means; nil when it has neither.
    static func target(of answer: Record, origin: String?) -> Chain? {
        if let group = answer.optionalText("group") { return .group(group) }
        guard let name = answer.optionalText("name") else { return nil }
        if name.hasSuffix(".") || origin == nil { return .name(DomainText.absolute(name) ?? name) }
        return .name(DomainText.join(name, origin: origin ?? ".") ?? name)
    }

    private mutating func add(_ chain: Chain, _ record: Record, _ position: Position, _ path: String, origin: String?) {
        order.append(chain)
        positions[chain] = position
        for answer in record.records("answers") {
            guard let target = Self.target(of: answer.record, origin: origin) else {
                records[chain, default: 0] += 1
                continue
            }
            let key = answer.record.has("group") ? "group" : "name"
            links[chain, default: []].append(
                Link(
                    target: target, position: answer.record.position(of: key),
                    path: "\(path).answers.\(answer.name).\(key)"))
        }
    }

    private mutating func findUnknown() {
        for chain in order {
            for link in links[chain] ?? [] where positions[link.target] == nil {
                let known = order.compactMap { other -> String? in
                    switch (other, link.target) {
                    case (.group(let name), .group): name
                    case (.name(let name), .name): name
                    default: nil
                    }
                }
                let (what, wanted) =
                    switch link.target {
                    case .group(let name): ("group", name)
                    case .name(let name): ("dynamic name", name)
                    }
                let guess = NearestKey.nearest(to: wanted, among: known).map { "; did you mean '\($0)'?" } ?? ""
                diagnostics.append(
                    link.position.error(
                        "\(link.path): no \(what) is called '\(wanted.excerpt)'",
                        (known.isEmpty ? "none is defined" : "\(what)s: \(SchemaChecker.list(known))") + guess))
            }
        }
    }

    /// One diagnostic per loop, at the answer that closes it.
    private mutating func findLoops() {
        var finished: Set<Chain> = []
        for start in order where !finished.contains(start) {
            // Depth first, with a stack of our own: the file decides how deep it goes.
            var path: [(chain: Chain, rest: ArraySlice<Link>)] = [(start, (links[start] ?? [])[...])]
            while let top = path.last {
                guard let link = top.rest.first else {
                    finished.insert(top.chain)
                    innermostFirst.append(top.chain)
                    path.removeLast()
                    continue
                }
                path[path.count - 1].rest.removeFirst()
                if finished.contains(link.target) { continue }
                if let first = path.firstIndex(where: { $0.chain == link.target }) {
                    let ring = (path[first...].map(\.chain) + [link.target]).map(\.title)
                    diagnostics.append(
                        link.position.error(
                            "\(link.path) goes round: " + ring.joined(separator: " -> "),
                            "what answers in the end are records"))
                } else {
                    path.append((link.target, (links[link.target] ?? [])[...]))
                }
            }
        }
    }

    /// How deep and how wide a chain is with all that is in it. Nothing goes round.
    private mutating func measure() {
        var sizes: [Chain: (depth: Int, leaves: Int)] = [:]
        for chain in innermostFirst {
            var size = (depth: 1, leaves: records[chain] ?? 0)
            for link in links[chain] ?? [] {
                guard let inner = sizes[link.target] else { continue }
                size.depth = max(size.depth, inner.depth + 1)
                size.leaves = min(size.leaves + inner.leaves, 1_000_000)
            }
            sizes[chain] = size
        }
        for chain in order {
            guard let position = positions[chain], let (depth, leaves) = sizes[chain] else { continue }
            if depth > SteeringChain.maximumDepth {
                diagnostics.append(
                    position.error(
                        "\(chain.title) nests chains \(depth) deep", "at most \(SteeringChain.maximumDepth)"))
            } else if leaves > SteeringChain.maximumLeaves {
                diagnostics.append(
                    position.error(
                        "\(chain.title) has \(leaves) answers, those of its chains included",
                        "at most \(SteeringChain.maximumLeaves)"))
            }
        }
    }
}
