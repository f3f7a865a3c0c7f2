import Foundation
import Glibc
import Testing
import WorldKit

extension SystemTests {
    /// Reloads of many names while queries come.
    @Suite struct LoadedReloadTests {
        private static let address = "127.0.80.1"
        private static let port = "5471"
        private static let count = 10_000

        /// Every name has two answers, one of which tells the `round`.
        private static func topology(round: Int) -> String {
            let names = (0..<count).map { number in
                // On one line: a file has 1 MiB at most.
                "        n\(number): {answers: {near: {A: 192.0.\(round).\(number % 250)}, far: {A: 192.0.9.1}}, steps: [healthy]}\n"
            }
            return """
                regions: {near: {address: \(address)}, far: {address: 127.0.80.2}}
                nodes: {dns: {tier: dns, region: near, workers: 2, admin: "\(address):9180", drainTimeout: 1s}}
                dns:
                  port: \(port)
                  zones:
                    small.test:
                      file: small.test.zone
                      names:

                """ + names.joined()
        }

        private static let zone = """
            $ORIGIN small.test.
            $TTL 60
            @ IN SOA ns1 hostmaster 1 7200 1800 259200 60
            @ IN NS ns1
            ns1 IN A \(address)

            """

        @Test(.timeLimit(.minutes(2))) func noQueryIsLost() async throws {
            let queries = (0..<Self.count).map { "n\($0).small.test A\n" }.joined()
            try await TemporaryWorld.run(
                topology: Self.topology(round: 0), files: ["small.test.zone": Self.zone, "queries": queries]
            ) { temporary in
                let world = temporary.world
                let file = temporary.file.deletingLastPathComponent().appending(path: "queries").path
                async let load = Command.run(
                    ["dnsperf", "-s", Self.address, "-p", Self.port, "-d", file, "-l", "8", "-c", "4", "-Q", "4000"],
                    folder: world.folder, limit: .seconds(60))
                for round in 1...3 {
                    try Self.topology(round: round).write(to: temporary.file, atomically: true, encoding: .utf8)
                    await world.send(SIGHUP, to: "dns")
                    let isLoaded = try await TemporaryWorld.eventually(within: .seconds(30)) {
                        world.log(of: "dns").contains("generation \(round + 1) in force")
                    }
                    #expect(isLoaded, "\(world.log(of: "dns").suffix(800))")
                }
                let text = try await load.text
                let found = try #require(
                    text.firstMatch(of: /Queries sent: +(\d+)[\s\S]*Queries lost: +(\d+)/), "\(text)")
                #expect(found.2 == "0" && Int(found.1).map { $0 > 10_000 } == true, "\(text)")
                #expect(text.contains(/NOERROR [0-9]+ \(100\.00%\)/), "\(text)")
                let answer = try await Command.run(
                    ["dig", "@" + Self.address, "-p", Self.port, "+noall", "+answer", "n77.small.test", "A"],
                    folder: world.folder, limit: .seconds(10))
                #expect(answer.text.contains("192.0.3.77"), "the last reload is what answers")
            }
        }
    }
}
