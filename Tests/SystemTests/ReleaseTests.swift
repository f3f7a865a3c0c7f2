import Foundation
import Glibc
import Model
import TestKit
import Testing
import WorldKit

extension SystemTests {
    /// Deployments that keep each release of the files in a folder of its own, and let a link lead to the one in force.
    @Suite struct ReleaseTests {
        private static let address = "127.0.86.1"
        private static let users = SocketAddress(IPAddress(v4: 0x7f00_5601), port: 8286)

        /// `more` is what a release changed.
        private static func topology(_ control: String, more: String = "") -> String {
            """
            regions: {here: {address: \(address)}}
            nodes:
              l7: {tier: l7, region: here, workers: 1,\(control) leaveDelay: 2s, drainTimeout: 9s}
            pools:
              web:
                kind: http
                endpoints: {here: ["\(address):9101"]}
                check: {http: {path: /healthz, statuses: [200]}, interval: 1s, timeout: 1s, rise: 1, fall: 2}
            http:
              listeners: {public: {port: 8286}, old: {port: 8287}\(more)}
              routes:
                - {name: web, host: www.test, path: {prefix: /}, pool: web}
            """
        }

        /// Puts a release in force.
        private static func publish(_ number: Int, _ text: String, in folder: URL) throws -> String {
            let release = folder.appending(path: "releases/\(number)")
            try FileManager.default.createDirectory(at: release, withIntermediateDirectories: true)
            try text.write(to: release.appending(path: "topology.yaml"), atomically: false, encoding: .utf8)
            let link = folder.appending(path: "current").path
            try? FileManager.default.removeItem(atPath: link)
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: release.path)
            return "\(link)/topology.yaml"
        }

        /// Whatever the node is known by besides its name.
        @Test(
            .timeLimit(.minutes(2)),
            arguments: [
                " admin: \"\(address):9186\",", " state: /tmp/meridian-release-\(getpid()).state,", "",
            ])
        func aRestartWithAnotherFileLosesNobody(control: String) async throws {
            defer { try? FileManager.default.removeItem(atPath: "/tmp/meridian-release-\(getpid()).state") }
            try await TemporaryWorld.run(topology: Self.topology(control)) { temporary in
                let world = temporary.world
                let folder = temporary.file.deletingLastPathComponent()
                #expect(try await TemporaryWorld.eventually { (try? RawClient(Self.users)) != nil })
                let users = Crowd(3) {
                    guard let client = try? RawClient(Self.users, timeout: 10),
                        (try? client.send("GET / HTTP/1.1\r\nHost: www.test\r\nConnection: close\r\n\r\n")) != nil
                    else { return false }
                    return (try? client.readToEnd().hasPrefix("HTTP/1.1 200")) == true
                }
                for round in 1...3 {
                    let old = try #require(await world.child("l7"))
                    let path = try Self.publish(
                        round, Self.topology(control, more: ", new\(round): {port: 829\(round)}"), in: folder)
                    old.send(SIGTERM)
                    try await world.startBeside("l7", topology: path)
                    let isThere = try await TemporaryWorld.eventually(within: .seconds(15)) {
                        old.ended != nil && (try? RawClient(Self.users)) != nil
                    }
                    #expect(isThere && old.ended == .status(0), "round \(round): \(world.log(of: "l7").suffix(600))")
                }
                let (served, lost) = await users.stop()
                #expect(served > 100 && lost == 0, "\(lost) of \(served + lost) lost")
            }
        }

        /// Nobody told the one that runs to stop.
        @Test(.timeLimit(.minutes(1)))
        func aNodeThatRunsIsNotStartedFromAnotherFile() async throws {
            try await TemporaryWorld.run(topology: Self.topology(" admin: \"\(Self.address):9186\",")) { temporary in
                let path = try Self.publish(
                    1, Self.topology(" admin: \"\(Self.address):9186\","),
                    in: temporary.file.deletingLastPathComponent())
                let program = try Programs.ours("meridian-l7")
                let output = try await Command.run(
                    [program, "serve", "--topology", path, "--node", "l7"], folder: temporary.world.folder,
                    limit: .seconds(20))
                let process = try #require(await temporary.world.child("l7")?.processID)
                #expect(
                    output.exit == .status(1) && output.errors.contains("runs already, as process \(process)"),
                    "\(output)")
            }
        }
    }
}
