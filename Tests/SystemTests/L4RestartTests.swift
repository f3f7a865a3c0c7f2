import ControlPlane
import Foundation
import Glibc
import Model
import Testing
import WorldKit

extension SystemTests {
    /// A planned restart of an L4 node is no failure of its region.
    @Suite struct L4RestartTests {
        private static let address = "127.0.87.1"

        private static func topology() -> String {
            """
            federation:
              keys: [{id: k1, secret: {env: MERIDIAN_FEDERATION_KEY}}]
              interval: 200ms
              staleAfter: 1s
              failStaticShare: 100%
              damping: {fall: 5s, rise: 5s}
            regions:
              here: {address: \(address)}
              there: {address: 127.0.87.2}
            nodes:
              dns: {tier: dns, region: there, workers: 1, admin: "\(address):9180", federation: "\(address):9280"}
              l7: {tier: l7, region: here, workers: 1, admin: "\(address):9181", federation: "\(address):9281"}
              l4:
                tier: l4
                region: here
                workers: 1
                admin: "\(address):9182"
                federation: "\(address):9282"
                leaveDelay: 500ms
                drainTimeout: 2s
            services: {orders: {}, shop: {dependsOn: [orders]}}
            pools:
              web: {kind: http, service: shop, endpoints: {here: ["\(address):9101"]}}
              rows:
                kind: tcp
                service: orders
                endpoints: {here: ["\(address):9101"]}
                check: {tcp: {}, interval: 200ms, timeout: 200ms, rise: 1, fall: 2}
            dns:
              port: 5487
              zones:
                small.test:
                  file: small.test.zone
                  names:
                    www: {service: shop, ttl: 5s, ramp: 60s, answers: {here: {A: \(address)}}, steps: [healthy]}
            http:
              listeners: {public: {port: 8187}}
              routes: [{name: web, host: www.small.test, path: {prefix: /}, pool: web}]
            tcp:
              listeners: {rows: {port: 8188, pool: rows}}
            """
        }

        private static let zone = """
            $ORIGIN small.test.
            $TTL 60
            @ IN SOA ns1 hostmaster 1 7200 1800 259200 60
            @ IN NS ns1
            ns1 IN A 127.0.87.2

            """

        private static func isHealthy(_ service: String, _ world: World) async -> Bool {
            let verdict = await world.verdict(service, in: "here", at: "dns")
            return verdict["healthy"].bool == true && verdict["share"].double == 1
        }

        private static func areHealthy(_ world: World) async -> Bool {
            let (orders, shop) = (await isHealthy("orders", world), await isHealthy("shop", world))
            return orders && shop
        }

        /// What the DNS node told of verdicts.
        private static func falls(_ world: World) async -> [String] {
            let events = await world.status(of: "dns")?["events"].array ?? []
            return events.filter { $0["kind"].string == "verdict" && ($0["text"].string ?? "").hasPrefix("down") }
                .map { "\($0["subject"].string ?? ""): \($0["text"].string ?? "")" }
        }

        private static func run(_ body: (World) async throws -> Void) async throws {
            try await TemporaryWorld.run(topology: topology(), files: ["small.test.zone": zone]) { temporary in
                #expect(try await TemporaryWorld.eventually(within: .seconds(15)) { await areHealthy(temporary.world) })
                try await body(temporary.world)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func aRestartMovesNoVerdict() async throws {
            try await Self.run { world in
                let before = await Self.falls(world)
                for _ in 1...3 {
                    let old = try #require(await world.child("l4"))
                    old.send(SIGQUIT)
                    try await world.startBeside("l4")
                    try await world.waitUntilReady("l4", limit: .seconds(15))
                    #expect(await old.wait(.seconds(15)) == .status(0))
                }
                #expect(try await TemporaryWorld.eventually { await Self.areHealthy(world) })
                #expect(await Self.falls(world) == before)
            }
        }
    }
}
