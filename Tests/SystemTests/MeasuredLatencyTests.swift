import Foundation
import Testing
import WorldKit

extension SystemTests {
    /// The round trips of real clients, from the L7 node that measures them to the DNS node that answers by them.
    @Suite struct MeasuredLatencyTests {
        /// To the clients of 127.9.8.0/24, the file says, `far` is nearer than `near`.
        private static let table = """
            127.9.8.0/24,near,80
            127.9.8.0/24,far,20
            127.200.7.0/24,near,80
            127.200.7.0/24,far,20

            """

        private static let topology = """
            federation:
              keys: [{id: test-1, secret: {env: MERIDIAN_FEDERATION_KEY}}]
              interval: 200ms
            regions:
              near: {location: {continent: EU}, address: 127.0.79.1}
              far: {location: {continent: NA}, address: 127.0.79.2}
            nodes:
              dns:
                {tier: dns, region: near, address: 127.0.79.9, workers: 1, admin: "127.0.79.9:9180", federation: "127.0.79.9:9181"}
              l7-near: {tier: l7, region: near, workers: 1, admin: "127.0.79.1:9180", federation: "127.0.79.1:9181"}
              l7-far: {tier: l7, region: far, workers: 1, admin: "127.0.79.2:9180", federation: "127.0.79.2:9181"}
            services: {shop: {}}
            pools:
              web:
                kind: http
                service: shop
                endpoints: {near: ["127.0.79.1:9101"], far: ["127.0.79.2:9101"]}
                check: {http: {path: /healthz, statuses: [200]}, interval: 200ms, timeout: 200ms, rise: 1, fall: 2}
            dns:
              port: 5467
              zones:
                small.test:
                  file: small.test.zone
                  names:
                    www:
                      ttl: 5s
                      service: shop
                      answers: {near: {A: 127.0.79.1}, far: {A: 127.0.79.2}}
                      steps:
                        - healthy
                        - latency: {file: latency.csv, measured: true, tolerance: 5ms, explore: 0%}
                        - take: 1
            http:
              listeners: {public: {port: 8180}}
              routes:
                - {name: web, host: www.small.test, path: {prefix: /}, pool: web}

            """

        private static let zone = """
            $ORIGIN small.test.
            $TTL 60
            @ IN SOA ns1 hostmaster 1 7200 1800 259200 60
            @ IN NS ns1
            ns1 IN A 127.0.79.9

            """

        private func address(for client: String, _ world: World) async throws -> String {
            try await Command.run(
                [
                    "dig", "@127.0.79.9", "-p", "5467", "-b", client, "+short", "+time=2", "+tries=1", "+norecurse",
                    "www.small.test", "A",
                ], folder: world.folder, limit: .seconds(10)
            ).text.trimmingCharacters(in: .whitespacesAndNewlines)
        }

        @Test(.timeLimit(.minutes(2))) func whatClientsMeasureIsWhatTheyAreAnsweredBy() async throws {
            let files = ["small.test.zone": Self.zone, "latency.csv": Self.table]
            try await TemporaryWorld.run(topology: Self.topology, files: files) { temporary in
                let world = temporary.world
                let begin = try await TemporaryWorld.eventually {
                    try await address(for: "127.9.8.7", world) == "127.0.79.2"
                }
                #expect(begin, "the file does not decide")

                // Round trips are asked for at the 1st, 2nd, 4th and 8th request of a connection.
                let urls = (1...8).map { "http://127.0.79.1:8180/\($0)" }
                let requests = try await Command.run(
                    ["curl", "-sS", "--interface", "127.9.8.7", "-H", "Host: www.small.test", "-o", "/dev/null"] + urls,
                    folder: world.folder, limit: .seconds(20))
                #expect(requests.errors.isEmpty, "\(requests.errors)")

                let moved = try await TemporaryWorld.eventually(within: .seconds(45)) {
                    try await address(for: "127.9.8.7", world) == "127.0.79.1"
                }
                #expect(moved, "no measurement reaches the answers")
                #expect(
                    try await address(for: "127.200.7.7", world) == "127.0.79.2",
                    "nobody near by was measured")

                let explained = try #require(
                    await world.get("/explain?kind=dns&name=www.small.test&type=A&client=127.9.8.7", from: "dns"))
                let text = String(decoding: explained, as: UTF8.self)
                #expect(
                    text.contains(/"source" ?: ?"measured"/) && text.contains(/"prefix" ?: ?"127.9.8.0\/24"/), "\(text)"
                )
                let metrics = try #require(await world.get("/metrics", from: "l7-near"))
                #expect(!String(decoding: metrics, as: UTF8.self).contains("meridian_l7_round_trips_total 0\n"))
            }
        }
    }
}
