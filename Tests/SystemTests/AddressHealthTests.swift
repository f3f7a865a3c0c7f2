import Foundation
import Glibc
import Model
import Testing
import WorldKit

extension SystemTests {
    /// A dead address leaves the answers while its neighbours stay, and comes back when it answers again.
    @Suite struct AddressHealthTests {
        private static let check =
            "{http: {path: /healthz, port: 9101, statuses: [200]}, interval: 200ms, timeout: 200ms, rise: 1, fall: 2}"

        private static let topology = """
            federation: {damping: {rise: 0s}}
            regions:
              near: {location: {continent: EU}, address: 127.0.81.1}
              far: {location: {continent: NA}, address: 127.0.81.3}
            nodes:
              dns: {tier: dns, region: near, address: 127.0.81.9, workers: 1, admin: "127.0.81.9:9180", drainTimeout: 1s}
            services: {shop: {}}
            pools:
              web:
                kind: http
                service: shop
                endpoints: {near: ["127.0.81.1:9101", "127.0.81.2:9101"], far: ["127.0.81.3:9101"]}
            dns:
              port: 5473
              zones:
                small.test:
                  file: small.test.zone
                  names:
                    lone:
                      check: \(check)
                      answers: {near: {A: [127.0.81.1, 127.0.81.2]}, far: {A: 127.0.81.3}}
                      steps: [healthy, {failover: [near, far]}]
                    split:
                      check: \(check)
                      answers:
                        one: {region: near, A: 127.0.81.1}
                        two: {region: near, A: 127.0.81.2}
                      policy: multivalue
                    www:
                      service: shop
                      check: \(check)
                      answers: {near: {A: [127.0.81.1, 127.0.81.2]}, far: {A: 127.0.81.3}}
                      steps: [healthy, {failover: [near, far]}]
            """

        private static let zone = """
            $ORIGIN small.test.
            $TTL 60
            @ IN SOA ns1 hostmaster 1 7200 1800 259200 60
            @ IN NS ns1
            ns1 IN A 127.0.81.9

            """

        @Test(.timeLimit(.minutes(1)))
        func aDeadAddressLeavesTheAnswersAlone() async throws {
            try await TemporaryWorld.run(topology: Self.topology, files: ["small.test.zone": Self.zone]) { temporary in
                let world = temporary.world
                func ask(_ name: String) async throws -> Set<String> {
                    let words = [
                        "dig", "@127.0.81.9", "-p", "5473", "+time=2", "+tries=1", "+short", "\(name).small.test",
                    ]
                    let text = try await Command.run(words, folder: world.folder, limit: .seconds(20)).text
                    return Set(text.split(separator: "\n").map(String.init))
                }
                func all(_ names: [String], are wanted: Set<String>) async throws -> Bool {
                    try await TemporaryWorld.eventually(within: .seconds(10)) {
                        for name in names where try await ask(name) != wanted { return false }
                        return true
                    }
                }
                let (x, y) = ("127.0.81.1", "127.0.81.2")
                #expect(try await all(["lone", "split", "www"], are: [x, y]))
                await world.send(SIGKILL, to: "127.0.81.1:9101")
                #expect(try await all(["lone", "split", "www"], are: [y]))
                let words = [
                    "curl", "-s", "http://127.0.81.9:9180/explain?kind=dns&name=www.small.test&type=A&client=127.0.0.1",
                ]
                let why = try await Command.run(words, folder: world.folder, limit: .seconds(20)).text
                #expect(why.contains("127.0.81.1:9101: "), "\(why)")
                #expect(why.filter { !$0.isWhitespace }.contains(#""down":["127.0.81.1"]"#), "\(why)")
                await world.send(SIGKILL, to: "127.0.81.2:9101")
                #expect(try await all(["lone", "www"], are: ["127.0.81.3"]))
                #expect(try await all(["split"], are: [x, y]), "nobody else is there")
                try await world.restart("127.0.81.1:9101")
                #expect(try await all(["lone", "split", "www"], are: [x]))
                try await world.restart("127.0.81.2:9101")
                #expect(try await all(["lone", "split", "www"], are: [x, y]))
            }
        }
    }
}
