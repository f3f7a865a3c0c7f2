import Foundation
import Model
import Testing
import WorldKit

/// A world from a topology and other files in a folder of its own.
struct TemporaryWorld {
    let world: World
    /// The topology in force, which a test may rewrite.
    let file: URL

    /// Starts a world, hands it over, and takes it down again whatever happens.
    ///
    /// - Parameters:
    ///   - topology: The text of its topology.
    ///   - files: Names and texts of the files beside it.
    ///   - descriptors: How many files a node may open, by its name.
    ///   - body: The test.
    /// - Throws: What is wrong with the topology.
    static func run(
        topology: String, files: [String: String] = [:], descriptors: [String: Int] = [:],
        _ body: (TemporaryWorld) async throws -> Void
    ) async throws {
        let folder = URL(filePath: "/tmp/meridian-world-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files {
            try text.write(to: folder.appending(path: name), atomically: false, encoding: .utf8)
        }
        let file = folder.appending(path: "topology.yaml")
        try topology.write(to: file, atomically: false, encoding: .utf8)
        let it = TemporaryWorld(world: try World(topology: file.path, descriptors: descriptors), file: file)
        do {
            try await it.world.start()
            try await body(it)
        } catch {
            let logs = it.world.snapshot.nodes.map { "-- \($0.name)\n\(it.world.log(of: $0.name).suffix(1500))" }
            Issue.record("\(error)\n\(logs.joined(separator: "\n"))")
        }
        let unclean = await it.world.stop()
        #expect(unclean.isEmpty, "a node did not end with status 0 after SIGTERM")
    }

    /// Waits for `condition`, asking every 20 ms.
    ///
    /// - Returns: Whether it became true within `limit`.
    static func eventually(
        within limit: Duration = .seconds(5), _ condition: () async throws -> Bool
    ) async throws -> Bool {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            if try await condition() { return true }
            try await Task.sleep(for: .milliseconds(20))
        }
        return try await condition()
    }
}
