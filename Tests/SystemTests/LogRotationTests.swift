import ControlPlane
import Foundation
import Glibc
import Model
import TestKit
import Testing
import WorldKit

extension SystemTests {
    /// What logrotate does: it moves a log and sends a signal.
    @Suite struct LogRotationTests {
        private static let each = 40

        /// Uses each tier `each` times, a line each.
        private func use(_ small: SmallWorld) async throws {
            let users = Users(folder: small.world.folder, resolver: small.dns)
            let client = try RawClient(small.http)
            for _ in 0..<Self.each {
                try client.send("GET / HTTP/1.1\r\nHost: www.small.test\r\n\r\n")
                #expect(try client.readResponse().head.hasPrefix("HTTP/1.1 200"))
            }
            for _ in 0..<Self.each {
                let stream = try RawClient(small.tcp)
                try stream.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                #expect(try stream.readToEnd().hasPrefix("HTTP/1.1 200"))
            }
            for _ in 0..<Self.each { #expect(try await users.dig("www.small.test") == [SmallWorld.address]) }
        }

        @Test(.timeLimit(.minutes(2)), arguments: [SIGUSR1, SIGUSR2])
        func nothingIsLostAndNobodyDies(signal: Int32) async throws {
            let logs = URL(filePath: "/tmp/meridian-rotate-\(UUID().uuidString.prefix(8))")
            try FileManager.default.createDirectory(at: logs, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: logs) }
            func lines(_ name: String) -> Int {
                FileManager.default.contents(atPath: logs.appending(path: name).path)?.count { $0 == 0x0a } ?? 0
            }
            let nodes = ["dns", "l7", "l4"]
            var topology = SmallWorld.topology()
            for node in nodes {
                topology = topology.replacing(
                    "\(node): {tier: \(node),",
                    with: "\(node): {log: {access: \"\(logs.path)/\(node)\"}, tier: \(node),")
            }
            try await TemporaryWorld.run(topology: topology, files: ["small.test.zone": SmallWorld.zone]) { temporary in
                let world = temporary.world
                let small = SmallWorld(world: world, file: temporary.file)
                func process(_ node: String) async throws -> Int32 {
                    let child = try #require(await world.child(node))
                    #expect(child.ended == nil, "\(node) died of the signal")
                    return child.processID
                }
                var processes: [String: Int32] = [:]
                for node in nodes { processes[node] = try await process(node) }
                try await use(small)
                for round in 1...3 {
                    // Half of the users come while the files are moved and the signal is on its way.
                    async let meanwhile: Void = use(small)
                    for node in nodes {
                        try FileManager.default.moveItem(
                            at: logs.appending(path: node), to: logs.appending(path: "\(node).\(round)"))
                        await world.send(signal, to: node)
                    }
                    for node in nodes {
                        let isNew = try await TemporaryWorld.eventually {
                            FileManager.default.fileExists(atPath: logs.appending(path: node).path)
                        }
                        #expect(isNew, "\(node) goes on in the file that was moved")
                    }
                    try await meanwhile
                    try await use(small)
                }
                for node in nodes {
                    let files = ["\(node)", "\(node).1", "\(node).2", "\(node).3"]
                    let wanted = Self.each * 7
                    let isWhole = try await TemporaryWorld.eventually {
                        files.reduce(0) { $0 + lines($1) } >= wanted
                    }
                    #expect(isWhole, "\(node): \(files.map(lines)) of \(wanted)")
                    #expect(files.reduce(0) { $0 + lines($1) } == wanted, "\(node): \(files.map(lines))")
                    #expect(lines(node) >= Self.each, "the new file is written")
                    #expect(try await process(node) == processes[node])
                    #expect(world.log(of: node).contains("logs opened anew"))
                }
            }
        }
    }
}
