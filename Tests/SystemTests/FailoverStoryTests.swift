import Foundation
import Model
import Testing
import WorldKit

extension SystemTests {
    /// The quickstart world with real PostgreSQL, nginx, dig, curl and psql.
    @Suite struct FailoverStoryTests {
        @Test(.timeLimit(.minutes(2)))
        func theWholeStoryIsObserved() async throws {
            let world = try World(
                topology: Programs.package.appending(path: "topologies/quickstart/topology.yaml").path)
            let timeline = Timeline()
            do {
                try await world.start()
                try await Story(world, timeline: timeline).play()
            } catch {
                let story = timeline.entries.map(\.line).joined(separator: "\n")
                let logs = world.snapshot.nodes.map { "-- \($0.name)\n\(world.log(of: $0.name).suffix(1500))" }
                Issue.record("\(error)\n\(story)\n\(logs.joined(separator: "\n"))")
            }
            let unclean = await world.stop()
            #expect(unclean.isEmpty)
            #expect(await world.running.isEmpty)
            #expect(Set(timeline.entries.map(\.step)) == [1, 2, 3, 4, 5, 6])
        }
    }
}
