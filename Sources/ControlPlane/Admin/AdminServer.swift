import Engine
package import HTTPExchange
package import Model
import Topology

/// The admin API of one node, served by a worker of its own: it answers while the data plane is saturated.
package final class AdminServer: Sendable {
    private let server: HTTPServer

    /// - Throws: when the address cannot be bound.
    package init(address: SocketAddress, node: RunningNode) throws {
        let api = AdminAPI(node: node, loopbackOnly: address.address.isLoopback)
        server = try HTTPServer(
            addresses: [address], limits: HTTPServer.Limits(connections: DescriptorShares.controlConnections)
        ) { request, reply in api.answer(request, reply) }
    }

    /// Where it listens: port 0 has become a real one.
    package var address: SocketAddress { server.addresses[0] }
    package var crowding: HTTPServer.Crowding { server.crowding }

    package func stop() async { await server.stop() }
}

/// What the admin API answers, without a socket.
struct AdminAPI: Sendable {
    typealias Reply = @Sendable (HTTPServer.Response) -> Void

    let node: RunningNode
    /// Bound to a loopback address: then it may have no token, and browsers must be kept from lending it their hands.
    let loopbackOnly: Bool

    func answer(_ request: HTTPServer.Request, _ untrustedReply: @escaping Reply) {
        let isGet = request.method == "GET" || request.method == "HEAD"
        switch request.path {
        // Load balancers and supervisors ask these; they reveal nothing.
        case "/healthz" where isGet: return untrustedReply(.json(["state": .string(node.state.phase.state.rawValue)]))
        case "/readyz" where isGet: return untrustedReply(readiness)
        default: break
        }
        if let refusal = refusal(of: request) { return untrustedReply(refusal) }
        let reply: Reply = { response in
            var response = response
            response.isTrusted = true
            untrustedReply(response)
        }
        if let answer = overrides(request) ?? timelines(request) { return reply(answer) }
        switch (request.path, request.method) {
        case ("/metrics", _) where isGet:
            reply(
                HTTPServer.Response(
                    status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8",
                    text: NodeMetrics.text(node)))
        case ("/status", _) where isGet:
            let after = QueryString(request.query)["events"].flatMap { UInt64($0) } ?? 0
            reply(.json(NodeStatus.value(node, eventsAfter: after)))
        case ("/config", _) where isGet: reply(.json(ConfigurationView.value(node)))
        case ("/explain", _) where isGet: reply(explain(QueryString(request.query).values))
        case ("/reload", "POST"): reload(reply)
        case ("/drain", "POST"): reply(drain(request.body))
        case ("/metrics", _), ("/status", _), ("/config", _), ("/explain", _), ("/healthz", _), ("/readyz", _):
            reply(.problem(405, "GET only", [("Allow", "GET, HEAD")]))
        case ("/reload", _), ("/drain", _): reply(.problem(405, "POST only", [("Allow", "POST")]))
        default:
            let known = "/healthz /readyz /metrics /status /config /explain /reload /drain /overrides /timelines"
            reply(.problem(404, "there is \(known)"))
        }
    }

    // MARK: - Who may ask

    private func refusal(of request: HTTPServer.Request) -> HTTPServer.Response? {
        let scheme = "Bearer "
        let presented = request.header("Authorization").flatMap { header in
            header.lowercased().hasPrefix("bearer ") ? String(header.dropFirst(scheme.utf8.count)) : nil
        }
        guard node.admits(presented) else {
            return .problem(401, "the admin token is needed", [("WWW-Authenticate", "Bearer")])
        }
        guard loopbackOnly else { return nil }
        // A page in the operator's browser can reach loopback: by a cross-site POST (which carries Origin), or by a name of
        // its own that resolves to loopback (which the Host field shows).
        if request.header("Origin") != nil { return .problem(403, "not for browsers") }
        if let host = request.header("Host"), !Self.isLiteral(host) {
            return .problem(403, "ask by address or as localhost, not as \(host.clipped(to: 100))")
        }
        return nil
    }

    private static func isLiteral(_ host: String) -> Bool {
        if IPAddress(host) != nil || SocketAddress(host) != nil { return true }
        if host.hasPrefix("["), host.hasSuffix("]") { return IPAddress(host.dropFirst().dropLast()) != nil }
        let name = host.split(separator: ":", maxSplits: 1).first.map { $0.lowercased() }
        return name == "localhost"
    }

    // MARK: - Answers

    private var readiness: HTTPServer.Response {
        let state = node.state.phase.state
        return .json(["state": .string(state.rawValue)], status: state == .serving ? 200 : 503)
    }

    private func explain(_ question: [String: String]) -> HTTPServer.Response {
        if question["kind"] == "verdict" {
            guard let answer = NodeStatus.verdict(node, question) else {
                return .problem(404, "give service and region, as /status names them")
            }
            return .json(answer)
        }
        guard let answer = node.plane.explain(question) else {
            return .problem(400, "a \(node.plane.tier.rawValue) node cannot explain that")
        }
        return .json(answer, status: answer["error"].string == nil ? 200 : 400)
    }

    private func reload(_ reply: @escaping Reply) {
        let isTaken = node.requestReload { outcome in
            switch outcome {
            case .success(let configuration):
                reply(
                    .json([
                        "configuration": .string(configuration.fingerprintText),
                        "generation": .init(configuration.generation),
                    ]))
            case .failure(let error):
                reply(
                    .json(
                        [
                            "error": "the reload is refused; nothing changed",
                            "diagnostics": .array(error.diagnostics.map { .string($0.description) }),
                        ], status: 422))
            }
        }
        if !isTaken { reply(.problem(503, "the node is leaving, or too many reloads wait")) }
    }

    private func drain(_ body: [UInt8]) -> HTTPServer.Response {
        let wish = body.isEmpty ? ["drain": true] : StatusValue(json: body)
        guard let draining = wish?["drain"].bool else {
            return .problem(400, #"the body is {"drain": true or false, "reason": "text"}"#)
        }
        let reason = (wish?["reason"].string ?? "").printable.clipped(to: 200)
        let despite = wish?["overrideSafety"].bool ?? false
        if draining, !node.state.phase.draining, let refusal = Safety(node).refusalOfDraining(despite, reason: reason) {
            return refusal
        }
        let phase = node.state.change {
            $0.draining = draining
            $0.reason = draining ? reason : ""
        }
        node.board.events.record(
            .node, node.name, draining ? "draining" + (reason.isEmpty ? "" : ": \(reason)") : "draining is over")
        node.wakes.ring()
        return .json(["state": .string(phase.state.rawValue), "reason": .string(phase.reason)])
    }
}
