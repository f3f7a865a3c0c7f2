import Engine
import Federation
package import HTTPExchange
package import Model

/// `GET /federation/v1/reports?since=N&wait=MS`: what this node heard and says, for peers that prove a federation key.
package final class FederationServer: Sendable {
    package static let path = "/federation/v1/reports"
    package static let authorization = "Meridian-Authorization"
    /// The longest wait that is granted: shorter than the idle timeouts of anything in between.
    package static let longestWait = Duration.seconds(30)

    private let server: HTTPServer

    /// - Throws: when the address cannot be bound.
    package init(address: SocketAddress, hub: FederationHub) throws {
        server = try HTTPServer(
            addresses: [address], limits: HTTPServer.Limits(connections: DescriptorShares.controlConnections)
        ) { request, reply in Self.answer(request, hub, reply) }
    }

    /// Where it listens: port 0 has become a real one.
    package var address: SocketAddress { server.addresses[0] }

    package var crowding: HTTPServer.Crowding { server.crowding }

    package func stop() async { await server.stop() }

    private static func answer(
        _ request: HTTPServer.Request, _ hub: FederationHub,
        _ reply: @escaping @Sendable (HTTPServer.Response) -> Void
    ) {
        guard request.path == path else { return reply(.problem(404, "no such resource")) }
        guard request.method == "GET" else { return reply(.problem(405, "GET only", [("Allow", "GET")])) }
        let settings = hub.settings
        let target = request.query.isEmpty ? request.path : request.path + "?" + request.query
        guard let keyring = settings.keyring,
            let node = hub.timeOfDay.candidates.lazy.compactMap({ now in
                keyring.authorizes(
                    request.header(authorization), target: target, now: now, clockSkew: settings.plan.clockSkew)
            }).first
        else {
            hub.countRefusedPoll()
            return reply(.problem(401, "a current \(authorization) header by a federation key is needed"))
        }
        guard settings.tiers[node] != nil else {
            hub.countRefusedPoll()
            return reply(.problem(403, "the topology of \(hub.name) has no node \(node)"))
        }
        let query = QueryString(request.query)
        guard let since = UInt64(query["since"] ?? "0"), let wait = Int64(query["wait"] ?? "0"), wait >= 0 else {
            return reply(.problem(400, "since and wait are whole numbers"))
        }
        hub.poll(from: node, since: since, wait: min(.milliseconds(min(wait, 1 << 40)), longestWait)) { batch in
            guard let body = try? ReportCodec.encode(batch) else { return reply(.problem(500, "not encodable")) }
            var response = HTTPServer.Response(
                status: 200, headers: [("Content-Type", "application/json")], body: body)
            response.isTrusted = true
            reply(response)
        }
    }
}
