package import Model

/// The body of `POST /overrides`.
package struct OverrideRequest: Sendable, Hashable {
    /// What stands for a missing `seconds`.
    static let standardDuration = Duration.seconds(3600)

    package var target: Override.Target
    package var action: Override.Action
    package var duration: Duration
    package var reason: String
    package var author: String
    /// Go on although a safety rule says no.
    package var overrideSafety: Bool

    /// Why a body was not understood, with the cure.
    package struct Refusal: Error, Sendable, Hashable {
        package let text: String

        init(_ text: String) { self.text = text }
    }

    private static let members = [
        "action", "author", "kind", "overrideSafety", "pattern", "reason", "region", "seconds",
    ]

    /// - Parameters:
    ///   - body: a JSON object.
    ///   - peer: stands for a missing author.
    /// - Throws: what is wrong with `body`, with the cure.
    package init(_ body: [UInt8], peer: String) throws(Refusal) {
        guard let value = StatusValue(json: body), case .object(let members) = value else {
            throw Refusal(
                #"the body is {"action": "drain", "kind": "region", "pattern": "eu-west", "seconds": 3600, "reason": "text"}"#
            )
        }
        if let unknown = members.keys.sorted().first(where: { !Self.members.contains($0) }) {
            throw Refusal(
                "unknown member '\(unknown.clipped(to: 40))'; there are \(Self.members.joined(separator: ", "))")
        }
        guard let action = value["action"].string.flatMap(Override.Action.init) else {
            throw Refusal("'action' is one of " + Self.list(Override.Action.allCases.map(\.rawValue)))
        }
        guard let kind = value["kind"].string.flatMap(Override.Target.Kind.init) else {
            throw Refusal("'kind' is one of " + Self.list(Override.Target.Kind.allCases.map(\.rawValue)))
        }
        let pattern = try Self.text(value, "pattern", limit: Override.longestPattern) ?? ""
        if pattern.isEmpty { throw Refusal("'pattern' says which \(kind.rawValue): a name, or a pattern with * and ?") }
        let region = try Self.text(value, "region", limit: Override.longestPattern) ?? "*"
        if region != "*", kind != .name, kind != .service {
            throw Refusal("'region' goes with names and services only")
        }
        if region.isEmpty { throw Refusal("'region' is empty: a name, a pattern, or nothing for every region") }
        let duration = try Self.duration(value["seconds"])
        if kind == .gate, action == .drain { throw Refusal("a gate is 'up' (open) or 'down' (closed)") }
        target = Override.Target(kind, pattern, region: region)
        self.action = action
        self.duration = duration
        reason = try Self.text(value, "reason", limit: Override.longestReason) ?? ""
        if reason.isEmpty { throw Refusal("'reason' says why, for those who look at the status") }
        author = try Self.text(value, "author", limit: Override.longestName) ?? peer
        overrideSafety = value["overrideSafety"].bool ?? false
    }

    private static func duration(_ value: StatusValue) throws(Refusal) -> Duration {
        if value == .null { return standardDuration }
        let longest = Override.longest.components.seconds
        guard let seconds = value.int, (1...longest).contains(seconds) else {
            throw Refusal("'seconds' is a whole number, 1 to \(longest)")
        }
        return .seconds(seconds)
    }

    private static func text(_ value: StatusValue, _ key: String, limit: Int) throws(Refusal) -> String? {
        if value[key] == .null { return nil }
        guard let text = value[key].string, text.utf8.count <= limit, text == text.printable
        else { throw Refusal("'\(key)' is text on one line, at most \(limit) octets") }
        return text
    }

    private static func list(_ words: [String]) -> String { words.joined(separator: ", ") }
}

extension Override.Target {
    /// What it is about in a topology, sorted: names of nodes, regions, services, DNS names or gates.
    ///
    /// - Returns: what matches, and everything of its kind that there is.
    package func matches(in snapshot: Snapshot) -> (matching: [String], known: [String]) {
        let known: [String] =
            switch kind {
            case .node: snapshot.nodes.map(\.name)
            case .region: snapshot.regions.map(\.name)
            case .service: snapshot.services.map(\.name)
            case .name: snapshot.dns.zones.flatMap(\.names).map(\.name)
            case .gate: snapshot.safety.filter(\.isGate).map(\.name)
            }
        let glob = Glob(pattern)
        return (known.filter(glob.matches).sorted(), known.sorted())
    }
}
