import ControlPlane
import Foundation
import Glibc
import Model
import TestKit
import Testing
import WorldKit

extension SystemTests {
    @Suite struct ReloadTests {
        private func generation(_ small: SmallWorld, _ node: String) async -> Int64? {
            await small.world.status(of: node)?["configuration"]["generation"].int
        }

        @Test(.timeLimit(.minutes(1)))
        func anInvalidFileChangesNothingAndSaysWhy() async throws {
            try await SmallWorld.run { small in
                let kept = try RawClient(small.http)
                try SmallWorld.topology(top: "htpp: {}").write(to: small.file, atomically: true, encoding: .utf8)
                for node in ["dns", "l7", "l4"] {
                    await small.world.send(SIGHUP, to: node)
                    let isSaid = try await TemporaryWorld.eventually {
                        let log = small.world.log(of: node)
                        return log.contains("htpp") && log.contains("topology.yaml")
                    }
                    #expect(isSaid, "\(node) does not say what is wrong: \(small.world.log(of: node).suffix(800))")
                    #expect(await generation(small, node) == 1)
                    let admin = try #require(small.world.snapshot.nodes.first { $0.name == node }?.admin)
                    let answer = try await small.world.http.request(
                        HTTPClientRequest(url: "http://\(admin)/reload", method: "POST"))
                    #expect(answer.status == 422)
                    #expect(text(answer.body).contains("did you mean") || text(answer.body).contains("http"))
                }
                try kept.send("GET / HTTP/1.1\r\nHost: www.small.test\r\n\r\n")
                #expect(try kept.readResponse().head.hasPrefix("HTTP/1.1 200"))
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func connectionsSurviveAReloadAndCountersGoOn() async throws {
            try await SmallWorld.run { small in
                let request = "GET /new HTTP/1.1\r\nHost: new.small.test\r\n\r\n"
                let kept = try RawClient(small.http)
                try kept.send("GET / HTTP/1.1\r\nHost: www.small.test\r\n\r\n")
                #expect(try kept.readResponse().head.hasPrefix("HTTP/1.1 200"))
                try kept.send(request)
                #expect(try kept.readResponse().head.contains(" 404 "))
                let stream = try RawClient(small.tcp)
                try stream.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(try stream.readResponse().head.hasPrefix("HTTP/1.1 200"))
                let before = await small.world.status(of: "l7")?["traffic"]["operations"].int ?? 0
                #expect(before >= 1)

                let route = "    - {name: new, host: new.small.test, path: {prefix: /}, pool: web}"
                try SmallWorld.topology(routes: route).write(to: small.file, atomically: true, encoding: .utf8)
                for node in ["dns", "l7", "l4"] {
                    await small.world.send(SIGHUP, to: node)
                    let isLoaded = try await TemporaryWorld.eventually { await generation(small, node) == 2 }
                    #expect(isLoaded, "\(node): \(small.world.log(of: node).suffix(800))")
                }
                try kept.send(request)
                #expect(try kept.readResponse().head.hasPrefix("HTTP/1.1 200"))
                try stream.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(try stream.readResponse().head.hasPrefix("HTTP/1.1 200"))
                let after = await small.world.status(of: "l7")?["traffic"]["operations"].int ?? 0
                #expect(after > before)
                let users = Users(folder: small.world.folder, resolver: small.dns)
                #expect(try await users.dig("www.small.test") == [SmallWorld.address])
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func logsThatWereMovedBeginAnew() async throws {
            let logs = URL(filePath: "/tmp/meridian-logs-\(UUID().uuidString.prefix(8))")
            try FileManager.default.createDirectory(at: logs, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: logs) }
            func text(_ name: String) -> String {
                FileManager.default.contents(atPath: logs.appending(path: name).path).map {
                    String(decoding: $0, as: UTF8.self)
                } ?? ""
            }
            var topology = SmallWorld.topology()
            for node in ["dns", "l7", "l4"] {
                topology = topology.replacing(
                    "\(node): {tier: \(node),",
                    with: "\(node): {log: {access: \"\(logs.path)/\(node)\"}, tier: \(node),")
            }
            topology = topology.replacing(
                "log: {access: \"\(logs.path)/dns\"",
                with:
                    "log: {access: \"\(logs.path)/dns\", explain: \"\(logs.path)/why\", explainSample: 1")
            try await TemporaryWorld.run(topology: topology, files: ["small.test.zone": SmallWorld.zone]) { temporary in
                let world = temporary.world
                let small = SmallWorld(world: world, file: temporary.file)
                let users = Users(folder: world.folder, resolver: small.dns)
                func use() async throws {
                    #expect(try await users.dig("www.small.test") == [SmallWorld.address])
                    for address in [small.http, small.tcp] {
                        let client = try RawClient(address)
                        try client.send("GET / HTTP/1.1\r\nHost: www.small.test\r\nConnection: close\r\n\r\n")
                        #expect(try client.readToEnd().hasPrefix("HTTP/1.1 200"))
                    }
                }
                try await use()
                for name in ["dns", "l7", "l4", "why"] {
                    let isWritten = try await TemporaryWorld.eventually { !text(name).isEmpty }
                    #expect(isWritten, "\(name)")
                    try FileManager.default.moveItem(
                        at: logs.appending(path: name), to: logs.appending(path: "\(name).1"))
                }
                for node in ["dns", "l7", "l4"] {
                    await world.send(SIGHUP, to: node)
                    #expect(try await TemporaryWorld.eventually { await generation(small, node) == 2 }, "\(node)")
                }
                try await use()
                for name in ["dns", "l7", "l4", "why"] {
                    let isWritten = try await TemporaryWorld.eventually { !text(name).isEmpty }
                    #expect(isWritten, "\(name) goes on in the file that was moved")
                }
            }
        }
    }
}
