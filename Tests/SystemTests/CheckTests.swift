import Foundation
import Testing
import WorldKit

extension SystemTests {
    /// `check` is the boot path stopped early.
    @Suite struct CheckTests {
        private func check(
            _ program: String, _ topology: String, _ options: [String] = []
        ) async throws -> Command.Output {
            let folder = URL(filePath: "/tmp/meridian-check-\(UUID().uuidString.prefix(8))")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            try SmallWorld.zone.write(
                to: folder.appending(path: "small.test.zone"), atomically: false, encoding: .utf8)
            let file = folder.appending(path: "topology.yaml")
            try topology.write(to: file, atomically: false, encoding: .utf8)
            return try await Command.run(
                [try Programs.ours(program), "check", "--topology", file.path] + options, folder: folder)
        }

        @Test(arguments: [("meridian-dns", "dns"), ("meridian-l7", "l7"), ("meridian-l4", "l4")])
        func aValidTopologyPasses(program: String, node: String) async throws {
            let whole = try await check(program, SmallWorld.topology())
            #expect(whole.exit == .status(0), "\(whole.errors)")
            let one = try await check(program, SmallWorld.topology(), ["--node", node])
            #expect(one.exit == .status(0), "\(one.errors)")
        }

        @Test(arguments: ["meridian-dns", "meridian-l7", "meridian-l4"])
        func everyErrorIsSaidAtOnceWithItsPlace(program: String) async throws {
            let broken = SmallWorld.topology(top: "htpp: {}")
                .replacingOccurrences(of: "drainTimeout: 3s", with: "drainTimeot: 3s")
                .replacingOccurrences(of: "fall: 2", with: "fall: many")
            let output = try await check(program, broken)
            #expect(output.exit == .status(1))
            let lines = output.errors.split(separator: "\n").filter { $0.contains("topology.yaml:") }
            #expect(lines.contains { $0.contains("htpp") && $0.contains("http") })
            #expect(lines.contains { $0.contains("drainTimeot") && $0.contains("drainTimeout") })
            #expect(lines.contains { $0.contains("many") })
            // file:line:column.
            #expect(lines.allSatisfy { $0.firstMatch(of: /topology\.yaml:\d+:\d+: (error|warning)/) != nil })
        }

        @Test func aZoneFileIsCheckedToo() async throws {
            let output = try await check(
                "meridian-dns", SmallWorld.topology().replacingOccurrences(of: "small.test.zone", with: "absent.zone"))
            #expect(output.exit == .status(1))
            #expect(output.errors.contains("absent.zone"))
        }

        @Test(arguments: ["meridian-dns", "meridian-l7", "meridian-l4"])
        func wrongUseIsStatusTwo(program: String) async throws {
            let folder = FileManager.default.temporaryDirectory
            let unknown = try await Command.run([try Programs.ours(program), "fly"], folder: folder)
            #expect(unknown.exit == .status(2))
            let missing = try await Command.run([try Programs.ours(program), "serve"], folder: folder)
            #expect(missing.exit == .status(2))
        }
    }
}
