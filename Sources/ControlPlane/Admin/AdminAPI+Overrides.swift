import HTTPExchange
import Health
import Model

/// `/overrides`: what operators said about what may be used.
extension AdminAPI {
    static let overridesPath = "/overrides"

    /// Nil when the request is not about overrides.
    func overrides(_ request: HTTPServer.Request) -> HTTPServer.Response? {
        if request.path == Self.overridesPath {
            switch request.method {
            case "GET", "HEAD": return .json(list())
            case "POST": return add(request)
            default: return .problem(405, "GET or POST", [("Allow", "GET, HEAD, POST")])
            }
        }
        guard request.path.hasPrefix(Self.overridesPath + "/") else { return nil }
        guard request.method == "DELETE" else { return .problem(405, "DELETE only", [("Allow", "DELETE")]) }
        return release(String(request.path.dropFirst(Self.overridesPath.utf8.count + 1)), request)
    }

    private func list() -> StatusValue {
        let now = node.hub.timeOfDay.now
        return [
            "overrides": .array(node.overrides.set.live(at: now).map { OverrideValue.value($0, now) }),
            "safety": Safety(node).value,
        ]
    }

    private func add(_ request: HTTPServer.Request) -> HTTPServer.Response {
        let wish: OverrideRequest
        do { wish = try OverrideRequest(request.body, peer: "\(request.peer.address)") } catch {
            return .problem(400, error.text)
        }
        let (matching, known) = wish.target.matches(in: node.state.configuration.snapshot)
        if matching.isEmpty {
            let kinds = wish.target.kind.rawValue
            let some = known.isEmpty ? "there are none" : "\(kinds)s: \(known.prefix(12).joined(separator: ", "))"
            return .problem(404, "no \(kinds) matches '\(wish.target.pattern)'; \(some)")
        }
        let regions = node.state.configuration.snapshot.regions.map(\.name)
        if !regions.contains(where: Glob(wish.target.region).matches) {
            return .problem(
                404, "no region matches '\(wish.target.region)'; regions: \(regions.joined(separator: ", "))")
        }
        let now = Timestamp(milliseconds: node.hub.timeOfDay.now.milliseconds)
        var override = Override(
            id: OverrideBook.newID(), target: wish.target, action: wish.action, stamp: now,
            expires: now + wish.duration, author: wish.author, reason: wish.reason)
        if let refusal = Safety(node).refusal(of: &override, despite: wish.overrideSafety, now: now) { return refusal }
        do { override = try node.overrides.add(override, now: now) } catch {
            return .problem(507, "\(OverrideSet.capacity) overrides are in force; release some first")
        }
        return .json(
            [
                "override": OverrideValue.value(override, now),
                "matches": .array(matching.prefix(100).map { .string($0) }),
            ], status: 201)
    }

    private func release(_ id: String, _ request: HTTPServer.Request) -> HTTPServer.Response {
        let query = QueryString(request.query)
        let author = (query["author"] ?? "\(request.peer.address)").clipped(to: Override.longestName)
        let reason = (query["reason"] ?? "").clipped(to: Override.longestReason)
        guard author == author.printable, reason == reason.printable, !author.isEmpty else {
            return .problem(400, "author and reason are text on one line")
        }
        let now = Timestamp(milliseconds: node.hub.timeOfDay.now.milliseconds)
        let despite = query["overrideSafety"] == "true"
        if despite, reason.isEmpty { return .problem(400, "going on despite a safety rule needs a reason") }
        if let refusal = Safety(node).refusal(
            ofReleasing: id, despite: despite, author: author, reason: reason, now: now)
        {
            return refusal
        }
        do {
            let released = try node.overrides.release(id: id, by: author, reason: reason, now: now)
            return .json(["released": OverrideValue.value(released, now)])
        } catch {
            return .problem(404, "no override \(id.clipped(to: 80)) is in force; GET /overrides lists them")
        }
    }
}

/// Overrides as `/overrides` and `/status` show them.
enum OverrideValue {
    static func value(_ override: Override, _ now: Timestamp) -> StatusValue {
        [
            "id": .string(override.id), "kind": .string(override.target.kind.rawValue),
            "pattern": .string(override.target.pattern), "region": .string(override.target.region),
            "target": .string(override.target.description), "action": .string(override.action.rawValue),
            "stamp": .init(override.stamp.milliseconds), "expires": .init(override.expires.milliseconds),
            "remainingSeconds": .init(max(0, (override.expires - now).milliseconds / 1000)),
            "author": .string(override.author), "reason": .string(override.reason),
            "against": .array(override.against.map { .string($0) }),
        ]
    }
}
