import Foundation
import Model
import TestKit
import Testing
import WorldKit

extension SystemTests {
    /// A DNS node checks an L7 node, as it does all day: nobody may take that for traffic.
    @Suite struct OwnChecksTests {
        private static let address = "127.0.84.1"

        private static let topology = """
            federation: {keys: [{id: k1, secret: {env: MERIDIAN_FEDERATION_KEY}}]}
            regions: {here: {address: \(address)}}
            nodes:
              dns: {tier: dns, region: here, workers: 1, admin: "\(address):9180", federation: "\(address):9190", leaveDelay: 0s}
              l7:
                tier: l7
                region: here
                workers: 1
                admin: "\(address):9181"
                federation: "\(address):9191"
                leaveDelay: 0s
                log: {access: access.log}
            pools:
              web: {kind: http, endpoints: {here: ["\(address):9101"]}}
            dns:
              port: 5454
              zones:
                small.test:
                  file: small.test.zone
                  names:
                    www:
                      check: {http: {path: /healthz, port: 8480}, interval: 100ms, timeout: 100ms}
                      answers: {here: {A: \(address)}}
                      steps: [healthy]
            http:
              listeners: {public: {port: 8480}}
              routes: [{name: web, host: "*", path: {prefix: /}, pool: web}]
            """

        private static let zone = """
            $ORIGIN small.test.
            $TTL 60
            @ IN SOA ns1 hostmaster 1 7200 1800 259200 60
            @ IN NS ns1
            ns1 IN A \(address)

            """

        /// One counter of the L7 node.
        private static func counter(_ world: World, _ name: String) async -> Int? {
            guard let page = await world.get("/metrics", from: "l7") else { return nil }
            return String(decoding: page, as: UTF8.self).split(separator: "\n")
                .first { $0.hasPrefix("meridian_l7_\(name) ") }.flatMap { Int($0.split(separator: " ")[1]) }
        }

        @Test(.timeLimit(.minutes(1)))
        func theyAreNoTraffic() async throws {
            try await TemporaryWorld.run(topology: Self.topology, files: ["small.test.zone": Self.zone]) { temporary in
                let world = temporary.world
                let isChecked = try await TemporaryWorld.eventually(within: .seconds(15)) {
                    await Self.counter(world, "checks_total") ?? 0 > 10
                }
                #expect(isChecked)
                let before = try #require(await Self.counter(world, "requests_total"))
                let client = try RawClient(SocketAddress(IPAddress(v4: 0x7f00_5401), port: 8480))
                try client.send("GET /user HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                #expect(try client.readToEnd().hasPrefix("HTTP/1.1 200"))
                #expect(before == 0)
                #expect(await Self.counter(world, "requests_total") == 1)
                let path = temporary.file.deletingLastPathComponent().appending(path: "access.log")
                let isLogged = try await TemporaryWorld.eventually {
                    try String(contentsOf: path, encoding: .utf8).contains("/user")
                }
                #expect(isLogged)
                #expect(try !String(contentsOf: path, encoding: .utf8).contains("healthz"))
            }
        }
    }
}
